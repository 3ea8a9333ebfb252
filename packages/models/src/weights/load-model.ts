import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { FaceShapeModel } from '../face-shape-model.ts';
import { assignWeights } from './assign-weights.ts';
import { joinBytes } from './encode-network.ts';
import { decodeModelFile } from './model-file.ts';
import { assembleModel, MANIFEST_FILE, parseManifest, type ReadNetwork } from './model-manifest.ts';

/**
 * Loads a model that `saveModel` wrote (a folder) or `encodeModelFile` made (a file). The caller disposes it.
 * @param source path, or a `file:` URL such as `pretrainedUrl` gives.
 * @throws Error naming the file that is missing or cut off, or the weights that do not fit.
 */
export async function loadModel(source: string | URL): Promise<FaceShapeModel> {
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
  const modelJson = JSON.parse((await readNamed(file)).toString('utf8')) as io.ModelJSON;
  const paths = modelJson.weightsManifest.flatMap((group) => group.paths);
  const shards = await Promise.all(paths.map((path) => readNamed(join(folder, path))));
  return { modelJson, weights: joinBytes(shards) };
}

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(
      `loadModel: cannot read ${file}: ${(error as Error).message} (give a folder of saveModel)`,
    );
  }
}
