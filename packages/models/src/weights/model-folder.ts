import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withDefaults } from '@voxface/landmarks';
import type { FaceShapeModel } from '../face-shape-model.ts';
import { createVolumeDiscriminator, type VolumeDiscriminator } from '../volume-discriminator.ts';
import {
  assignWeights,
  encodeNetwork,
  joinBytes,
  WEIGHTS_FILE,
  type WeightPrecision,
} from './encode-network.ts';

import {
  assembleModel,
  createManifest,
  decodeModelFile,
  MANIFEST_FILE,
  parseManifest,
  parseModelJson,
  type ReadNetwork,
} from './model-file.ts';

const DISCRIMINATOR_FOLDER = 'discriminator';

/** Options of `saveModel`. */
export interface SaveModelOptions {
  /** @default 'float32' */
  precision?: WeightPrecision;
  /** Saved beside the model, for a training that goes on; prediction does not need it. */
  discriminator?: VolumeDiscriminator;
}

/** Full precision. */
export const SAVE_MODEL_DEFAULTS: Required<Pick<SaveModelOptions, 'precision'>> = { precision: 'float32' };

/**
 * What a save has written whole and not yet moved to its place: files of it count before those of the same name outside. A save
 * that is killed thus leaves the old model or the new one, never parts of both.
 */
const SAVED_FOLDER = '.saved';
/** Where a save writes first. */
const SAVING_FOLDER = '.saving';

/**
 * Writes `voxface.json`, `estimator/` and `regressor/` (each a standard `model.json` with `weights.bin`) into a
 * folder, which is made when it is not there. All is written beside the old model first and moved when it is whole, `voxface.json`
 * last: a folder that has it is complete, and a save that is cut off changes nothing or is finished by the next.
 * @example
 * ```js
 * import { setupBackend } from '@voxface/backend';
 * import { createFaceShapeModel } from '@voxface/models';
 * import { loadModel, saveModel } from '@voxface/models/node';
 *
 * await setupBackend('cpu');
 * await saveModel(createFaceShapeModel('tiny'), 'my-model', { precision: 'float16' });
 * const model = await loadModel('my-model');
 * console.log(model.options.scheme); // => ibug-68
 * ```
 */
export async function saveModel(
  model: FaceShapeModel,
  folder: string,
  options: SaveModelOptions = {},
): Promise<void> {
  const { precision, discriminator } = withDefaults(SAVE_MODEL_DEFAULTS, options);
  const manifest = {
    ...createManifest(model, precision),
    ...(discriminator && { discriminator: discriminator.options }),
  };
  await mkdir(folder, { recursive: true });
  await moveSaved(folder);
  const part = join(folder, SAVING_FOLDER);
  await rm(part, { recursive: true, force: true });
  await saveNetwork(model.estimator, join(part, manifest.networks.estimator), options);
  await saveNetwork(model.regressor, join(part, manifest.networks.regressor), options);
  if (discriminator) await saveNetwork(discriminator.network, join(part, DISCRIMINATOR_FOLDER), options);
  await writeFile(join(part, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(part, join(folder, SAVED_FOLDER));
  await moveSaved(folder);
}

/** Moves what a save has written whole to its place, file by file, the manifest last. */
async function moveSaved(folder: string): Promise<void> {
  const saved = join(folder, SAVED_FOLDER);
  if (!existsSync(saved)) return;
  for (const network of ['estimator', 'regressor', DISCRIMINATOR_FOLDER]) {
    for (const name of [WEIGHTS_FILE, 'model.json']) {
      const file = join(saved, network, name);
      if (!existsSync(file)) continue;
      await mkdir(join(folder, network), { recursive: true });
      await rename(file, join(folder, network, name));
    }
  }
  if (existsSync(join(saved, MANIFEST_FILE))) {
    await rename(join(saved, MANIFEST_FILE), join(folder, MANIFEST_FILE));
  }
  await rm(saved, { recursive: true });
}

/** Writes one network as `model.json` and `weights.bin` into a folder. */
export async function saveNetwork(
  network: LayersModel,
  folder: string,
  options: SaveModelOptions = {},
): Promise<void> {
  const { precision } = withDefaults(SAVE_MODEL_DEFAULTS, options);
  const encoded = await encodeNetwork(network, precision);
  await mkdir(folder, { recursive: true });
  for (const [name, content] of [
    [WEIGHTS_FILE, encoded.weights],
    ['model.json', JSON.stringify(encoded.modelJson)],
  ] as const) {
    // Under its name when the disk has it, so that a power failure leaves no empty file under a final name.
    await writeFile(join(folder, name), content, { flush: true });
  }
}

/**
 * Loads a model that `saveModel` wrote (a folder) or `encodeModelFile` made (a file). The caller disposes it.
 * @param source path, or a `file:` URL such as `pretrainedUrl` gives.
 * @throws Error naming the file that is missing or cut off, or the weights that do not fit.
 */
export async function loadModel(source: string | URL): Promise<FaceShapeModel> {
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new TypeError(`loadModel: expected a path or a file: URL, got ${String(source)}`);
  }
  const path = source instanceof URL ? fileURLToPath(source) : source;
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return decodeModelFile(await readFile(path), path);
  const manifestFile = join(path, MANIFEST_FILE);
  const manifest = parseManifest((await readNamed(manifestFile)).toString('utf8'), manifestFile);
  const estimator = await readNetwork(join(path, manifest.networks.estimator));
  const regressor = await readNetwork(join(path, manifest.networks.regressor));
  return assembleModel(manifest, { estimator, regressor }, path);
}

/**
 * Opens the discriminator that was saved beside a model, on the networks of that model as loaded.
 * @param folder of `saveModel`; a model in one file has none.
 * @returns undefined where none was saved; the caller disposes it.
 * @throws Error when files are missing or the weights do not fit.
 */
export async function loadDiscriminator(
  model: FaceShapeModel,
  folder: string,
): Promise<VolumeDiscriminator | undefined> {
  if ((await stat(folder).catch(() => undefined))?.isFile()) return undefined;
  const file = join(folder, MANIFEST_FILE);
  const { discriminator: options } = parseManifest((await readNamed(file)).toString('utf8'), file);
  if (options === undefined) return undefined;
  const discriminator = createVolumeDiscriminator(model, options);
  await loadNetworkWeights(discriminator.network, join(folder, DISCRIMINATOR_FOLDER));
  return discriminator;
}

/**
 * Reads the weights that `saveNetwork` wrote into a network of the same architecture.
 * @throws Error naming the weights that do not fit.
 */
export async function loadNetworkWeights(network: LayersModel, folder: string): Promise<void> {
  const { modelJson, weights } = await readNetwork(folder);
  const specs = modelJson.weightsManifest.flatMap((group) => group.weights);
  assignWeights(network, specs, weights, folder);
}

async function readNetwork(folder: string): Promise<ReadNetwork> {
  const file = join(folder, 'model.json');
  const modelJson = parseModelJson((await readNamed(file)).toString('utf8'), file);
  const paths = modelJson.weightsManifest.flatMap((group) => group.paths);
  const shards = await Promise.all(paths.map((path) => readNamed(join(folder, path))));
  return { modelJson, weights: joinBytes(shards) };
}

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(newestOf(file));
  } catch (error) {
    throw new Error(
      `loadModel: cannot read ${file}: ${(error as Error).message} (give a folder of saveModel)`,
    );
  }
}

/** The file, or the newer one of its name that a save which was cut off has left whole in the model's folder. */
function newestOf(file: string): string {
  const name = basename(file);
  const inNetwork = dirname(file);
  const candidates = [
    join(inNetwork, SAVED_FOLDER, name),
    join(dirname(inNetwork), SAVED_FOLDER, basename(inNetwork), name),
  ];
  return candidates.find((candidate) => existsSync(candidate)) ?? file;
}
