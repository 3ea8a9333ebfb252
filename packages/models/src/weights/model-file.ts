import type { io } from '@tensorflow/tfjs-core';
import type { FaceShapeModel } from '../face-shape-model.ts';
import { encodeNetwork, joinBytes, type WeightPrecision } from './encode-network.ts';
import { assembleModel, createManifest, type ModelManifest, parseManifest } from './model-manifest.ts';

/** First bytes of a model in one file. */
const MAGIC = 'VOXFACE1';

interface FileHeader extends ModelManifest {
  readonly estimator: { modelJson: io.ModelJSON; bytes: number };
  readonly regressor: { modelJson: io.ModelJSON; bytes: number };
}

/**
 * Encodes a model as one file: the 8 bytes `VOXFACE1`, the header's length (uint32, little-endian), the header
 * (JSON: the manifest and both `model.json`), then the weights of estimator and regressor.
 */
export async function encodeModelFile(
  model: FaceShapeModel,
  options: { precision?: WeightPrecision } = {},
): Promise<Uint8Array> {
  const { precision = 'float32' } = options;
  const estimator = await encodeNetwork(model.estimator, precision);
  const regressor = await encodeNetwork(model.regressor, precision);
  const header: FileHeader = {
    ...createManifest(model.options, precision),
    estimator: { modelJson: estimator.modelJson, bytes: estimator.weights.length },
    regressor: { modelJson: regressor.modelJson, bytes: regressor.weights.length },
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(12);
  start.set(new TextEncoder().encode(MAGIC));
  new DataView(start.buffer).setUint32(8, text.length, true);
  return joinBytes([start, text, estimator.weights, regressor.weights]);
}

/**
 * Opens a model that `encodeModelFile` wrote. The caller disposes it.
 * @param source what the bytes came from, for error messages.
 * @throws Error when the bytes are something else, cut off, or hold weights that do not fit.
 */
export function decodeModelFile(bytes: Uint8Array, source = 'the model file'): FaceShapeModel {
  if (bytes.length < 12 || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) {
    throw new Error(`decodeModelFile: ${source} must start with ${MAGIC} (write it with encodeModelFile)`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  const text = new TextDecoder().decode(bytes.subarray(12, 12 + length));
  const header = parseManifest(text, source) as FileHeader;
  const first = 12 + length;
  const second = first + header.estimator.bytes;
  return assembleModel(
    header,
    {
      estimator: { ...header.estimator, weights: bytes.subarray(first, second) },
      regressor: { ...header.regressor, weights: bytes.subarray(second) },
    },
    source,
  );
}
