import {
  boxOf,
  centerDepth,
  cropAffine,
  type Landmarks,
  type Pixels,
  transformLandmarks,
} from '@voxface/landmarks';
import { createRaster } from './rasterize.ts';
import { samplePixels } from './sample-pixels.ts';

/**
 * Cuts a square around a face: centre of the landmark box, twice its longer side; photos end in a mirrored margin.
 * @param size side of the result, pixels; never enlarges the photo.
 */
export function cutFace(
  image: Pixels,
  landmarks: Landmarks<3>,
  size: number,
): { image: Pixels; landmarks: Landmarks<3> } {
  const crop = cropAffine(boxOf(landmarks), { scale: 2 });
  const side = 1 / crop[0];
  const pixels = Math.max(16, Math.min(size, Math.round(side)));
  const raster = createRaster(pixels);
  raster.depth.fill(0);
  const step = side / pixels;
  for (let at = 0; at < pixels * pixels; at++) {
    raster.values[2 * at] = (((at % pixels) + 0.5) / pixels - crop[4]) * side;
    raster.values[2 * at + 1] = ((Math.floor(at / pixels) + 0.5) / pixels - crop[5]) * side;
  }
  const data = samplePixels(image, raster, step);
  const unit = transformLandmarks(landmarks, crop);
  const points = Float32Array.from(unit.points, (value, i) => value * pixels - (i % 3 === 2 ? 0 : 0.5));
  return {
    image: { data, width: pixels, height: pixels, channels: 3 },
    landmarks: centerDepth({ points, dims: 3 }),
  };
}
