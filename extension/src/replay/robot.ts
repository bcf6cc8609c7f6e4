import * as three from 'three';

import type { IMotion, IReplay, IShape } from './document';
import type { IColours } from './ground';

const ROD_RADIUS = 0.012;

/** The robot's bodies as a tree of joints; a frame's angles turn them. */
export class RobotFigure {
  constructor(private _replay: IReplay) {
    for (const body of _replay.bodies) {
      const group = new three.Group();
      group.position.fromArray(body.at);
      group.name = body.name;
      const material = new three.MeshStandardMaterial({ roughness: 0.6, metalness: 0.1 });
      for (const shape of body.shapes) {
        group.add(makeShape(shape, material));
      }
      this._materials.push(material);
      this._groups.push(group);
      this._axes.push(new three.Vector3().fromArray(body.axis));
      if (body.parent !== null) {
        this._groups[body.parent].add(group);
        // Collision shapes leave gaps at the joints; a rod from joint to joint closes those of the legs.
        if (_replay.bodies[body.parent].parent !== null) {
          this._groups[body.parent].add(makeRod(group.position, this._materials[body.parent]));
        }
      }
    }
    this.root = this._groups[0];
  }

  readonly root: three.Group;

  paint(colours: IColours): void {
    this._colours = colours;
    this._replay.bodies.forEach((body, index) => {
      const foot = this._replay.feet.includes(index);
      this._materials[index].color.set(
        foot ? colours.foot : body.parent === null ? colours.body : colours.limb
      );
    });
  }

  /** Take the pose of a moment, between two frames by interpolation; feet on the ground take their own colour. */
  pose(motion: IMotion, moment: number): void {
    const { values, width, frames } = motion;
    const before = Math.min(Math.floor(moment), frames - 1);
    const after = Math.min(before + 1, frames - 1);
    const share = Math.min(moment - before, 1);
    const from = before * width;
    const to = after * width;
    const between = (column: number): number =>
      values[from + column] + share * (values[to + column] - values[from + column]);

    this.root.position.set(between(0), between(1), between(2));
    this.root.quaternion.fromArray(values, from + 3).normalize();
    this.root.quaternion.slerp(this._next.fromArray(values, to + 3).normalize(), share);
    this._replay.bodies.forEach((body, index) => {
      if (body.joint !== null) {
        this._groups[index].quaternion.setFromAxisAngle(this._axes[index], between(7 + body.joint));
      }
    });
    if (this._colours) {
      const { contact, foot } = this._colours;
      this._replay.feet.forEach((index, bit) => {
        const down = (motion.contact[before] >> bit) & 1;
        this._materials[index].color.set(down ? contact : foot);
      });
    }
  }

  private _groups: three.Group[] = [];
  private _axes: three.Vector3[] = [];
  private _materials: three.MeshStandardMaterial[] = [];
  private _next = new three.Quaternion();
  private _colours: IColours | null = null;
}

function makeRod(to: three.Vector3, material: three.Material): three.Mesh {
  const length = to.length();
  const rod = new three.Mesh(new three.CapsuleGeometry(ROD_RADIUS, length, 4, 12), material);
  rod.position.copy(to).multiplyScalar(0.5);
  rod.quaternion.setFromUnitVectors(new three.Vector3(0, 1, 0), to.clone().normalize());
  rod.castShadow = true;
  return rod;
}

function makeShape(shape: IShape, material: three.Material): three.Mesh {
  const [x, y, z] = shape.size;
  const geometry =
    shape.kind === 'box'
      ? new three.BoxGeometry(x, y, z)
      : shape.kind === 'sphere'
        ? new three.SphereGeometry(x, 24, 16)
        : new three.CapsuleGeometry(x, y, 6, 16).rotateX(0.5 * Math.PI); // three's lies along y
  const mesh = new three.Mesh(geometry, material);
  mesh.position.fromArray(shape.at);
  mesh.rotation.y = shape.pitch;
  mesh.castShadow = true;
  return mesh;
}
