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
