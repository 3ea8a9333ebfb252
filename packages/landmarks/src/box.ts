import { countLandmarks, type Landmarks } from './landmarks.ts';

/** Axis-aligned rectangle in pixels; x, y is its top-left corner in pixel-centre coordinates. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Tight box of the landmarks' x and y (min to max, no padding). Unit: that of the landmarks. */
export function boxOf(shape: Landmarks): Box {
  const { points, dims } = shape;
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (let i = 0; i < countLandmarks(shape); i++) {
    left = Math.min(left, points[i * dims]);
    right = Math.max(right, points[i * dims]);
    top = Math.min(top, points[i * dims + 1]);
    bottom = Math.max(bottom, points[i * dims + 1]);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Intersection over union of two boxes, 0..1; 0 where they share nothing or both are empty. */
export function boxOverlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/** Square with the box's centre and side = scale x max(width, height). */
export function squareBox(box: Box, scale = 1): Box {
  const side = scale * Math.max(box.width, box.height);
  return {
    x: box.x + (box.width - side) / 2,
    y: box.y + (box.height - side) / 2,
    width: side,
    height: side,
  };
}
