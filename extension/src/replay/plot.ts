import type { IMotion, IReplay } from './document';
import type { IColours } from './ground';

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 96;
const EDGE = { left: 44, right: 8, top: 16, bottom: 14 };

/** Commanded and actual forward velocity over time; a click goes to that moment. */
export class VelocityPlot {
  constructor(
    private _replay: IReplay,
    title: string,
    onSeek: (frame: number) => void
  ) {
    this.node.setAttribute('class', 'plot');
    this.node.setAttribute('role', 'img');
    this.node.setAttribute('aria-label', title);
    this.node.addEventListener('click', event => {
      const box = this.node.getBoundingClientRect();
      const share = (event.clientX - box.left - EDGE.left) / (this._width - EDGE.left - EDGE.right);
      onSeek(Math.round(Math.min(Math.max(share, 0), 1) * (this._frames - 1)));
    });
    this._title = title;
  }

  readonly node = document.createElementNS(SVG, 'svg');

  /** Draw this robot's curves, so many pixels wide. */
  draw(motion: IMotion, colours: IColours, width: number): void {
    this._frames = motion.frames;
    this._width = Math.max(width, 200);
    const column = 7 + this._replay.joints;
    const series = [column, column + 3].map(at =>
      Array.from({ length: motion.frames }, (_, frame) => motion.values[frame * motion.width + at])
    );
    const all = series.flat();
    const low = Math.min(-0.1, ...all);
    const high = Math.max(0.1, ...all);
    const y = (value: number): number =>
      EDGE.top + ((high - value) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
    const parts: SVGElement[] = [
      line(EDGE.left, y(0), this._width - EDGE.right, y(0), colours.line),
      label(EDGE.left - 6, y(high) + 4, high.toFixed(1), 'end'),
      label(EDGE.left - 6, y(0) + 4, '0', 'end'),
      label(EDGE.left, 11, this._title, 'start')
    ];
    if (low < -0.15) {
      parts.push(label(EDGE.left - 6, y(low) + 4, low.toFixed(1), 'end'));
    }
    [colours.command, colours.velocity].forEach((colour, index) => {
      const curve = document.createElementNS(SVG, 'polyline');
      curve.setAttribute(
        'points',
        series[index]
          .map((value, frame) => `${this._x(frame).toFixed(1)},${y(value).toFixed(1)}`)
          .join(' ')
      );
      curve.setAttribute('fill', 'none');
      curve.setAttribute('stroke', colour);
      curve.setAttribute('stroke-width', '1.8');
      parts.push(curve);
    });
    this._now = line(0, EDGE.top - 4, 0, HEIGHT - EDGE.bottom, 'currentColor');
    this.node.replaceChildren(...parts, this._now);
  }

  /** Mark the moment that is shown. */
  mark(frame: number): void {
    const x = this._x(frame).toFixed(1);
    this._now?.setAttribute('x1', x);
    this._now?.setAttribute('x2', x);
  }

  private _x(frame: number): number {
    const share = this._frames > 1 ? frame / (this._frames - 1) : 0;
    return EDGE.left + share * (this._width - EDGE.left - EDGE.right);
  }

  private _title: string;
  private _frames = 1;
  private _width = 200;
  private _now: SVGElement | null = null;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): SVGElement {
  const element = document.createElementNS(SVG, 'line');
  Object.entries({ x1, y1, x2, y2 }).forEach(([name, value]) =>
    element.setAttribute(name, value.toFixed(1))
  );
  element.setAttribute('stroke', colour);
  return element;
}

function label(x: number, y: number, text: string, anchor: string): SVGElement {
  const element = document.createElementNS(SVG, 'text');
  element.setAttribute('x', String(x));
  element.setAttribute('y', y.toFixed(1));
  element.setAttribute('text-anchor', anchor);
  element.setAttribute('font-size', '11');
  element.setAttribute('fill', 'currentColor');
  element.textContent = text;
  return element;
}
