import { checkLandmarks, countLandmarks, describeValue, type Landmarks } from './landmarks.ts';

/** Axis-aligned rectangle in pixels; x, y is its top-left corner in pixel-centre coordinates. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Tight box of the landmarks' x and y (min to max, no padding). Unit: that of the landmarks.
 * @example
 * ```js
 * import { boxOf, createLandmarks } from '@voxface/landmarks';
 *
 * const { x, y, width, height } = boxOf(createLandmarks([10, 20, 40, 60], 2));
 * console.log(x, y, width, height); // => 10 20 30 40
 * ```
 */
export function boxOf(shape: Landmarks): Box {
  const { points, dims } = checkLandmarks(shape, 'boxOf');
  const n = countLandmarks(shape);
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < n; i++) {
    left = Math.min(left, points[i * dims]);
    right = Math.max(right, points[i * dims]);
    top = Math.min(top, points[i * dims + 1]);
    bottom = Math.max(bottom, points[i * dims + 1]);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/**
 * The one door for boxes: four numbers; whether they are finite and positive is the caller's rule.
 * @internal
 * @throws TypeError for anything else.
 */
export function checkBox(box: Box, caller: string): Box {
  const { x, y, width, height } = (box ?? {}) as Partial<Box>;
  if ([x, y, width, height].some((value) => typeof value !== 'number')) {
    throw new TypeError(
      `${caller}: the box must be { x, y, width, height } in pixels, got ${describeValue(box)} (take it from a detector, or boxOf of landmarks)`,
    );
  }
  return box;
}

/**
 * Intersection over union of two boxes, 0..1; 0 where they share nothing or both are empty.
 * @example
 * ```js
 * import { boxOverlap } from '@voxface/landmarks';
 *
 * const square = { x: 0, y: 0, width: 10, height: 10 };
 * console.log(boxOverlap(square, { ...square, x: 5 }).toFixed(3)); // => 0.333
 * ```
 */
export function boxOverlap(a: Box, b: Box): number {
  checkBox(a, 'boxOverlap');
  checkBox(b, 'boxOverlap');
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Square with the box's centre and side = scale x max(width, height). */
export function squareBox(box: Box, scale = 1): Box {
  checkBox(box, 'squareBox');
  const side = scale * Math.max(box.width, box.height);
  return {
    x: box.x + (box.width - side) / 2,
    y: box.y + (box.height - side) / 2,
    width: side,
    height: side,
  };
}
