import { type Affine, affineScale, invertAffine, transformLandmarks } from './affine.ts';
import { type Box, checkBox, squareBox } from './box.ts';
import { centerDepth, checkLandmarks, describeValue, type Landmarks, typeOf } from './landmarks.ts';

export interface CropOptions {
  /** Side of the crop over max(width, height) of the landmark box. @default 1.25 */
  scale?: number;
  /**
   * In-plane rotation of the content about the crop's centre, degrees, clockwise on screen (y is down).
   * @default 0
   */
  rotation?: number;
}

/** The crop rule of the house: square, centre of the landmark box, 1.25 times its longer side. */
export const CROP_DEFAULTS: Required<CropOptions> = { scale: 1.25, rotation: 0 };

/**
 * The one definition of the crop: the map from image pixels to crop unit space, where x and y run from 0 to 1
 * across the crop's edges. Pixel i of a crop of `size` pixels has its centre at u = (i + 0.5) / size.
 * @param box landmark (or detector) box in image pixels.
 * @throws RangeError when the box has no positive, finite size.
 * @example
 * ```js
 * import { cropAffine, createLandmarks, transformLandmarks } from '@voxface/landmarks';
 *
 * const crop = cropAffine({ x: 100, y: 60, width: 80, height: 100 });
 * const centre = transformLandmarks(createLandmarks([140, 110], 2), crop);
 * console.log(...centre.points.map((value) => Math.round(value * 100) / 100)); // => 0.5 0.5
 * ```
 */
export function cropAffine(box: Box, options: CropOptions = {}): Affine {
  const scale = options.scale ?? CROP_DEFAULTS.scale;
  const rotation = options.rotation ?? CROP_DEFAULTS.rotation;
  const square = squareBox(checkBox(box, 'cropAffine'), scale);
  if (
    !(
      box.width > 0 &&
      box.height > 0 &&
      square.width > 0 &&
      Number.isFinite(square.width + square.x + square.y)
    )
  ) {
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
  const unit = transformLandmarks(checkLandmarks(shape, 'toUnit'), crop);
  return unit.dims === 3 ? (centerDepth(unit as Landmarks<3>) as Landmarks<D>) : unit;
}

/** Crop unit space back to image pixels; z becomes pixels with zero mean. */
export function fromUnit<D extends 2 | 3>(unit: Landmarks<D>, crop: Affine): Landmarks<D> {
  const shape = transformLandmarks(checkLandmarks(unit, 'fromUnit'), invertAffine(crop));
  return shape.dims === 3 ? (centerDepth(shape as Landmarks<3>) as Landmarks<D>) : shape;
}

/**
 * Resamples a picture into a square crop by one affine map straight from the original pixels; training and
 * prediction both call it. Bilinear; where the crop shrinks the picture, each crop pixel is the mean of
 * k x k bilinear samples spread over its own area (k = ceil of the shrink factor, at most 8).
 * Outside the picture is black.
 * @param crop map from image pixels to crop unit space, see `cropAffine`.
 * @param size side of the crop in pixels.
 * @param mirrored true mirrors the crop left to right.
 * @returns RGB bytes [size, size, 3].
 * @example
 * ```js
 * import { cropAffine, cropPixels } from '@voxface/landmarks';
 *
 * const image = { data: new Uint8Array(320 * 240 * 3), width: 320, height: 240, channels: 3 };
 * const crop = cropPixels(image, cropAffine({ x: 100, y: 60, width: 80, height: 100 }), 64);
 * console.log(crop.length); // => 12288
 * ```
 */
export function cropPixels(image: Pixels, crop: Affine, size: number, mirrored = false): Uint8Array {
  checkPixels(image, 'cropPixels');
  const [a, b, c, d, tx, ty] = invertAffine(crop);
  const taps = cropTaps(crop, size);
  const weight = 1 / (taps * taps);
  const { data, width, height, channels } = image;
  const stride = width * channels;
  const output = new Uint8Array(size * size * 3);
  const sum = new Float64Array(3);
  const tapX = a / (taps * size);
  const tapY = b / (taps * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let i = 0; i < taps; i++) {
        const v = (row + (i + 0.5) / taps) / size;
        const u = (column + 0.5 / taps) / size;
        let x = a * u + c * v + tx;
        let y = b * u + d * v + ty;
        for (let j = 0; j < taps; j++, x += tapX, y += tapY) {
          const left = Math.floor(x);
          const top = Math.floor(y);
          if (left >= 0 && top >= 0 && left < width - 1 && top < height - 1) {
            const fx = x - left;
            const fy = y - top;
            const southEast = fx * fy;
            const southWest = fy - southEast;
            const northEast = fx - southEast;
            const northWest = 1 - fx - southWest;
            const at = top * stride + left * channels;
            const east = at + channels;
            const south = at + stride;
            const last = south + channels;
            red +=
              northWest * data[at] +
              northEast * data[east] +
              southWest * data[south] +
              southEast * data[last];
            green +=
              northWest * data[at + 1] +
              northEast * data[east + 1] +
              southWest * data[south + 1] +
              southEast * data[last + 1];
            blue +=
              northWest * data[at + 2] +
              northEast * data[east + 2] +
              southWest * data[south + 2] +
              southEast * data[last + 2];
          } else {
            sum.fill(0);
            addAtEdge(image, x, y, sum);
            red += sum[0];
            green += sum[1];
            blue += sum[2];
          }
        }
      }
      const target = (row * size + (mirrored ? size - 1 - column : column)) * 3;
      output[target] = red * weight + 0.5;
      output[target + 1] = green * weight + 0.5;
      output[target + 2] = blue * weight + 0.5;
    }
  }
  return output;
}

/**
 * The one door for pictures in memory: bytes of 8 bits, whole sizes, 3 or 4 channels.
 * @internal
 * @param caller name of the function, for the message.
 * @throws TypeError for anything that is no picture, or whose values are not bytes; RangeError for sizes and channels that do
 * not fit the data.
 */
export function checkPixels(image: Pixels, caller: string): Pixels {
  const isPicture = typeof image === 'object' && image !== null && 'data' in image && 'width' in image;
  if (!isPicture) {
    throw new TypeError(
      `${caller}: expected Pixels { data, width, height, channels }, got ${describeValue(image)} (decode the picture first)`,
    );
  }
  const { data, width, height, channels } = image;
  const type = typeOf(data);
  if (type !== 'Uint8Array' && type !== 'Uint8ClampedArray') {
    throw new TypeError(
      `${caller}: pictures must be bytes in 0..255 (Uint8Array, Uint8ClampedArray), got ${describeValue(data)} (convert its values)`,
    );
  }
  if (channels !== 3 && channels !== 4) {
    throw new RangeError(
      `${caller}: pictures must have 3 or 4 channels, got ${channels} (make grey pictures RGB: sharp(file).toColourspace('srgb'))`,
    );
  }
  const isWhole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!isWhole || data.length !== width * height * channels) {
    throw new RangeError(
      `${caller}: expected width x height x channels bytes, got ${data.length} for ${width} x ${height} x ${channels}`,
    );
  }
  return image;
}

/** Samples along each axis of a crop pixel, k above. */
export function cropTaps(crop: Affine, size: number): number {
  return Math.min(8, Math.max(1, Math.ceil(1 / (affineScale(crop) * size) - 0.25)));
}

/** Adds the bilinear sample at (x, y), pixel-centre coordinates, to `sum` [3]; pixels outside count as black. */
function addAtEdge(image: Pixels, x: number, y: number, sum: Float64Array): void {
  const { data, width, height, channels } = image;
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < -1 || top < -1 || left >= width || top >= height) return;
  const fx = x - left;
  const fy = y - top;
  for (let corner = 0; corner < 4; corner++) {
    const px = left + (corner & 1);
    const py = top + (corner >> 1);
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    const w = (corner & 1 ? fx : 1 - fx) * (corner >> 1 ? fy : 1 - fy);
    const at = (py * width + px) * channels;
    sum[0] += w * data[at];
    sum[1] += w * data[at + 1];
    sum[2] += w * data[at + 2];
  }
}

/** A decoded picture: 8-bit RGB or RGBA, row-major [height, width, channels]. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}
