import { dispose, io, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** How weights are stored. `uint8` quantises kernels per tensor and keeps biases and normalisation exact. */
export type WeightPrecision = 'float32' | 'float16' | 'uint8';

/** The standard tfjs-layers files of one network. */
export interface EncodedNetwork {
  /** Content of `model.json`. */
  readonly modelJson: io.ModelJSON;
  /** Content of the one shard that it names. */
  readonly weights: Uint8Array;
}

/** Name of the shard in a network's `model.json`. */
export const WEIGHTS_FILE = 'weights.bin';

/**
 * Encodes topology and weights in the standard format, which `tf.loadLayersModel` opens without this package.
 * @param precision 4, 2 or 1 bytes per kernel value.
 */
export async function encodeNetwork(
  network: LayersModel,
  precision: WeightPrecision = 'float32',
): Promise<EncodedNetwork> {
  let artifacts: io.ModelArtifacts | undefined;
  await network.save(
    io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  const { modelTopology, weightSpecs, weightData } = artifacts!;
  const data = io.CompositeArrayBuffer.join(weightData!);
  const specs: io.WeightsManifestEntry[] = [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const spec of weightSpecs!) {
    const count = spec.shape.reduce((a, b) => a * b, 1);
    const encoded = encodeValues(spec, new Float32Array(data, offset, count), precision);
    offset += count * 4;
    specs.push(encoded.spec);
    parts.push(encoded.bytes);
  }
  return {
    modelJson: {
      format: 'layers-model',
      generatedBy: 'voxface',
      convertedBy: null as unknown as string,
      modelTopology: modelTopology!,
      weightsManifest: [{ paths: [WEIGHTS_FILE], weights: specs }],
    },
    weights: joinBytes(parts),
  };
}

/** Joins byte arrays. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function encodeValues(
  spec: io.WeightsManifestEntry,
  values: Float32Array,
  precision: WeightPrecision,
): { spec: io.WeightsManifestEntry; bytes: Uint8Array } {
  const { name, shape, dtype } = spec;
  if (precision === 'float16') {
    const halves = toHalf(values);
    return { spec: { name, shape, dtype, quantization: { dtype: 'float16' } }, bytes: bytesOf(halves) };
  }
  if (precision === 'uint8' && shape.length > 1) {
    let min = Infinity;
    let max = -Infinity;
    for (const value of values) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    const scale = (max - min) / 255 || 1;
    const bytes = Uint8Array.from(values, (value) => Math.round((value - min) / scale));
    return { spec: { name, shape, dtype, quantization: { dtype: 'uint8', min, scale } }, bytes };
  }
  return { spec: { name, shape, dtype }, bytes: bytesOf(values) };
}

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength));
}

/** The part of a tfjs-layers weight that is needed here. */
interface LayerWeight {
  readonly originalName: string;
  readonly shape: readonly (number | null)[];
  write(value: Tensor): unknown;
}

/**
 * Decodes weights and writes them into a network, by name.
 * @param source what the weights came from, for error messages.
 * @throws Error naming every weight that is missing, unexpected or of another shape; nothing is written then.
 */
export function assignWeights(
  network: LayersModel,
  specs: io.WeightsManifestEntry[],
  bytes: Uint8Array,
  source: string,
): void {
  checkLength(specs, bytes, source);
  checkValues(specs, bytes, source);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const tensors = io.decodeWeights(buffer, specs);
  try {
    assignTensors(network, tensors, source);
  } finally {
    dispose(tensors);
  }
}

/** Writes named tensors into a network; errors as `assignWeights`. Does not dispose the tensors. */
export function assignTensors(network: LayersModel, tensors: Record<string, Tensor>, source: string): void {
  const weights = network.weights as unknown as LayerWeight[];
  const problems: string[] = [];
  const names = new Set(weights.map((weight) => weight.originalName));
  for (const weight of weights) {
    const found = tensors[weight.originalName];
    if (found === undefined) problems.push(`missing ${weight.originalName} [${weight.shape.join(', ')}]`);
    else if (found.shape.join() !== weight.shape.join()) {
      problems.push(
        `${weight.originalName} is [${found.shape.join(', ')}] instead of [${weight.shape.join(', ')}]`,
      );
    }
  }
  for (const name of Object.keys(tensors)) if (!names.has(name)) problems.push(`unexpected ${name}`);
  if (problems.length > 0) throw new Error(describeProblems(network.name, source, problems));
  for (const weight of weights) weight.write(tensors[weight.originalName]);
}

function describeProblems(network: string, source: string, problems: string[]): string {
  const shown = problems.slice(0, 8).join('; ');
  const more = problems.length > 8 ? `; and ${problems.length - 8} more` : '';
  return `assignWeights: the weights of ${source} must fit the ${network}, got ${shown}${more} (were the options changed after saving?)`;
}

const BYTES: Record<string, number> = { float16: 2, uint8: 1 };

function checkLength(specs: io.WeightsManifestEntry[], bytes: Uint8Array, source: string): void {
  const expected = specs.reduce((sum, spec) => {
    const size = spec.quantization ? (BYTES[spec.quantization.dtype] ?? 4) : 4;
    return sum + size * spec.shape.reduce((a, b) => a * b, 1);
  }, 0);
  if (expected !== bytes.length) {
    throw new Error(
      `assignWeights: ${source} must hold ${expected} bytes of weights, got ${bytes.length} (is the file cut off?)`,
    );
  }
}

/** Weights that are no numbers would give landmarks that are none; a damaged file is told by them. */
function checkValues(specs: io.WeightsManifestEntry[], bytes: Uint8Array, source: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (const { name, shape, dtype, quantization } of specs) {
    const size = quantization ? (BYTES[quantization.dtype] ?? 4) : 4;
    const end = at + size * shape.reduce((a, b) => a * b, 1);
    let fine = [quantization?.scale, quantization?.min].every((v) => v === undefined || Number.isFinite(v));
    for (; fine && at < end && size > 1 && dtype !== 'int32'; at += size) {
      // Infinities and NaN have an exponent of ones.
      fine =
        size === 2
          ? (view.getUint16(at, true) & 0x7c00) !== 0x7c00
          : (view.getUint32(at, true) & 0x7f800000) !== 0x7f800000;
    }
    if (!fine) {
      throw new Error(
        `assignWeights: weights must be finite, got others in ${name} of ${source} (is the file damaged?)`,
      );
    }
    at = end;
  }
}

/**
 * Rounds float32 values to IEEE 754 half precision, ties to even; what is too large becomes infinite.
 * @returns the bit patterns, one 16-bit word per value.
 * @internal
 */
export function toHalf(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) halves[i] = halfOf(bits[i]);
  return halves;
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  const power = exponent - 112;
  if (power >= 31) return sign | 0x7c00;
  if (power <= 0) {
    if (power < -10) return sign;
    return sign | roundShift(fraction | 0x800000, 14 - power);
  }
  return sign | ((power << 10) + roundShift(fraction, 13));
}

/** value / 2^shift, rounded to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
