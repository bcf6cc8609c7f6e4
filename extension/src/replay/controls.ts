import type { IMotion } from './document';

/** Speeds to choose from, as parts of real time. */
export const SPEEDS = [0.1, 0.25, 0.5, 1, 2];

/** Translates a text, with %1, %2, … replaced. */
export type Translate = (text: string, ...values: string[]) => string;

/** The bar below the view. */
export class Controls {
  constructor(
    motions: IMotion[],
    trans: Translate,
    actions: {
      toggle: () => void;
      seek: (frame: number) => void;
      speed: (speed: number) => void;
      follow: () => void;
      reset: () => void;
      choose: (index: number) => void;
    }
  ) {
    this._trans = trans;
    this.node.className = 'bar';
    this._play.addEventListener('click', actions.toggle);
    this._scrub.type = 'range';
    this._scrub.min = '0';
    this._scrub.setAttribute('aria-label', trans('Moment'));
    this._scrub.addEventListener('input', () => actions.seek(Number(this._scrub.value)));
    this._time.className = 'time';
    SPEEDS.forEach(speed => this._speed.add(new Option(`${speed}×`, String(speed))));
    this._speed.setAttribute('aria-label', trans('Speed'));
    this._speed.addEventListener('change', () => actions.speed(Number(this._speed.value)));
    motions.forEach((motion, index) =>
      this._robot.add(new Option(describe(motion, trans), String(index)))
    );
    this._robot.setAttribute('aria-label', trans('Robot'));
    this._robot.addEventListener('change', () => actions.choose(Number(this._robot.value)));
    this._follow.textContent = trans('Follow');
    this._follow.title = trans('Keep the robot in view (F)');
    this._follow.addEventListener('click', actions.follow);
    const reset = document.createElement('button');
    reset.textContent = trans('Reset view');
    reset.title = trans('Look from where the replay began (R)');
    reset.addEventListener('click', actions.reset);
    this.node.append(
      ...[this._play, this._scrub, this._time, this._speed, this._robot, this._follow, reset]
    );
  }

  readonly node = document.createElement('div');

  /** Show what is going on. */
  update(state: {
    frame: number;
    frames: number;
    step: number;
    playing: boolean;
    speed: number;
    robot: number;
    follow: boolean;
  }): void {
    const { frame, frames, step, playing } = state;
    this._play.textContent = playing ? '❚❚' : '▶';
    this._play.setAttribute('aria-label', this._trans(playing ? 'Pause' : 'Play'));
    this._scrub.max = String(frames - 1);
    this._scrub.value = String(Math.round(frame));
    const time = `${(frame * step).toFixed(2)} / ${((frames - 1) * step).toFixed(2)} s`;
    this._scrub.setAttribute('aria-valuetext', time);
    this._time.textContent = time;
    this._speed.value = String(state.speed);
    this._robot.value = String(state.robot);
    this._follow.setAttribute('aria-pressed', String(state.follow));
  }

  private _trans: Translate;
  private _play = document.createElement('button');
  private _scrub = document.createElement('input');
  private _time = document.createElement('span');
  private _speed = document.createElement('select');
  private _robot = document.createElement('select');
  private _follow = document.createElement('button');
}

/** A robot in a few words: its command, its ground, how it ended. */
export function describe(motion: IMotion, trans: Translate): string {
  const parts = [motion.command];
  if (motion.terrain) {
    parts.push(
      motion.level === null
        ? motion.terrain
        : trans('%1, level %2', motion.terrain, String(motion.level))
    );
  }
  if (motion.fell) {
    parts.push(trans('falls'));
  }
  return parts.join(' · ');
}
