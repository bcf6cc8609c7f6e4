import * as three from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';

import { VelocityArrow } from './arrow';
import type { IMotion, IReplay } from './document';
import { type IColours, groundMesh } from './ground';
import { RobotFigure } from './robot';

/** The scene of one robot on its ground, with its camera. z points up, as in the simulator. */
export class ReplayScene {
  constructor(
    private _replay: IReplay,
    canvas: HTMLCanvasElement,
    onCamera: () => void
  ) {
    this._renderer = new three.WebGLRenderer({
      canvas,
      antialias: true,
      powerPreference: 'low-power'
    });
    this._renderer.shadowMap.enabled = true;
    this._camera.up.set(0, 0, 1);
    this._sun.castShadow = true;
    this._sun.shadow.mapSize.set(1024, 1024);
    const shadow = this._sun.shadow.camera;
    [shadow.left, shadow.right, shadow.top, shadow.bottom, shadow.far] = [-1.5, 1.5, 1.5, -1.5, 12];
    this._figure = new RobotFigure(_replay);
    this._scene.add(this._figure.root, this._sky, this._sun, this._sun.target);
    this._scene.add(this._commanded.node, this._actual.node);
    this._controls = new OrbitControls(this._camera, canvas);
    this._controls.maxPolarAngle = 0.53 * Math.PI;
    this._controls.minDistance = 0.4;
    this._controls.maxDistance = 30;
    this._controls.addEventListener('change', onCamera);
  }

  /** Whether the camera moves along with the robot. */
  follow = true;

  /** Show this robot on its ground. */
  choose(motion: IMotion, colours: IColours): void {
    this._motion = motion;
    this.paint(colours);
    this.resetCamera();
  }

  /** Take other colours. */
  paint(colours: IColours): void {
    this._scene.background = new three.Color(colours.background);
    this._figure.paint(colours);
    this._sky.color.set(colours.sky);
    this._sky.groundColor.set(colours.ground);
    this._commanded.paint(colours.command);
    this._actual.paint(colours.velocity);
    if (this._ground) {
      this._scene.remove(this._ground);
      this._ground.traverse(release);
    }
    this._ground = groundMesh(this._motion!, colours);
    this._scene.add(this._ground);
  }

  /** Look at where the robot stands in frame 0, from the front left. */
  resetCamera(): void {
    this._figure.pose(this._motion!, 0);
    const at = this._figure.root.position;
    this._target.copy(at);
    this._controls.target.copy(at);
    this._camera.position.set(at.x + 1.1, at.y + 1.5, at.z + 0.75);
    this._controls.update();
  }

  /** Turn the camera about the robot, in radians; for the keyboard. */
  orbit(right: number, nearer: number): void {
    const offset = this._camera.position.clone().sub(this._controls.target);
    offset.applyAxisAngle(this._camera.up, right).multiplyScalar(nearer);
    this._camera.position.copy(this._controls.target).add(offset);
    this._controls.update();
  }

  resize(width: number, height: number): void {
    this._renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    this._renderer.setSize(width, height, false);
    this._camera.aspect = width / Math.max(height, 1);
    this._camera.updateProjectionMatrix();
  }

  /** Draw a moment, which may lie between two frames. */
  draw(frame: number): void {
    const motion = this._motion!;
    this._figure.pose(motion, frame);
    const at = this._figure.root.position;
    if (this.follow) {
      const moved = at.clone().sub(this._target);
      this._camera.position.add(moved);
      this._controls.target.add(moved);
      this._controls.update();
    }
    this._target.copy(at);
    this._sun.position.set(at.x + 1.5, at.y + 2.0, at.z + 5.0);
    this._sun.target.position.copy(at);
    const start = Math.floor(frame) * motion.width + 7 + this._replay.joints;
    const { values } = motion;
    this._commanded.point(this._figure.root, values[start], values[start + 1]);
    this._actual.point(this._figure.root, values[start + 3], values[start + 4]);
    this._renderer.render(this._scene, this._camera);
  }

  dispose(): void {
    this._controls.dispose();
    this._scene.traverse(release);
    this._renderer.dispose();
    this._renderer.forceContextLoss(); // a page has a few contexts only
  }

  private _renderer: three.WebGLRenderer;
  private _scene = new three.Scene();
  private _camera = new three.PerspectiveCamera(45, 1, 0.05, 200);
  private _controls: OrbitControls;
  private _figure: RobotFigure;
  private _sky = new three.HemisphereLight(0xffffff, 0x888888, 2.0);
  private _sun = new three.DirectionalLight(0xffffff, 1.8);
  private _commanded = new VelocityArrow(0.26);
  private _actual = new VelocityArrow(0.2);
  private _ground: three.Object3D | null = null;
  private _target = new three.Vector3();
  private _motion: IMotion | null = null;
}

function release(object: three.Object3D): void {
  if (object instanceof three.Mesh || object instanceof three.Line) {
    const { geometry, material } = object as three.Mesh<three.BufferGeometry, three.Material>;
    geometry.dispose();
    material.dispose();
  }
}
