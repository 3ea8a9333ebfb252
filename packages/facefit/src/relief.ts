// Design. The photo becomes a relief: a grid of 120 x 120 points at the fitted depth, which turns with the head and is drawn by a
// z-buffer. Fit and drawing take 42 ms of processor time per image of 256 px (409 s for 9653, docs/facefit.md).
//
// Tried before and lost, judged by eye on contact sheets: an outline read off the grid in whole cells, whose steps put now hair, now
// background into the colours of the skull; it is now measured in half cells in 120 directions, the smallest of 7 neighbours, the
// mean over 13. Colours of the skull taken at 0.93 of the way to the outline caught the background behind short hair, 0.85 seldom does
// (skull.ts). What is still wrong beyond 60 degrees stands in docs/facefit.md.

import { boxOf } from '@voxface/landmarks';
import { type FaceModel, reconstructVertices } from './face-model.ts';
import type { FaceFit } from './fit-face.ts';
import { createRaster, rasterize } from './raster.ts';
import { createSkull } from './skull.ts';

/** Cells per side of the grid. */
const CELLS = 120;
/** Side of the grid over the longer side of the landmark box. */
const REACH = 3.2;
/** Around the head, in box sides: ears turn with it; hair up to STRIP wraps around its back; then BAND ties it to the background. */
const EARS = 0.05;
const STRIP = 0.15;
const BAND = 0.45;
/** How far a landmark bends the head's depth with it, in box sides. */
const BEND = 0.05;

/** A photo as a relief: a grid of points at the fitted depth, from the face to the background, and the back of the skull. Yaw has no part in it. */
export interface Relief {
  /** [p, 2] where each point is in the photo, pixels. */
  readonly source: Float32Array;
  /** [p, 3] points relative to the pivot, camera axes, pixels. */
  readonly points: Float32Array;
  /** [p] share of the head's turn that the point takes part in: 1 on the head, 0 in the background. */
  readonly share: Float32Array;
  /** [p] 0 on the head .. 1 at the outer edge of the strip that wraps around the back of the head. */
  readonly wrap: Float32Array;
  /** Pixels: where the axis of the turn stands. */
  readonly pivot: readonly [number, number, number];
  /** Pixels: depth of the head behind its axis. */
  readonly backDepth: number;
  readonly triangles: Uint32Array;
}

/**
 * Lays the fitted head over the photo, reads its depth on a grid and continues it outward: a strip around the head
 * belongs to the hair and will wrap around the back of the head, a band beyond it ties the head to the background,
 * which stays where it is ("anchors" of Zhu et al., CVPR 2016). Below the chin the neck takes part less and less.
 */
export function createRelief(model: FaceModel, fit: FaceFit): Relief {
  const { rotation: r, scale, translation } = fit;
  const box = boxOf(fit.landmarks);
  const boxSide = Math.max(box.width, box.height);
  const span = REACH * boxSide;
  const cell = span / CELLS;
  const left = box.x + box.width / 2 - span / 2;
  const top = box.y + box.height / 2 - span / 2;
  const side = CELLS + 1;
  const used = usedVertices(model);
  const vertices = reconstructVertices(model, fit.identity, fit.expression, used);
  const bend = createBend(fit, BEND * boxSide);
  const onGrid = new Float32Array(used * 3);
  for (let i = 0; i < used; i++) {
    const [x, y, z] = [vertices[3 * i], vertices[3 * i + 1], vertices[3 * i + 2]];
    onGrid[3 * i] = (scale * (r[0] * x + r[1] * y + r[2] * z) + translation[0] - left) / cell;
    onGrid[3 * i + 1] = (scale * (r[3] * x + r[4] * y + r[5] * z) + translation[1] - top) / cell;
    onGrid[3 * i + 2] = scale * (r[6] * x + r[7] * y + r[8] * z) - fit.depthOrigin;
    onGrid[3 * i + 2] += bend(onGrid[3 * i] * cell + left, onGrid[3 * i + 1] * cell + top, onGrid[3 * i + 2]);
  }
  const raster = createRaster(side);
  rasterize(raster, onGrid, model.triangles);
  const pivot = headAxis(model, fit, vertices);
  pivot[2] += bend(...pivot);
  const inside = Uint8Array.from(raster.depth, (depth) => (depth === Infinity ? 0 : 1));
  const nearest = nearestInside(inside, side);
  const depth = extendDepth(raster.depth, nearest, side);
  const chin = chinLine(fit);
  const source = new Float32Array(side * side * 2);
  const points = new Float32Array(side * side * 3);
  const share = new Float32Array(side * side);
  const wrap = new Float32Array(side * side);
  for (let at = 0; at < side * side; at++) {
    const column = at % side;
    const row = Math.floor(at / side);
    const x = left + column * cell;
    const y = top + row * cell;
    const edge = nearest[at];
    const gap = edge < 0 ? Infinity : Math.hypot((edge % side) - column, Math.floor(edge / side) - row);
    const distance = (gap * cell) / boxSide;
    source[2 * at] = x;
    source[2 * at + 1] = y;
    const below = Math.max(0, (x - chin.x) * chin.downX + (y - chin.y) * chin.downY) / boxSide;
    const neck = 1 - smoothStep(below / 0.45);
    share[at] = (1 - smoothStep((distance - STRIP) / BAND)) * neck;
    wrap[at] = Math.min(1, Math.max(0, (distance - EARS) / (STRIP - EARS))) * (1 - smoothStep(below / 0.4));
    points[3 * at] = x - pivot[0];
    points[3 * at + 1] = y - pivot[1];
    points[3 * at + 2] = depth[at] - pivot[2];
  }
  const radius = headRadius(model, fit);
  const fromPivot = new Float32Array(used * 3);
  for (let i = 0; i < used; i++) {
    fromPivot[3 * i] = onGrid[3 * i] * cell + left - pivot[0];
    fromPivot[3 * i + 1] = onGrid[3 * i + 1] * cell + top - pivot[1];
    fromPivot[3 * i + 2] = onGrid[3 * i + 2] - pivot[2];
  }
  // The middle of the head lies above the line between the ears' jaw ends.
  const middle: [number, number] = [pivot[0] - 0.65 * radius * r[1], pivot[1] - 0.65 * radius * r[4]];
  const outline = smoothOutline((x, y) => {
    let reach = 0;
    for (; reach < span; reach += cell / 2) {
      const column = Math.round((middle[0] + x * reach - left) / cell);
      const row = Math.round((middle[1] + y * reach - top) / cell);
      if (column < 0 || row < 0 || column >= side || row >= side || !inside[row * side + column]) break;
    }
    return reach;
  });
  const skull = createSkull(model, { rotation: r, vertices: fromPivot, outline, middle, radius });
  const total = side * side + skull.points.length / 3;
  return {
    source: join(source, skull.source, 2 * total),
    points: join(points, skull.points, 3 * total),
    share: join(share, new Float32Array(skull.points.length / 3).fill(1), total),
    wrap: join(wrap, [], total),
    pivot,
    backDepth: 1.1 * radius,
    triangles: joinTriangles(skull.triangles, side),
  };
}

/**
 * How far to move a point of the head in depth so that the relief passes through the landmarks of the fit, where those are not
 * the model's own (labels of another face model): what is turned and what the landmarks say then agree. The landmarks'
 * differences weighed by a Gaussian of the distance in space.
 * @param reach its deviation, pixels.
 */
function createBend(fit: FaceFit, reach: number): (x: number, y: number, z: number) => number {
  const { points } = fit.landmarks;
  const own = fit.modelLandmarks.points;
  const differences = Array.from({ length: 68 }, (_, i) => points[3 * i + 2] - own[3 * i + 2]);
  if (differences.every((difference) => Math.abs(difference) < 1e-3)) return () => 0;
  const distances = new Float64Array(68);
  return (x, y, z) => {
    let nearest = Infinity;
    for (let i = 0; i < 68; i++) {
      distances[i] = (x - own[3 * i]) ** 2 + (y - own[3 * i + 1]) ** 2 + (z - own[3 * i + 2]) ** 2;
      nearest = Math.min(nearest, distances[i]);
    }
    let sum = 0;
    let total = 0;
    for (let i = 0; i < 68; i++) {
      // Relative to the nearest landmark: far from all of them its difference holds.
      const weight = Math.exp((nearest - distances[i]) / (2 * reach * reach));
      sum += weight * differences[i];
      total += weight;
    }
    return sum / total;
  };
}

function join(head: ArrayLike<number>, tail: ArrayLike<number>, length: number): Float32Array {
  const joined = new Float32Array(length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

/** Midpoint between the ears' jaw ends, in the photo: the turn's axis passes here. */
function headAxis(model: FaceModel, fit: FaceFit, vertices: Float32Array): [number, number, number] {
  const { rotation: r, scale, translation } = fit;
  const middle = [0, 1, 2].map(
    (axis) => (vertices[3 * model.landmarks[0] + axis] + vertices[3 * model.landmarks[16] + axis]) / 2,
  );
  return [
    scale * (r[0] * middle[0] + r[1] * middle[1] + r[2] * middle[2]) + translation[0],
    scale * (r[3] * middle[0] + r[4] * middle[1] + r[5] * middle[2]) + translation[1],
    scale * (r[6] * middle[0] + r[7] * middle[1] + r[8] * middle[2]) - fit.depthOrigin,
  ];
}

/** Half the distance between the ears' jaw ends, pixels. */
function headRadius(model: FaceModel, fit: FaceFit): number {
  const [a, b] = [3 * model.landmarks[0], 3 * model.landmarks[16]];
  return (fit.scale * Math.abs(model.mean[a] - model.mean[b])) / 2;
}

/** The chin and the direction from the nose bridge to it, in the photo. */
function chinLine(fit: FaceFit): { x: number; y: number; downX: number; downY: number } {
  const { points } = fit.landmarks;
  const [x, y] = [points[24], points[25]];
  const downX = fit.rotation[1];
  const downY = fit.rotation[4];
  const length = Math.hypot(downX, downY) || 1;
  return { x, y, downX: downX / length, downY: downY / length };
}

const counts = new WeakMap<FaceModel, number>();

/** Vertices up to the last one that a triangle or landmark uses. */
function usedVertices(model: FaceModel): number {
  let count = counts.get(model);
  if (count === undefined) {
    const last = (list: Uint32Array): number => list.reduce((most, index) => Math.max(most, index), 0);
    count = Math.max(last(model.triangles), last(model.landmarks)) + 1;
    counts.set(model, count);
  }
  return count;
}

function smoothStep(t: number): number {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * clamped * (3 - 2 * clamped);
}

/**
 * Depth of the nearest inside cell, smoothed outside.
 * @param nearest of each cell, the inside cell next to it; -1 where there is none.
 */
function extendDepth(depth: Float32Array, nearest: Int32Array, side: number): Float32Array {
  let current = Float32Array.from(depth, (_, at) => (nearest[at] < 0 ? 0 : depth[nearest[at]]));
  for (let pass = 0; pass < 12; pass++) {
    const next = Float32Array.from(current);
    for (let y = 1; y < side - 1; y++) {
      for (let x = 1; x < side - 1; x++) {
        const at = y * side + x;
        if (nearest[at] === at) continue;
        next[at] = (current[at - 1] + current[at + 1] + current[at - side] + current[at + side]) / 4;
      }
    }
    current = next;
  }
  return current;
}

/**
 * The grid's triangles, then the skull's, whose points follow the grid's.
 * @param side points per side of the grid.
 */
function joinTriangles(skull: Uint32Array, side: number): Uint32Array {
  const grid = (side - 1) * (side - 1) * 6;
  const triangles = new Uint32Array(grid + skull.length);
  let at = 0;
  for (let y = 0; y < side - 1; y++) {
    for (let x = 0; x < side - 1; x++) {
      const a = y * side + x;
      triangles[at++] = a;
      triangles[at++] = a + 1;
      triangles[at++] = a + side;
      triangles[at++] = a + 1;
      triangles[at++] = a + side + 1;
      triangles[at++] = a + side;
    }
  }
  for (let i = 0; i < skull.length; i++) triangles[grid + i] = skull[i] + side * side;
  return triangles;
}

/**
 * For every cell of a square grid the index of the nearest cell that is inside (itself when inside), by two sweeps of
 * nearest-neighbour propagation (Danielsson's 8SED); near-exact, which is all that a smooth extension needs.
 * @param inside [size, size], non-zero inside.
 * @returns [size, size] cell indices, -1 when nothing is inside.
 */
function nearestInside(inside: ArrayLike<number>, size: number): Int32Array {
  const nearest = new Int32Array(size * size);
  for (let at = 0; at < nearest.length; at++) nearest[at] = inside[at] ? at : -1;
  const distance = (at: number, x: number, y: number): number => {
    if (at < 0) return 1e9;
    const row = (at / size) | 0;
    const dx = at - row * size - x;
    const dy = row - y;
    return dx * dx + dy * dy;
  };
  const relax = (x: number, y: number, dx: number, dy: number): void => {
    const at = y * size + x;
    if (nearest[at] === at) return;
    const fromX = x + dx;
    const fromY = y + dy;
    if (fromX < 0 || fromY < 0 || fromX >= size || fromY >= size) return;
    const candidate = nearest[fromY * size + fromX];
    if (distance(candidate, x, y) < distance(nearest[at], x, y)) nearest[at] = candidate;
  };
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      relax(x, y, -1, 0);
      relax(x, y, 0, -1);
      relax(x, y, -1, -1);
      relax(x, y, 1, -1);
    }
    for (let x = size - 1; x >= 0; x--) relax(x, y, 1, 0);
  }
  for (let y = size - 1; y >= 0; y--) {
    for (let x = size - 1; x >= 0; x--) {
      relax(x, y, 1, 0);
      relax(x, y, 0, 1);
      relax(x, y, 1, 1);
      relax(x, y, -1, 1);
    }
    for (let x = 0; x < size; x++) relax(x, y, -1, 0);
  }
  return nearest;
}

/** Directions in which the outline is measured. */
const DIRECTIONS = 120;
/** Directions to each side whose smallest reach counts, then over how many the reach is averaged. */
const NARROW = 3;
const AVERAGE = 6;

/**
 * An outline without the steps of the grid it was measured on, nowhere outside the measured one by more than the
 * averaging makes it: neighbouring directions end on the same thing in the photo, hair and not now hair, now background.
 * @param measure distance from the middle to the outline along a unit direction of the photo, pixels.
 * @returns the same for any direction.
 */
function smoothOutline(measure: (x: number, y: number) => number): (x: number, y: number) => number {
  const turn = (2 * Math.PI) / DIRECTIONS;
  const around = (values: readonly number[], k: number, width: number): number[] =>
    Array.from({ length: 2 * width + 1 }, (_, i) => values[(k + i - width + DIRECTIONS) % DIRECTIONS]);
  const measured = Array.from({ length: DIRECTIONS }, (_, k) =>
    measure(Math.cos(k * turn), Math.sin(k * turn)),
  );
  const narrow = measured.map((_, k) => Math.min(...around(measured, k, NARROW)));
  const smooth = narrow.map(
    (_, k) => around(narrow, k, AVERAGE).reduce((sum, value) => sum + value) / (2 * AVERAGE + 1),
  );
  return (x, y) => {
    const at = Math.atan2(y, x) / turn + DIRECTIONS;
    const k = Math.floor(at);
    const part = at - k;
    return (1 - part) * smooth[k % DIRECTIONS] + part * smooth[(k + 1) % DIRECTIONS];
  };
}
