import { dispose, setBackend } from '@tensorflow/tfjs-core';
import { createVolumeEncoder } from '@voxface/volume';
import { expect, it } from 'vitest';
import { openWebgpu } from '../../backend/test/find-vulkan-driver.ts';
import { noiseCrops } from '../bench/noise-crops.ts';
import { type Batch3D, disposeBatch, energyOf, toBatch } from '../src/batch.ts';

const { lacking, isSkipped } = await openWebgpu('batches on webgpu');

it.skipIf(isSkipped)('true volumes and their energy are drawn on the GPU as on the host', async () => {
  expect(lacking, 'VOXFACE_REQUIRE_WEBGPU is set: Chromium and libvulkan1 must be there').toBeUndefined();
  for (const options of [{}, { depthKernel: 'literal' as const, cutoff: 0, sigma: 1.3 }]) {
    const encoder = createVolumeEncoder(7, { width: 14, height: 18, depths: [2, 10], ...options });
    const crops = noiseCrops(3, 20, 7);
    const results: number[][][] = [];
    for (const backend of ['cpu', 'webgpu']) {
      await setBackend(backend);
      const batch = toBatch(crops, encoder) as Batch3D;
      const energy = energyOf(batch);
      expect(batch.stages.map(({ shape }) => shape)).toEqual([
        [3, 18, 14, 6],
        [3, 18, 14, 30],
      ]);
      const tensors = [...batch.stages, energy];
      results.push(await Promise.all(tensors.map(async (tensor) => [...(await tensor.data())])));
      dispose(energy);
      disposeBatch(batch);
    }
    results[0].forEach((values, i) => {
      const largest = Math.max(...values);
      const worst = Math.max(...values.map((value, k) => Math.abs(value - results[1][i][k])));
      expect(worst / largest).toBeLessThan(2e-6);
    });
  }
});
