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
 * @throws TypeError when it is given no bytes; Error when the bytes are something else, cut off, or hold weights that do not fit.
 */
export function decodeModelFile(file: Uint8Array | ArrayBuffer, source = 'the model file'): FaceShapeModel {
  const bytes = viewBytes(file);
  if (bytes.length < 12 || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) {
    throw new Error(`decodeModelFile: ${source} must start with ${MAGIC} (write it with encodeModelFile)`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  if (12 + length > bytes.length) {
    throw new Error(
      `decodeModelFile: ${source} must hold a header of ${length} bytes, got ${bytes.length - 12} (is the file cut off?)`,
    );
  }
  const text = new TextDecoder().decode(bytes.subarray(12, 12 + length));
  const header = parseManifest(text, source) as FileHeader;
  for (const name of ['estimator', 'regressor'] as const) {
    const part = header[name];
    if (!(Number.isSafeInteger(part?.bytes) && part.bytes >= 0)) {
      throw new Error(`decodeModelFile: ${source} must say the bytes of its ${name}, got ${part?.bytes}`);
    }
    checkModelJson(part.modelJson, `${source} (${name})`);
  }
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

/**
 * Networks are built before their weights are compared, so options that ask for many times the weights that are there are refused
 * first: a residual block alone has 3 features x features.
 */
function checkScale(
  { features, regressorChannels }: FaceShapeModelOptions,
  networks: Record<'estimator' | 'regressor', ReadNetwork>,
  source: string,
): void {
  const least = {
    estimator: 3 * features * features,
    regressor: regressorChannels.reduce((sum, c, i) => sum + c * (regressorChannels[i - 1] ?? 1), 0),
  };
  for (const name of ['estimator', 'regressor'] as const) {
    const { weights } = networks[name];
    if (weights.length >= least[name]) continue;
    throw new Error(
      `assignWeights: ${source} (${name}) must hold ${least[name]} bytes of weights and more, got ${weights.length} (is the file cut off, or were its options changed?)`,
    );
  }
}

function viewBytes(file: Uint8Array | ArrayBuffer): Uint8Array {
  const type = Object.prototype.toString.call(file).slice(8, -1);
  if (type === 'ArrayBuffer' || type === 'SharedArrayBuffer') return new Uint8Array(file as ArrayBuffer);
  if (type === 'Uint8Array') return file as Uint8Array;
  throw new TypeError(
    `decodeModelFile: expected the bytes of a .voxface file (Uint8Array or ArrayBuffer), got ${type} (of a Blob: await blob.arrayBuffer())`,
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
  const { options, networks } = manifest;
  if (typeof options !== 'object' || options === null) {
    throw new Error(`loadModel: ${source} must hold the model's options, got ${options}`);
  }
  checkInside([networks?.estimator, networks?.regressor], source);
  return manifest as ModelManifest;
}

/**
 * Reads a network's `model.json`.
 * @throws Error when it is none, or names files outside its folder.
 */
export function parseModelJson(text: string, source: string): io.ModelJSON {
  let json: io.ModelJSON;
  try {
    json = JSON.parse(text) as io.ModelJSON;
  } catch {
    throw new Error(`loadModel: ${source} must be JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  checkModelJson(json, source);
  checkInside(
    json.weightsManifest.flatMap(({ paths }) => paths),
    source,
  );
  return json;
}

/** Checks what is read of a `model.json`: names, shapes and storage of the weights. */
function checkModelJson(json: io.ModelJSON, source: string): void {
  const groups: unknown = json?.weightsManifest;
  const isFine =
    Array.isArray(groups) &&
    groups.every(
      (group) =>
        Array.isArray(group?.paths) &&
        Array.isArray(group.weights) &&
        group.weights.every(
          (weight: Partial<io.WeightsManifestEntry> | null) =>
            typeof weight?.name === 'string' &&
            Array.isArray(weight.shape) &&
            weight.shape.every((size) => Number.isSafeInteger(size) && size >= 0),
        ),
    );
  if (isFine) return;
  throw new Error(
    `loadModel: ${source} must list its weights with names and shapes, got ${JSON.stringify(groups)?.slice(0, 80)} (was it written by saveModel?)`,
  );
}

/** Names that a model's files give: plain paths inside their folder, so that nothing else is read or asked for. */
function checkInside(names: readonly unknown[], source: string): void {
  for (const name of names) {
    const isInside =
      typeof name === 'string' && /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(name) && !name.includes('..');
    if (isInside) continue;
    throw new Error(
      `loadModel: names must stay inside the folder, got ${JSON.stringify(name)?.slice(0, 80)} in ${source}`,
    );
  }
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
  const options = resolveOptions(manifest.options);
  checkScale(options, networks, source);
  const model = buildFaceShapeModel(options);
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
