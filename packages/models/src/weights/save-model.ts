import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { FaceShapeModel } from '../face-shape-model.ts';
import { encodeNetwork, WEIGHTS_FILE, type WeightPrecision } from './encode-network.ts';
import { createManifest, MANIFEST_FILE } from './model-manifest.ts';

/** Options of `saveModel`. */
export interface SaveModelOptions {
  precision?: WeightPrecision;
}

/** Full precision. */
export const SAVE_MODEL_DEFAULTS: Required<SaveModelOptions> = { precision: 'float32' };

/**
 * Writes `voxface.json`, `estimator/` and `regressor/` (each a standard `model.json` with `weights.bin`) into a
 * folder, which is made when it is not there. `voxface.json` is written last: a folder that has it is complete.
 */
export async function saveModel(
  model: FaceShapeModel,
  folder: string,
  options: SaveModelOptions = {},
): Promise<void> {
  const { precision } = { ...SAVE_MODEL_DEFAULTS, ...options };
  const manifest = createManifest(model.options, precision);
  await saveNetwork(model.estimator, join(folder, manifest.networks.estimator), options);
  await saveNetwork(model.regressor, join(folder, manifest.networks.regressor), options);
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Writes one network as `model.json` and `weights.bin` into a folder. */
export async function saveNetwork(
  network: LayersModel,
  folder: string,
  options: SaveModelOptions = {},
): Promise<void> {
  const { precision } = { ...SAVE_MODEL_DEFAULTS, ...options };
  const encoded = await encodeNetwork(network, precision);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, WEIGHTS_FILE), encoded.weights);
  await writeFile(join(folder, 'model.json'), JSON.stringify(encoded.modelJson));
}
