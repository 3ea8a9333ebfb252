import { CROP_DEFAULTS } from '@voxface/landmarks';
import type { ConfidenceCalibration, DetectionHead } from '@voxface/predict';
import protobuf from 'protobufjs/minimal.js';
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
  /** Options that the networks were built from (`FaceShapeModelOptions` of `@voxface/models`). */
  readonly options: Readonly<Record<string, unknown>>;
  /** What turns volumes into probabilities; null when the model was not calibrated. */
  readonly confidence: ConfidenceCalibration | null;
  /** Training card: whatever was given to the export. */
  readonly card: unknown;
}

const VERSION = '1';

const AXES =
  'Input: RGB crops [batch, size, size, 3] in 0..1. Landmarks [batch, n, 3] in crop unit space: x right and y down from 0 to 1 across the crop edges (pixel i has its centre at (i + 0.5) / size), z in crop sides, positive away from the camera, zero mean.';

/** The options of a model that readers need. */
interface WrittenOptions {
  readonly inputSize: number;
  readonly landmarks: number;
  readonly scheme: string;
  readonly volumeSize: number;
  readonly depths: readonly number[];
  readonly channels: number;
}

/** Metadata of a model as strings. */
export function writeModelInfo(
  options: WrittenOptions,
  volume: boolean,
  card: unknown,
  confidence?: ConfidenceCalibration,
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
    ...(confidence && { 'voxface.confidence': JSON.stringify(confidence) }),
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
    confidence: JSON.parse(metadata['voxface.confidence'] ?? 'null'),
    card: JSON.parse(metadata['voxface.card']),
  };
}

/** Metadata of a detector as strings; anchors in base64. */
export function writeDetectorHead({ anchors, ...head }: DetectionHead): Record<string, string> {
  const bytes = new Uint8Array(anchors.buffer, anchors.byteOffset, anchors.byteLength);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return {
    'voxface.version': VERSION,
    'voxface.detector': JSON.stringify(head),
    'voxface.anchors': btoa(text),
  };
}

/**
 * Reads what it takes to understand a detector's outputs.
 * @throws RangeError when the file was not written by `exportDetector`.
 */
export function readDetectorHead(file: Uint8Array): DetectionHead {
  const metadata = readMetadata(file);
  const head = metadata['voxface.detector'];
  if (metadata['voxface.version'] !== VERSION || head === undefined) {
    throw new RangeError(
      'createOnnxDetector: expected a detector written by exportDetector, got an ONNX file without its metadata',
    );
  }
  const bytes = Uint8Array.from(atob(metadata['voxface.anchors']), (char) => char.charCodeAt(0));
  return { ...JSON.parse(head), anchors: new Float32Array(bytes.buffer) };
}

/**
 * The metadata of an ONNX file, whoever wrote it; the graph is skipped, not parsed.
 * @throws RangeError when the bytes are no ONNX model.
 */
export function readMetadata(file: Uint8Array): Record<string, string> {
  const metadata: Record<string, string> = {};
  let hasGraph = false;
  try {
    const reader = protobuf.Reader.create(file);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 === 14) {
        const [key, value] = readEntry(reader, reader.uint32() + reader.pos);
        metadata[key] = value;
        continue;
      }
      if (tag >>> 3 === 7) hasGraph = true;
      reader.skipType(tag & 7);
    }
  } catch (cause) {
    throw new RangeError('readMetadata: expected an ONNX model, got bytes that are none or cut off', {
      cause,
    });
  }
  if (!hasGraph) throw new RangeError('readMetadata: expected an ONNX model, got bytes without a graph');
  return metadata;
}

function readEntry(reader: protobuf.Reader, end: number): [key: string, value: string] {
  const entry: [string, string] = ['', ''];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) entry[0] = reader.string();
    else if (tag >>> 3 === 2) entry[1] = reader.string();
    else reader.skipType(tag & 7);
  }
  return entry;
}
