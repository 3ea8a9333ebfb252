import type { FaceShapeModel } from '../face-shape-model.ts';
import { encodeNetwork, joinBytes } from './encode-network.ts';
import { createManifest } from './model-file.ts';

/**
 * Encodes a model's weights as safetensors, for Python and the Hugging Face hub: tensors `estimator/NAME` and `regressor/NAME` with the
 * shapes of `model.json` (convolutions [h, w, (d,) in, out], dense [in, out]), metadata `format: tf` and `voxface`, the manifest as JSON.
 * Format: https://github.com/huggingface/safetensors#format
 * @returns the bytes of a `.safetensors` file.
 */
export async function encodeSafetensors(
  model: FaceShapeModel,
  options: { precision?: 'float32' | 'float16' } = {},
): Promise<Uint8Array> {
  const precision = options.precision ?? 'float32';
  const tensors: RawTensor[] = [];
  for (const network of ['estimator', 'regressor'] as const) {
    const { modelJson, weights } = await encodeNetwork(model[network], precision);
    let offset = 0;
    for (const { name, shape } of modelJson.weightsManifest.flatMap((group) => group.weights)) {
      const size = (precision === 'float16' ? 2 : 4) * shape.reduce((a, b) => a * b, 1);
      const bytes = weights.subarray(offset, offset + size);
      tensors.push({
        name: `${network}/${name}`,
        dtype: precision === 'float16' ? 'F16' : 'F32',
        shape,
        bytes,
      });
      offset += size;
    }
  }
  const manifest = JSON.stringify(createManifest(model, precision));
  return writeSafetensors(tensors, { format: 'tf', voxface: manifest });
}

/** A tensor as it lies in the file: little-endian, row-major. */
export interface RawTensor {
  readonly name: string;
  readonly dtype: 'F16' | 'F32';
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Length of the header (uint64), header (JSON, padded with blanks to a multiple of 8 bytes), tensors: the widest type first, then by
 * name, as the reference implementation writes them.
 * @internal
 */
export function writeSafetensors(
  tensors: readonly RawTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort((a, b) =>
    a.dtype === b.dtype ? (a.name < b.name ? -1 : Number(a.name > b.name)) : a.dtype === 'F32' ? -1 : 1,
  );
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const { name, dtype, shape, bytes } of sorted) {
    if (Object.hasOwn(header, name)) {
      throw new RangeError(`writeSafetensors: names must be unique, got ${name} twice`);
    }
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return joinBytes([length, padded, ...sorted.map(({ bytes }) => bytes)]);
}
