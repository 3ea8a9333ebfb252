import { type Box, checkBox, checkPixels, describeValue, type Pixels } from '@voxface/landmarks';

/** What `sharp(...).raw().toBuffer({ resolveWithObject: true })` gives. */
export interface DecodedImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly info: { readonly width: number; readonly height: number; readonly channels: number };
}

/** A picture that the browser can draw: image, video, canvas, bitmap or video frame. */
export type DrawableImage =
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame;

/** The part of a `Tensor3D` of TensorFlow.js that is read: [h, w, 3 or 4], int32 in 0..255 or float32 in 0..1. */
export interface TensorImage {
  readonly dataId: object;
  readonly rank: unknown;
  readonly shape: readonly number[];
  readonly dtype: string;
  data(): Promise<ArrayLike<unknown>>;
}

/** Every kind of picture that the predictor takes. */
export type ImageSource = Pixels | ImageData | DecodedImage | DrawableImage | TensorImage;

/** A picture and the landmark-like box of one face in it. */
export interface FaceRequest {
  readonly image: ImageSource;
  readonly box: Box;
  /** How far the head is turned in the picture's plane as far as is known, degrees clockwise; absent: upright. */
  readonly turn?: number;
}

/** What may be passed, for messages. */
const EXPECTED =
  'expected Pixels, ImageData, a decoded buffer, image, video, canvas, bitmap, video frame or tensor';

/**
 * Reads any picture as bytes. Pixels pass through unchanged; a tensor is downloaded and not disposed. The one door for pictures:
 * other ranges, types and numbers of channels than those named are refused, never guessed.
 * @throws TypeError for anything else; RangeError when the sizes do not fit the data, a tensor's values leave their range, or
 * nothing is loaded yet.
 */
export async function toPixels(image: ImageSource): Promise<Pixels> {
  if (typeof image !== 'object' || image === null) {
    const way =
      typeof image === 'string'
        ? 'decode the file first: readImage of @voxface/datasets/node, or an <img> that has loaded'
        : 'did the look-up find nothing?';
    throw new TypeError(`toPixels: ${EXPECTED}, got ${describeValue(image)} (${way})`);
  }
  if (ArrayBuffer.isView(image) || Object.prototype.toString.call(image) === '[object ArrayBuffer]') {
    throw new TypeError(
      `toPixels: ${EXPECTED}, got bytes alone (${describeValue(image)}; decode a file first, or pass { data, width, height, channels })`,
    );
  }
  if (isTensor(image)) return fromTensor(image);
  if ('info' in image && 'data' in image) {
    const { width, height, channels } = image.info ?? {};
    return checkPixels(widen(image.data, width, height, channels), 'toPixels');
  }
  if ('data' in image && 'width' in image) {
    if ('channels' in image && image.channels !== undefined) return checkPixels(image, 'toPixels');
    const { data, width, height } = image;
    return checkPixels({ data: data as Uint8ClampedArray, width, height, channels: 4 }, 'toPixels');
  }
  return fromDrawable(image as DrawableImage);
}

function isTensor(image: ImageSource): image is TensorImage {
  return 'dataId' in image && 'rank' in image;
}

/** Grey (1 channel) and grey with alpha (2) become RGB. */
function widen(
  data: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  channels: number,
): Pixels {
  if ((channels !== 1 && channels !== 2) || data?.length !== width * height * channels) {
    return { data, width, height, channels: channels as 3 };
  }
  const rgb = new (data.constructor as Uint8ArrayConstructor)(width * height * 3);
  for (let i = 0; i < width * height; i++) rgb.fill(data[i * channels], 3 * i, 3 * i + 3);
  return { data: rgb, width, height, channels: 3 };
}

/** Values that a float image may pass 0 and 1 by, as resizing and rounding do. */
const FLOAT_SLACK = 0.02;

async function fromTensor(tensor: TensorImage): Promise<Pixels> {
  const [height, width, channels] = tensor.shape ?? [];
  if (tensor.rank !== 3 || (channels !== 3 && channels !== 4)) {
    throw new RangeError(`toPixels: expected a tensor [h, w, 3 or 4], got [${tensor.shape?.join(', ')}]`);
  }
  const isFloat = tensor.dtype === 'float32';
  if (!isFloat && tensor.dtype !== 'int32') {
    throw new TypeError(
      `toPixels: tensors must be float32 in 0..1 or int32 in 0..255, got ${tensor.dtype} (cast it)`,
    );
  }
  const values = (await tensor.data()) as ArrayLike<number>;
  const [least, most] = isFloat ? [-FLOAT_SLACK, 1 + FLOAT_SLACK] : [0, 255];
  const scale = isFloat ? 255 : 1;
  const data = new Uint8ClampedArray(values.length);
  for (let i = 0; i < data.length; i++) {
    if (!(values[i] >= least && values[i] <= most)) {
      throw new RangeError(
        `toPixels: ${tensor.dtype} tensors must be in ${isFloat ? '0..1' : '0..255'}, got ${values[i]} (${isFloat ? 'scale it: divide bytes by 255, undo a normalization' : 'clip it'})`,
      );
    }
    data[i] = values[i] * scale;
  }
  return { data, width, height, channels };
}

function fromDrawable(image: DrawableImage): Pixels {
  const [width, height] = drawableSize(image);
  if (!(width > 0 && height > 0)) {
    throw new RangeError(
      `toPixels: the picture has no size yet, got ${width} x ${height} (wait for its load or loadeddata event)`,
    );
  }
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true }) as
    | CanvasRenderingContext2D
    | OffscreenCanvasRenderingContext2D
    | null;
  if (context === null) throw new Error('toPixels: this browser gives no 2D canvas context');
  context.drawImage(image, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { data, width, height, channels: 4 };
}

function createCanvas(width: number, height: number): OffscreenCanvas | HTMLCanvasElement {
  if (typeof OffscreenCanvas !== 'undefined') return new OffscreenCanvas(width, height);
  if (typeof document === 'undefined') {
    throw new TypeError(
      'toPixels: expected Pixels, ImageData, a decoded buffer or a tensor outside the browser',
    );
  }
  return Object.assign(document.createElement('canvas'), { width, height });
}

function drawableSize(image: DrawableImage): [number, number] {
  if ('naturalWidth' in image) return [image.naturalWidth, image.naturalHeight];
  if ('videoWidth' in image) return [image.videoWidth, image.videoHeight];
  if ('displayWidth' in image) return [image.displayWidth, image.displayHeight];
  if ('width' in image && 'height' in image) return [image.width, image.height];
  throw new TypeError(`toPixels: ${EXPECTED}, got ${describeValue(image)}`);
}

/** Reads every picture once, even when several requests share it. */
export async function readImages(items: readonly FaceRequest[]): Promise<Pixels[]> {
  if (!Array.isArray(items)) {
    throw new TypeError(`predictBatch: expected a list of { image, box }, got ${describeValue(items)}`);
  }
  for (const item of items as readonly unknown[]) {
    if (typeof item !== 'object' || item === null) {
      throw new TypeError(`predictBatch: a face must be { image, box }, got ${describeValue(item)}`);
    }
    const { box, turn } = item as FaceRequest;
    checkBox(box, 'predict');
    if (turn !== undefined && !Number.isFinite(turn)) {
      throw new TypeError(
        `predict: the turn must be a finite number of degrees, got ${describeValue(turn)} (absent: upright)`,
      );
    }
  }
  const read = new Map<ImageSource, Promise<Pixels>>();
  for (const { image } of items) if (!read.has(image)) read.set(image, toPixels(image));
  return Promise.all(items.map(({ image }) => read.get(image)!));
}
