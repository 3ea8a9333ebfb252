import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Tensor4D, tensor, tidy } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import {
  createFaceShapeModel,
  estimateFlatVolumes,
  type FaceShapeModel,
  regressCoordinates,
} from '@voxface/models';
import { loadModel, saveModel } from '@voxface/models/node';
import { expectClose, fillWeights, noise } from '@voxface/test-utils';
import { beforeAll, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../scripts/grow-model.mjs', import.meta.url));
const NARROW = {
  inputSize: 32,
  features: 8,
  depths: [1, 8],
  hourglassDepth: 2,
  regressorChannels: [4, 6, 8],
};

beforeAll(async () => {
  await setupBackend('cpu');
});

/** Volumes and coordinates of one noisy picture. */
function outputsOf(model: FaceShapeModel, training: boolean): number[] {
  return tidy(() => {
    const image = tensor(Float32Array.from(noise('image', 3 * 32 * 32 * 3)), [3, 32, 32, 3]) as Tensor4D;
    const volumes = estimateFlatVolumes(model, image, training);
    const points = regressCoordinates(model, volumes, image, training);
    return [...volumes, points].flatMap((value) => [...value.dataSync()]);
  });
}

describe('a grown model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'grown-'));
  const grow = (name: string, options: object) =>
    spawnSync(
      process.execPath,
      [SCRIPT, join(folder, name), join(folder, 'narrow'), JSON.stringify(options)],
      {
        encoding: 'utf8',
      },
    );

  it('computes what the narrow one does, at widths that are no multiples of it, and not with copies of its weights', async () => {
    const narrow = createFaceShapeModel(NARROW);
    for (const network of [narrow.estimator, narrow.regressor]) fillWeights(network);
    await saveModel(narrow, join(folder, 'narrow'));
    // Running statistics first: training changes them.
    const expected = [outputsOf(narrow, false), outputsOf(narrow, true)];
    for (const [name, features, regressorChannels] of [
      ['half', 12, [7, 6, 13]],
      ['twice', 16, [8, 12, 16]],
    ] as const) {
      const { status, stderr } = grow(name, { features, regressorChannels });
      expect(stderr.includes('Error'), stderr).toBe(false);
      expect(status).toBe(0);
      const wide = await loadModel(join(folder, name));
      expect(wide.options.features).toBe(features);
      for (const [i, training] of [false, true].entries()) {
        expectClose(outputsOf(wide, training), expected[i], { absolute: 1e-3, relative: 1e-4 });
      }
      const kernel = wide.estimator.getLayer('stack1_fc').getWeights()[0];
      const values = await kernel.data();
      expect(values[0]).not.toBe(values[features]);
      wide.dispose();
    }
    narrow.dispose();
  });

  it('is refused where it would be narrower', () => {
    expect(grow('less', { features: 4 }).stderr).toContain('grow-model: 2 channels do not fit 1');
  });
});
