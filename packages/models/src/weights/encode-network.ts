import { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { toHalf } from './half.ts';

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
