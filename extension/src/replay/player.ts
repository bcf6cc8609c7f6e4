import { Controls, SPEEDS, type Translate } from './controls';
import { type IMotion, type IReplay, parseReplay } from './document';
import type { IColours } from './ground';
import { VelocityPlot } from './plot';
import { Readout } from './readout';
import { ReplayScene } from './scene';
import { STYLE } from './style';

/** A replay that is being shown. */
export interface IPlayer {
  /** Take the theme's colours again. */
  repaint(): void;
  dispose(): void;
}

const plain: Translate = (text, ...values) =>
  text.replace(/%(\d)/g, (_, number: string) => values[Number(number) - 1]);

/**
 * Show a replay in `host`, paused at its beginning.
 *
 * @param text - JSON text of the replay; it is data and never run.
 * @throws When the text is no replay or the browser has no WebGL.
 */
export function show(text: string, host: HTMLElement, trans: Translate = plain): IPlayer {
  return new Player(parseReplay(text), host, trans);
}

class Player implements IPlayer {
  constructor(
    private _replay: IReplay,
    private _host: HTMLElement,
    trans: Translate
  ) {
    this._colours = themeColours(_host);
    const shadow = _host.shadowRoot ?? _host.attachShadow({ mode: 'open' });
    const style = document.createElement('style');
    style.textContent = STYLE;
    const root = document.createElement('div');
    root.className = 'player';
    this._view.className = 'view';
    this._view.tabIndex = 0;
    this._view.setAttribute('role', 'application');
    this._view.setAttribute(
      'aria-label',
      trans(
        'Replay of the robot. Space plays, the left and right arrows step, Home and End go to the ends, N and P change the robot, the up and down arrows come nearer and go away, A and D turn the camera, F follows, R resets the view.'
      )
    );
    const canvas = document.createElement('canvas');
    this._readout = new Readout(_replay, trans);
    this._view.append(canvas, this._readout.node);
    this._plot = new VelocityPlot(_replay, trans('forward velocity [m/s]'), frame =>
      this._seek(frame)
    );
    this._controls = new Controls(_replay.robots, trans, {
      toggle: () => this._toggle(),
      seek: frame => this._seek(frame),
      speed: speed => this._set({ speed }),
      follow: () => this._followOrNot(),
      reset: () => this._reset(),
      choose: index => this._choose(index)
    });
    root.append(this._view, this._plot.node, this._controls.node);
    shadow.replaceChildren(style, root);
    this._scene = new ReplayScene(_replay, canvas, () => this._request());
    this._view.addEventListener('keydown', event => this._onKey(event));
    this._resized = new ResizeObserver(() => {
      this._scene.resize(this._view.clientWidth, this._view.clientHeight);
      this._plot.draw(this._motion, this._colours, this._view.clientWidth);
      this._request();
    });
    this._resized.observe(this._view);
    this._seen = new IntersectionObserver(entries => {
      this._visible = entries[entries.length - 1].isIntersecting;
      this._request();
    });
    this._seen.observe(root); // who sees the controls alone must find them alive, too
    this._choose(0);
  }

  repaint(): void {
    this._colours = themeColours(this._host);
    this._scene.paint(this._colours);
    this._readout.paint(this._colours);
    this._plot.draw(this._motion, this._colours, this._view.clientWidth);
    this._request();
  }

  dispose(): void {
    cancelAnimationFrame(this._asked);
    this._disposed = true;
    this._resized.disconnect();
    this._seen.disconnect();
    this._scene.dispose();
    this._host.shadowRoot?.replaceChildren();
  }

  private get _motion(): IMotion {
    return this._replay.robots[this._robot];
  }

  private _choose(index: number): void {
    this._robot = index;
    this._frame = 0;
    this._scene.choose(this._motion, this._colours);
    this._readout.paint(this._colours);
    this._plot.draw(this._motion, this._colours, this._view.clientWidth);
    this._request();
  }

  private _toggle(): void {
    if (!this._playing && this._frame >= this._motion.frames - 1) {
      this._frame = 0;
    }
    this._set({ playing: !this._playing });
  }

  private _seek(frame: number): void {
    this._frame = Math.min(Math.max(frame, 0), this._motion.frames - 1);
    this._set({ playing: false });
  }

  private _followOrNot(): void {
    this._scene.follow = !this._scene.follow;
    this._request();
  }

  private _reset(): void {
    this._scene.resetCamera();
    this._request();
  }

  private _set(state: { playing?: boolean; speed?: number }): void {
    this._playing = state.playing ?? this._playing;
    this._speed = state.speed ?? this._speed;
    this._last = null;
    this._request();
  }

  private _onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const count = this._replay.robots.length;
    const actions: Record<string, () => void> = {
      ' ': () => this._toggle(),
      ArrowLeft: () => this._seek(Math.round(this._frame) - (event.shiftKey ? 10 : 1)),
      ArrowRight: () => this._seek(Math.round(this._frame) + (event.shiftKey ? 10 : 1)),
      ArrowUp: () => this._scene.orbit(0, 0.9),
      ArrowDown: () => this._scene.orbit(0, 1.1),
      a: () => this._scene.orbit(-0.15, 1),
      d: () => this._scene.orbit(0.15, 1),
      Home: () => this._seek(0),
      End: () => this._seek(this._motion.frames - 1),
      n: () => this._choose((this._robot + 1) % count),
      p: () => this._choose((this._robot + count - 1) % count),
      f: () => this._followOrNot(),
      r: () => this._reset(),
      '+': () =>
        this._set({ speed: SPEEDS[Math.min(SPEEDS.indexOf(this._speed) + 1, SPEEDS.length - 1)] }),
      '-': () => this._set({ speed: SPEEDS[Math.max(SPEEDS.indexOf(this._speed) - 1, 0)] })
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  }

  /** Draw soon; while nothing moves, or nobody can see it, nothing is drawn. */
  private _request(): void {
    if (!this._asked && !this._disposed) {
      this._asked = requestAnimationFrame(now => this._draw(now));
    }
  }

  private _draw(now: number): void {
    this._asked = 0;
    if (!this._visible) {
      this._last = null;
      return;
    }
    const motion = this._motion;
    if (this._playing) {
      const passed = this._last === null ? 0 : (now - this._last) / 1000;
      this._last = now;
      this._frame += (passed * this._speed) / this._replay.step;
      if (this._frame >= motion.frames - 1) {
        this._frame = motion.frames - 1;
        this._playing = false;
      }
    }
    this._scene.draw(this._frame);
    const frame = Math.min(Math.floor(this._frame), motion.frames - 1);
    this._readout.update(motion, frame);
    this._plot.mark(this._frame);
    this._controls.update({
      frame: this._frame,
      frames: motion.frames,
      step: this._replay.step,
      playing: this._playing,
      speed: this._speed,
      robot: this._robot,
      follow: this._scene.follow
    });
    if (this._playing) {
      this._request();
    }
  }

  private _view = document.createElement('div');
  private _scene: ReplayScene;
  private _readout: Readout;
  private _plot: VelocityPlot;
  private _controls: Controls;
  private _resized: ResizeObserver;
  private _seen: IntersectionObserver;
  private _colours: IColours;
  private _robot = 0;
  private _frame = 0;
  private _speed = 1;
  private _playing = false;
  private _visible = false;
  private _disposed = false;
  private _last: number | null = null;
  private _asked = 0;
}

/** The scene's colours, which follow whether the theme is light or dark. */
function themeColours(host: HTMLElement): IColours {
  const text = getComputedStyle(host).color;
  const [red, green, blue] = (text.match(/[\d.]+/g) ?? ['0', '0', '0']).map(Number);
  const dark = red + green + blue > 384; // light letters stand on dark ground
  return dark
    ? {
        background: '#15181c',
        sky: '#dfe8f2',
        ground: '#3a4048',
        line: '#596270',
        body: '#e8a33d',
        limb: '#b9c2cc',
        foot: '#7d8894',
        contact: '#ffd23f',
        command: '#4fb3ff',
        velocity: '#5fd38a'
      }
    : {
        background: '#eef2f6',
        sky: '#ffffff',
        ground: '#c9d0d6',
        line: '#aab4bd',
        body: '#d9822b',
        limb: '#5b6670',
        foot: '#2f363d',
        contact: '#ffb000',
        command: '#0072c3',
        velocity: '#198038'
      };
}
