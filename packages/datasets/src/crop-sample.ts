import {
  type Affine,
  type Box,
  CROP_DEFAULTS,
  composeAffine,
  createRandom,
  cropAffine,
  cropPixels,
  flipLandmarks,
  mirrorIndices,
  type Pixels,
  toUnit,
} from '@voxface/landmarks';
import type { Augmentation, Cover, Edge, Noise } from './augmentation.ts';
import type { Annotation, CroppedSample, Sample } from './sample.ts';

export interface CropSampleOptions {
  /** Side of the crop in pixels. */
  size: number;
  /** @default the plain crop, as prediction makes it */
  augmentation?: Augmentation;
  /** Side of the unaugmented crop over the longer side of the box. */
  cropScale?: number;
}

/**
 * Cuts a sample to the network's input: one affine map straight from the original pixels, for image and
 * landmarks together. Landmarks come out in crop unit space.
 * @example
 * ```js
 * import { cropSample } from '@voxface/datasets';
 * import { open300w } from '@voxface/datasets/node';
 *
 * const dataset = await open300w('300w/afw');
 * const { landmarks } = cropSample(await dataset.load(0), { size: 64 });
 * console.log(landmarks.points.every((value) => value > 0 && value < 1)); // => true
 * ```
 */
export function cropSample<D extends 2 | 3>(sample: Sample<D>, options: CropSampleOptions): CroppedSample<D> {
  const crop = cropOf(sample.box, options);
  return assembleCrop(sample, options, cropImage(sample.image, crop, options));
}

/** Map from image pixels to the (augmented) crop's unit space, before mirroring. */
export function cropOf(box: Box, options: CropSampleOptions): Affine {
  const { augmentation } = options;
  const cropScale = options.cropScale ?? CROP_DEFAULTS.scale;
  if (!augmentation) return cropAffine(box, { scale: cropScale });
  const { rotation, scale, shiftX, shiftY } = augmentation;
  const turned = cropAffine(box, { scale: cropScale / scale, rotation });
  return composeAffine([1, 0, 0, 1, shiftX, shiftY], turned);
}

/** The picture's part of `cropSample`: resampling, mirroring, colour gains, the covered part, noise and the picture's edge. RGB bytes [size, size, 3]. */
export function cropImage(image: Pixels, crop: Affine, options: CropSampleOptions): Uint8Array {
  const { size, augmentation } = options;
  const pixels = cropPixels(image, crop, size, augmentation?.mirrored ?? false);
  if (augmentation) applyGains(pixels, augmentation.gains);
  if (augmentation?.cover) coverPart(pixels, size, augmentation.cover);
  if (augmentation?.noise) addNoise(pixels, augmentation.noise);
  if (augmentation?.edge) blackenBeyond(pixels, size, augmentation.edge);
  return pixels;
}

/** The annotation's part of `cropSample`: landmarks and visibility, in crop unit space. */
export function assembleCrop<D extends 2 | 3>(
  annotation: Annotation<D>,
  options: CropSampleOptions,
  pixels: Uint8Array,
): CroppedSample<D> {
  const { id, scheme, visible } = annotation;
  const crop = cropOf(annotation.box, options);
  const mirrored = options.augmentation?.mirrored ?? false;
  const unit = toUnit(annotation.landmarks, crop);
  return {
    id,
    pixels,
    size: options.size,
    landmarks: mirrored ? flipLandmarks(unit, scheme, 1) : unit,
    ...(visible && {
      visible: mirrored ? Uint8Array.from(mirrorIndices(scheme), (i) => visible[i]) : visible,
    }),
    crop,
    mirrored,
  };
}

/** Multiplies each channel in place, rounding and clamping to 0..255. */
export function applyGains(pixels: Uint8Array, gains: readonly [number, number, number]): void {
  const [red, green, blue] = gains.map(gainTable);
  for (let i = 0; i < pixels.length; i += 3) {
    pixels[i] = red[pixels[i]];
    pixels[i + 1] = green[pixels[i + 1]];
    pixels[i + 2] = blue[pixels[i + 2]];
  }
}

/** Hides a rectangle of the crop, in place, under the pixels that `cover` names. */
function coverPart(pixels: Uint8Array, size: number, cover: Cover): void {
  const source = pixels.slice();
  const toPixels = (value: number): number => Math.round(value * size);
  const [left, top] = [Math.max(toPixels(cover.x), 0), Math.max(toPixels(cover.y), 0)];
  const right = Math.min(toPixels(cover.x + cover.width), size);
  const bottom = Math.min(toPixels(cover.y + cover.height), size);
  for (let y = top; y < bottom; y++) {
    const row = ((y + toPixels(cover.fromY)) % size) * size;
    for (let x = left; x < right; x++) {
      const from = 3 * (row + ((x + toPixels(cover.fromX)) % size));
      pixels.set(source.subarray(from, from + 3), 3 * (y * size + x));
    }
  }
}

/** Adds normal noise in place, rounding and clamping to 0..255. */
function addNoise(pixels: Uint8Array, { deviation, seed }: Noise): void {
  const random = createRandom(seed);
  const clamped = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
  for (let i = 0; i < clamped.length; i++) clamped[i] += deviation * random.normal();
}

/** Blackens, in place, the pixels whose centres lie beyond a line. */
function blackenBeyond(pixels: Uint8Array, size: number, { angle, distance }: Edge): void {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  for (let y = 0; y < size; y++) {
    const down = ((y + 0.5) / size - 0.5) * sin;
    for (let x = 0; x < size; x++) {
      const at = 3 * (y * size + x);
      if (((x + 0.5) / size - 0.5) * cos + down > distance) pixels.fill(0, at, at + 3);
    }
  }
}

function gainTable(gain: number): Uint8ClampedArray {
  return Uint8ClampedArray.from({ length: 256 }, (_, value) => value * gain);
}
