import * as three from 'three';

/** Metres of arrow for a metre a second. */
const SCALE = 0.6;
const HEAD = 0.09;
const UP = new three.Vector3(0, 0, 1);

/** A planar velocity as an arrow over the robot. */
export class VelocityArrow {
  constructor(private _above: number) {
    // Both lie along y, as three.js makes them; the group turns y into the direction.
    this._shaft = new three.Mesh(new three.CylinderGeometry(0.011, 0.011, 1, 12), this._material);
    this._head = new three.Mesh(new three.ConeGeometry(0.032, HEAD, 20), this._material);
    this.node.add(this._shaft, this._head);
  }

  readonly node = new three.Group();

  paint(colour: string): void {
    this._material.color.set(colour);
  }

  /**
   * Point along a velocity.
   *
   * @param base - The robot's base.
   * @param forward - Velocity along the base's forward axis, in m/s.
   * @param left - Velocity to its left, in m/s.
   */
  point(base: three.Object3D, forward: number, left: number): void {
    const speed = Math.hypot(forward, left);
    this.node.visible = speed > 0.02;
    const ahead = new three.Vector3(1, 0, 0).applyQuaternion(base.quaternion);
    const direction = new three.Vector3(forward, left, 0).divideScalar(Math.max(speed, 1e-6));
    direction.applyAxisAngle(UP, Math.atan2(ahead.y, ahead.x));
    this.node.quaternion.setFromUnitVectors(new three.Vector3(0, 1, 0), direction);
    this.node.position.copy(base.position).addScaledVector(UP, this._above);
    const length = Math.max(SCALE * speed - HEAD, 0.001);
    this._shaft.scale.y = length;
    this._shaft.position.y = 0.5 * length;
    this._head.position.y = length + 0.5 * HEAD;
  }

  private _material = new three.MeshBasicMaterial();
  private _shaft: three.Mesh;
  private _head: three.Mesh;
}
