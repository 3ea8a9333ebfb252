import type { io } from '@tensorflow/tfjs-core';
import { buildFaceShapeModel, type FaceShapeModel } from '../face-shape-model.ts';
import { type FaceShapeModelOptions, resolveOptions } from '../options.ts';
import { assignWeights } from './assign-weights.ts';
import type { WeightPrecision } from './encode-network.ts';

/** Content of `voxface.json`. */
export interface ModelManifest {
  readonly format: 'voxface-model';
  readonly version: 1;
  readonly precision: WeightPrecision;
  readonly options: FaceShapeModelOptions;
  /** Folder of each network, relative to this file. */
  readonly networks: { readonly estimator: string; readonly regressor: string };
}

/** Name of the file that makes a folder a saved model. */
export const MANIFEST_FILE = 'voxface.json';

/** Writes the manifest of a model. */
export function createManifest(options: FaceShapeModelOptions, precision: WeightPrecision): ModelManifest {
  return {
    format: 'voxface-model',
    version: 1,
    precision,
    options,
    networks: { estimator: 'estimator', regressor: 'regressor' },
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
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
