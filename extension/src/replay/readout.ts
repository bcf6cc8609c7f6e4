import type { Translate } from './controls';
import type { IMotion, IReplay } from './document';
import type { IColours } from './ground';

/** Command and actual velocity in numbers, and which feet stand. */
export class Readout {
  constructor(
    private _replay: IReplay,
    trans: Translate
  ) {
    this.node.className = 'readout';
    const table = document.createElement('table');
    const head = table.insertRow();
    head.append(cell('th', ''), cell('th', trans('command')), cell('th', trans('actual')));
    this._keys = [head.cells[1], head.cells[2]].map(header => {
      const key = document.createElement('span');
      key.className = 'key';
      header.prepend(key);
      return key;
    });
    for (const name of [trans('forward [m/s]'), trans('left [m/s]'), trans('turn [rad/s]')]) {
      const row = table.insertRow();
      const cells: [HTMLElement, HTMLElement] = [cell('td', ''), cell('td', '')];
      row.append(cell('th', name), ...cells);
      this._numbers.push(cells);
    }
    const feet = document.createElement('div');
    feet.className = 'feet';
    feet.title = trans('Feet on the ground');
    for (const index of _replay.feet) {
      const foot = document.createElement('span');
      foot.textContent = _replay.bodies[index].name.replace(/_foot$/, '');
      this._feet.push(foot);
      feet.append(foot);
    }
    this.node.append(table, feet);
  }

  readonly node = document.createElement('div');

  paint(colours: IColours): void {
    this._keys[0].style.background = colours.command;
    this._keys[1].style.background = colours.velocity;
  }

  update(motion: IMotion, frame: number): void {
    const at = frame * motion.width + 7 + this._replay.joints;
    this._numbers.forEach((pair, axis) =>
      pair.forEach((node, which) => {
        node.textContent = motion.values[at + 3 * which + axis].toFixed(2);
      })
    );
    this._feet.forEach((foot, bit) => {
      foot.dataset.down = String(((motion.contact[frame] >> bit) & 1) === 1);
    });
  }

  private _keys: HTMLElement[];
  private _numbers: Array<[HTMLElement, HTMLElement]> = [];
  private _feet: HTMLElement[] = [];
}

function cell(kind: 'th' | 'td', text: string): HTMLElement {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}
