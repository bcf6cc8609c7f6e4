/** A replay as docs/replay.md describes it, checked, and its numbers decoded. Nothing in it is ever run. */

export interface IShape {
  kind: 'box' | 'capsule' | 'sphere';
  /** Box: edges; capsule along z: radius and length of its cylinder; sphere: radius. In metres. */
  size: number[];
  at: number[];
  /** Rotation about y, in radians. */
  pitch: number;
}

export interface IBody {
  name: string;
  parent: number | null;
  at: number[];
  axis: number[];
  joint: number | null;
  shapes: IShape[];
}

export interface IGround {
  corner: number[];
  spacing: number;
  rows: number;
  columns: number;
  /** Row by row, in metres. */
  heights: Float32Array;
}

export interface IMotion {
  command: string;
  terrain: string;
  level: number | null;
  frames: number;
  fell: boolean;
  /** For each frame: position 3, quaternion 4, joint angles, command 3, velocity 3. */
  values: Float32Array;
  /** Numbers in a frame. */
  width: number;
  /** For each frame, a bit for each foot. */
  contact: Uint8Array;
  ground: IGround | null;
  floor: number;
}

export interface IReplay {
  title: string;
  /** Seconds from frame to frame. */
  step: number;
  bodies: IBody[];
  feet: number[];
  joints: number;
  robots: IMotion[];
}

const FORMAT = 1;
const LENGTH = 1e-3;
const ANGLE = 1e-4;
const ROTATION = 1 / 32767;
/** More than any recording has; a damaged file must not take the page's memory. */
const MOST = 4_000_000;

type Fields = Record<string, unknown>;

/**
 * Read the JSON text of a replay.
 *
 * @throws When it is not one, with what is wrong.
 */
export function parseReplay(text: string): IReplay {
  const document = fields(JSON.parse(text), 'the replay');
  if (document.format !== FORMAT) {
    throw new Error(
      `This replay has format ${String(document.format)}; format ${FORMAT} is known.`
    );
  }
  const robot = fields(document.robot, 'robot');
  const joints = list(robot.joints, 'robot.joints', 64).length;
  const bodies = list(robot.bodies, 'robot.bodies', 256).map((body, index) =>
    parseBody(fields(body, 'a body'), index, joints)
  );
  const feet = list(robot.feet, 'robot.feet', 8).map(foot => count(foot, 'a foot', bodies.length));
  const robots = list(document.robots, 'robots', 64).map(motion =>
    parseMotion(fields(motion, 'a robot'), joints)
  );
  if (bodies.length === 0 || robots.length === 0) {
    throw new Error('This replay holds no robot.');
  }
  const step = real(document.step, 'step');
  if (step <= 0) {
    throw new Error('The replay’s step is not above 0.');
  }
  return { title: words(document.title, 'title'), step, bodies, feet, joints, robots };
}

function parseBody(body: Fields, index: number, joints: number): IBody {
  return {
    name: words(body.name, 'a body’s name'),
    parent: body.parent === null ? null : count(body.parent, 'a body’s parent', index),
    at: reals(body.at, 'at'),
    axis: reals(body.axis, 'axis'),
    joint: body.joint === null ? null : count(body.joint, 'a joint', joints),
    shapes: list(body.shapes, 'shapes', 64).map(item => {
      const shape = fields(item, 'a shape');
      if (shape.kind !== 'box' && shape.kind !== 'capsule' && shape.kind !== 'sphere') {
        throw new Error(`${String(shape.kind)} is no shape; there are box, capsule and sphere.`);
      }
      return {
        kind: shape.kind,
        size: reals(shape.size, 'size'),
        at: reals(shape.at, 'at'),
        pitch: real(shape.pitch, 'pitch')
      };
    })
  };
}

function parseMotion(motion: Fields, joints: number): IMotion {
  const width = 13 + joints;
  const frames = count(motion.frames, 'frames', MOST / width) || fail('a robot has no frames');
  const steps = (column: number): number =>
    column < 3 || column >= 7 + joints ? LENGTH : column < 7 ? ROTATION : ANGLE;
  const whole = int16(motion.motion, frames * width, 'motion');
  const contact = bytes(motion.contact, 'contact');
  if (contact.length !== frames) {
    fail('contact has not one byte for each frame');
  }
  return {
    command: words(motion.command, 'command'),
    terrain: words(motion.terrain, 'terrain'),
    level: motion.level === null ? null : count(motion.level, 'level', 1000),
    frames,
    fell: motion.fell === true,
    values: Float32Array.from(whole, (value, index) => value * steps(index % width)),
    width,
    contact,
    ground: motion.ground === null ? null : parseGround(fields(motion.ground, 'ground')),
    floor: motion.floor === null ? 0 : real(motion.floor, 'floor')
  };
}

function parseGround(ground: Fields): IGround {
  const rows = count(ground.rows, 'rows', MOST);
  const columns = count(ground.columns, 'columns', MOST);
  const spacing = real(ground.spacing, 'spacing');
  if (rows < 2 || columns < 2 || rows * columns > MOST || spacing <= 0) {
    fail('the ground has no such size');
  }
  const whole = int16(ground.heights, rows * columns, 'heights');
  const heights = Float32Array.from(whole, value => value * LENGTH);
  return { corner: reals(ground.corner, 'corner'), spacing, rows, columns, heights };
}

function bytes(value: unknown, name: string): Uint8Array {
  const text = atob(words(value, name));
  return Uint8Array.from(text, letter => letter.charCodeAt(0));
}

function int16(value: unknown, length: number, name: string): Int16Array {
  const data = bytes(value, name);
  if (data.length !== 2 * length) {
    fail(`${name} holds ${data.length} bytes, not ${2 * length}`);
  }
  const view = new DataView(data.buffer);
  return Int16Array.from({ length }, (_, index) => view.getInt16(2 * index, true));
}

function fields(value: unknown, name: string): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : fail(`${name} is missing`);
}

function list(value: unknown, name: string, most: number): unknown[] {
  return Array.isArray(value) && value.length <= most ? value : fail(`${name} is no list`);
}

function words(value: unknown, name: string): string {
  return typeof value === 'string' ? value : fail(`${name} is no text`);
}

function real(value: unknown, name: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fail(`${name} is no number`);
}

function reals(value: unknown, name: string): number[] {
  return list(value, name, 3).map(item => real(item, name));
}

function count(value: unknown, name: string, below: number): number {
  const number = real(value, name);
  return Number.isInteger(number) && number >= 0 && number < below
    ? number
    : fail(`${name} is out of range`);
}

function fail(message: string): never {
  throw new Error(`This replay is damaged: ${message}.`);
}
