import type { FaceModel } from './face-model.ts';

/** The part of the head that the photo does not show, with the place in the photo that lends it its colour. */
interface Skull {
  /** [k, 3] camera axes, relative to the pivot, pixels. */
  readonly points: Float32Array;
  /** [k, 2] photo pixels. */
  readonly source: Float32Array;
  /** [t, 3] indices into `points`. */
  readonly triangles: Uint32Array;
}

/** What `createSkull` reads of the relief under construction. */
interface SkullFrame {
  /** Row-major [9], head axes to camera axes. */
  readonly rotation: ArrayLike<number>;
  /** [v, 3] vertices in camera axes, relative to the pivot, pixels. */
  readonly vertices: Float32Array;
  /** Distance in pixels from the middle of the head to its outline in the photo, along a direction of the photo. */
  readonly outline: (x: number, y: number) => number;
  /** Middle of the head in the photo, pixels. */
  readonly middle: readonly [number, number];
  /** Half the width of the head, pixels. */
  readonly radius: number;
}

/** Share of the way from the middle of the head to its outline where colours are taken: inside the hair line. */
const INWARD = 0.85;
/** Keeps the skull inside the ears and the hair that the photo shows. */
const NARROWER = 0.95;
/** How far, as a share of the angle behind the ears, colours come from higher up on the outline. */
const LIFT = 0.75;

/**
 * The back of the skull: the head's triangles behind the ears and above the jaw. A vertex takes its colour from the
 * outline of the head in the photo, the higher up the farther back it lies: there is hair, not ear.
 */
export function createSkull(model: FaceModel, frame: SkullFrame): Skull {
  const { rotation: r, vertices, outline, middle, radius } = frame;
  const count = vertices.length / 3;
  const index = new Int32Array(count).fill(-1);
  const points: number[] = [];
  const source: number[] = [];
  const triangles: number[] = [];
  const headOf = (vertex: number): [number, number, number] => {
    const [x, y, z] = [vertices[3 * vertex], vertices[3 * vertex + 1], vertices[3 * vertex + 2]];
    return [r[0] * x + r[3] * y + r[6] * z, r[1] * x + r[4] * y + r[7] * z, r[2] * x + r[5] * y + r[8] * z];
  };
  const add = (vertex: number): number => {
    if (index[vertex] >= 0) return index[vertex];
    const [headX, headY, headZ] = headOf(vertex);
    // Polar angle on the outline, 0 at the crown, growing toward the ear on the vertex's own side.
    const rise = headY - 0.35 * radius + radius;
    const behind = Math.atan2(Math.max(0, headZ), Math.abs(headX) + 1e-6);
    const polar = Math.atan2(Math.abs(headX) + Math.max(0, headZ) * 0.3, -rise);
    const angle = Math.sign(headX || 1) * polar * (1 - LIFT * (behind / (Math.PI / 2)));
    const headDirection = [Math.sin(angle), -Math.cos(angle)];
    const dx = r[0] * headDirection[0] + r[1] * headDirection[1];
    const dy = r[3] * headDirection[0] + r[4] * headDirection[1];
    const length = Math.hypot(dx, dy) || 1;
    const reach = INWARD * outline(dx / length, dy / length);
    source.push(middle[0] + (dx / length) * reach, middle[1] + (dy / length) * reach);
    index[vertex] = points.length / 3;
    const narrower = (NARROWER - 1) * headX;
    points.push(
      vertices[3 * vertex] + narrower * r[0],
      vertices[3 * vertex + 1] + narrower * r[3],
      vertices[3 * vertex + 2] + narrower * r[6],
    );
    return index[vertex];
  };
  const within = (vertex: number): boolean => {
    const [x, y, z] = headOf(vertex);
    const ear = Math.abs(x) > 1.06 * radius && z < 0.7 * radius && y > -0.6 * radius;
    return z > 0 && y < 0.75 * radius && !ear;
  };
  const taken = new Uint8Array(count);
  for (let vertex = 0; vertex < count; vertex++) taken[vertex] = within(vertex) ? 1 : 0;
  const { triangles: all } = model;
  for (let t = 0; t < all.length; t += 3) {
    if (taken[all[t]] && taken[all[t + 1]] && taken[all[t + 2]]) {
      triangles.push(add(all[t]), add(all[t + 1]), add(all[t + 2]));
    }
  }
  return {
    points: Float32Array.from(points),
    source: Float32Array.from(source),
    triangles: Uint32Array.from(triangles),
  };
}
