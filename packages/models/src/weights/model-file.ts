import type { io } from '@tensorflow/tfjs-core';
import type { ConfidenceCalibration } from '@voxface/predict';
import { buildFaceShapeModel, type FaceShapeModel } from '../face-shape-model.ts';
import { type FaceShapeModelOptions, resolveOptions } from '../options.ts';
import type { VolumeDiscriminatorOptions } from '../volume-discriminator.ts';
import { assignWeights, encodeNetwork, joinBytes, type WeightPrecision } from './encode-network.ts';

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
    ...createManifest(model, precision),
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

/** Content of `voxface.json`. */
export interface ModelManifest {
  readonly format: 'voxface-model';
  readonly version: 1;
  readonly precision: WeightPrecision;
  readonly options: FaceShapeModelOptions;
  /** Folder of each network, relative to this file. */
  readonly networks: { readonly estimator: string; readonly regressor: string };
  /** Options of the discriminator in `discriminator/`, where it was saved too. */
  readonly discriminator?: VolumeDiscriminatorOptions;
  /** What turns volumes into probabilities, where the model has been calibrated. */
  readonly confidence?: ConfidenceCalibration;
}

/** Name of the file that makes a folder a saved model. */
export const MANIFEST_FILE = 'voxface.json';

/** Writes the manifest of a model. */
export function createManifest(
  { options, confidence }: Pick<FaceShapeModel, 'options' | 'confidence'>,
  precision: WeightPrecision,
): ModelManifest {
  return {
    format: 'voxface-model',
    version: 1,
    precision,
    options,
    networks: { estimator: 'estimator', regressor: 'regressor' },
    ...(confidence && { confidence }),
  };
}

/**
 * Reads a manifest.
 * @throws Error when it is none, or one of a later version.
 */
export function parseManifest(text: string, source: string): ModelManifest {
  let manifest: Partial<ModelManifest>;
  try {
    manifest = JSON.parse(text) as Partial<ModelManifest>;
  } catch {
    throw new Error(`loadModel: ${source} must be JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (manifest?.format !== 'voxface-model' || manifest.version !== 1) {
    throw new Error(
      `loadModel: ${source} must say format voxface-model, version 1, got ${manifest?.format} ${manifest?.version} (was it written by saveModel of this release?)`,
    );
  }
  return manifest as ModelManifest;
}

/** Topology and weights of one network as they were read. */
export interface ReadNetwork {
  readonly modelJson: io.ModelJSON;
  readonly weights: Uint8Array;
}

/** Builds the networks of a manifest and gives them their weights. */
export function assembleModel(
  manifest: ModelManifest,
  networks: Record<'estimator' | 'regressor', ReadNetwork>,
  source: string,
): FaceShapeModel {
  const model = buildFaceShapeModel(resolveOptions(manifest.options));
  try {
    for (const name of ['estimator', 'regressor'] as const) {
      const { modelJson, weights } = networks[name];
      const specs = modelJson.weightsManifest.flatMap((group) => group.weights);
      assignWeights(model[name], specs, weights, `${source} (${name})`);
    }
    return manifest.confidence ? { ...model, confidence: manifest.confidence } : model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
