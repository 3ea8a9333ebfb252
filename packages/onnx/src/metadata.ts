import { CROP_DEFAULTS } from '@voxface/landmarks';
import type { FaceShapeModelOptions } from '@voxface/models';
import { readMetadata } from './format/read-metadata.ts';

/** What a file written by `exportOnnx` says about itself. */
export interface OnnxModelInfo {
  /** Side of the crops in pixels. */
  readonly inputSize: number;
  /** Number of landmarks n. */
  readonly landmarks: number;
  readonly scheme: string;
  /** Side of the crop over the longer side of the landmark box. */
  readonly cropScale: number;
  /** [height, width, depth, channels] of the last volume; null when the file has none. */
  readonly volume: readonly [number, number, number, number] | null;
  readonly options: FaceShapeModelOptions;
  /** Training card: whatever was given to the export. */
  readonly card: unknown;
}

const VERSION = '1';

const AXES =
  'Input: RGB crops [batch, size, size, 3] in 0..1. Landmarks [batch, n, 3] in crop unit space: x right and y down from 0 to 1 across the crop edges (pixel i has its centre at (i + 0.5) / size), z in crop sides, positive away from the camera, zero mean.';

/** Metadata of a model as strings. */
export function writeModelInfo(
  options: FaceShapeModelOptions,
  volume: boolean,
  card: unknown,
): Record<string, string> {
  const { inputSize, landmarks, scheme, volumeSize, depths, channels } = options;
  return {
    'voxface.version': VERSION,
    'voxface.inputSize': String(inputSize),
    'voxface.landmarks': String(landmarks),
    'voxface.scheme': scheme,
    'voxface.crop': JSON.stringify({
      scale: CROP_DEFAULTS.scale,
      rule: `square, centre of the landmark box, side = ${CROP_DEFAULTS.scale} x max(width, height), black outside the picture`,
    }),
    'voxface.axes': AXES,
    'voxface.volume': JSON.stringify(volume ? [volumeSize, volumeSize, depths.at(-1), channels] : null),
    'voxface.options': JSON.stringify(options),
    'voxface.card': JSON.stringify(card ?? null),
  };
}

/**
 * Reads what an ONNX file says about itself.
 * @throws RangeError when the file was not written by `exportOnnx` or by a version that this one cannot read.
 */
export function readModelInfo(file: Uint8Array): OnnxModelInfo {
  const metadata = readMetadata(file);
  const version = metadata['voxface.version'];
  if (version !== VERSION) {
    throw new RangeError(
      `readModelInfo: expected a model written by exportOnnx, got ${version === undefined ? 'an ONNX file without voxface metadata' : `format ${version}`}`,
    );
  }
  return {
    inputSize: Number(metadata['voxface.inputSize']),
    landmarks: Number(metadata['voxface.landmarks']),
    scheme: metadata['voxface.scheme'],
    cropScale: JSON.parse(metadata['voxface.crop']).scale,
    volume: JSON.parse(metadata['voxface.volume']),
    options: JSON.parse(metadata['voxface.options']),
    card: JSON.parse(metadata['voxface.card']),
  };
}
