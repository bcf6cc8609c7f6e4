import * as three from 'three';

import type { IGround, IMotion } from './document';

/** Colours of a scene, as CSS writes them. */
export interface IColours {
  background: string;
  sky: string;
  ground: string;
  line: string;
  body: string;
  limb: string;
  foot: string;
  contact: string;
  command: string;
  velocity: string;
}

/** Flat ground is drawn this far around the way, in metres. */
const MARGIN = 4;

/** The ground of a robot's way: its heights, or a plane with lines half a metre apart. */
export function groundMesh(motion: IMotion, colours: IColours): three.Object3D {
  return motion.ground ? heights(motion.ground, colours) : plane(motion, colours);
}

function heights(ground: IGround, colours: IColours): three.Object3D {
  const { rows, columns, spacing, corner } = ground;
  const positions = new Float32Array(rows * columns * 3);
  for (let index = 0; index < rows * columns; index++) {
    positions[3 * index] = corner[0] + spacing * (index % columns);
    positions[3 * index + 1] = corner[1] + spacing * Math.floor(index / columns);
    positions[3 * index + 2] = ground.heights[index];
  }
  const triangles: number[] = [];
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      triangles.push(at, at + 1, at + columns, at + 1, at + columns + 1, at + columns);
    }
  }
  const geometry = new three.BufferGeometry();
  geometry.setAttribute('position', new three.BufferAttribute(positions, 3));
  geometry.setIndex(triangles);
  geometry.computeVertexNormals();
  // Flat shading keeps the edges of steps.
  const material = new three.MeshStandardMaterial({
    color: colours.ground,
    roughness: 1,
    flatShading: true,
    side: three.DoubleSide
  });
  const mesh = new three.Mesh(geometry, material);
  mesh.receiveShadow = true;
  return mesh;
}

function plane(motion: IMotion, colours: IColours): three.Object3D {
  const box = new three.Box2();
  for (let frame = 0; frame < motion.frames; frame++) {
    const at = frame * motion.width;
    box.expandByPoint(new three.Vector2(motion.values[at], motion.values[at + 1]));
  }
  const size = Math.ceil(Math.max(box.max.x - box.min.x, box.max.y - box.min.y)) + 2 * MARGIN;
  const centre = box.getCenter(new three.Vector2()).round();
  const material = new three.MeshStandardMaterial({
    color: colours.ground,
    roughness: 1,
    polygonOffset: true, // behind the lines that lie on it
    polygonOffsetFactor: 2,
    polygonOffsetUnits: 2
  });
  const floor = new three.Mesh(new three.PlaneGeometry(size, size), material);
  floor.receiveShadow = true;
  const grid = new three.GridHelper(size, 2 * size, colours.line, colours.line);
  grid.rotation.x = 0.5 * Math.PI;
  grid.position.z = 0.002;
  const group = new three.Group();
  group.add(floor, grid);
  group.position.set(centre.x, centre.y, motion.floor);
  return group;
}
