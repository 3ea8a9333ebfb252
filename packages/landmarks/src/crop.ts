import { type Affine, invertAffine, transformLandmarks } from './affine.ts';
import { type Box, squareBox } from './box.ts';
import { centerDepth, type Landmarks } from './landmarks.ts';

export interface CropOptions {
  /** Side of the crop over max(width, height) of the landmark box. */
  scale?: number;
  /** In-plane rotation of the content about the crop's centre, degrees, clockwise on screen (y is down). */
  rotation?: number;
}

/** The crop rule of the house: square, centre of the landmark box, 1.25 times its longer side. */
export const CROP_DEFAULTS: Required<CropOptions> = { scale: 1.25, rotation: 0 };

/**
 * The one definition of the crop: the map from image pixels to crop unit space, where x and y run from 0 to 1
 * across the crop's edges. Pixel i of a crop of `size` pixels has its centre at u = (i + 0.5) / size.
 * @param box landmark (or detector) box in image pixels.
 * @throws RangeError when the box has no positive, finite size.
 */
export function cropAffine(box: Box, options: CropOptions = {}): Affine {
  const scale = options.scale ?? CROP_DEFAULTS.scale;
  const rotation = options.rotation ?? CROP_DEFAULTS.rotation;
  const square = squareBox(box, scale);
  if (!(square.width > 0 && Number.isFinite(square.width + square.x + square.y))) {
    throw new RangeError(
      `cropAffine: expected a box with positive finite size, got ${JSON.stringify(box)} times ${scale}`,
    );
  }
  const radians = (rotation * Math.PI) / 180;
  const cos = Math.cos(radians) / square.width;
  const sin = Math.sin(radians) / square.width;
  const centerX = square.x + square.width / 2;
  const centerY = square.y + square.height / 2;
  return [cos, sin, -sin, cos, 0.5 - cos * centerX + sin * centerY, 0.5 - sin * centerX - cos * centerY];
}

/** Image pixels to crop unit space: x, y by the crop's map, z in crop sides with zero mean. */
export function toUnit<D extends 2 | 3>(shape: Landmarks<D>, crop: Affine): Landmarks<D> {
  const unit = transformLandmarks(shape, crop);
  return unit.dims === 3 ? (centerDepth(unit as Landmarks<3>) as Landmarks<D>) : unit;
}

/** Crop unit space back to image pixels; z becomes pixels with zero mean. */
export function fromUnit<D extends 2 | 3>(unit: Landmarks<D>, crop: Affine): Landmarks<D> {
  const shape = transformLandmarks(unit, invertAffine(crop));
  return shape.dims === 3 ? (centerDepth(shape as Landmarks<3>) as Landmarks<D>) : shape;
}
