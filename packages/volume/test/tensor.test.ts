import * as tf from '@tensorflow/tfjs-core';
import { createLandmarks, createRandom } from '@voxface/landmarks';
import {
  describeBackends,
  expectClose,
  expectGradient,
  expectNoLeak,
  maxDifference,
} from '@voxface/test-utils';
import { expect, it } from 'vitest';
import { createVolumeEncoder, marginalizeDepth, type VolumeOptions } from '../src/index.ts';
import { encodeVolumeBatch, marginalizeDepthTensor } from '../src/tensor.ts';

const COUNT = 4;
const SIZE = { width: 7, height: 5, depths: [1, 2, 6] };
const random = createRandom(9);
const points = Float32Array.from(
  { length: 2 * COUNT * 3 },
  (_, i) => random.uniform(-0.05, 1.05) - (i % 3 === 2 ? 0.5 : 0),
);
const faces = [0, 1].map((b) => createLandmarks(points.subarray(b * COUNT * 3, (b + 1) * COUNT * 3), 3));

await describeBackends('volumes as tensors', [{ name: 'cpu', required: true }], () => {
  it.each([
    {},
    { depthKernel: 'literal', sigma: 0.7 },
    { amplitude: 'peak', colors: 'compact' },
    { cutoff: 0, sigma: 1.5 },
  ] as Partial<VolumeOptions>[])('encodes a batch like the arrays: %o', async (options) => {
    const encoder = createVolumeEncoder(COUNT, { ...SIZE, ...options });
    const unit = tf.tensor3d(points, [2, COUNT, 3]);
    const volumes = encodeVolumeBatch(unit, encoder);
    const arrays = faces.map((face) => encoder.encode(face));
    for (const [m, volume] of volumes.entries()) {
      expect(volume.shape).toEqual([2, 5, 7, SIZE.depths[m], encoder.channels]);
      const expected = [...arrays[0][m], ...arrays[1][m]];
      const peak = Math.max(...expected);
      expect(maxDifference(await volume.data(), expected)).toBeLessThan(2e-6 * peak);
    }
    tf.dispose([unit, ...volumes]);
  });

  it('marginalizes depth like the arrays (Eq. 4), and its gradient spreads evenly along z', async () => {
    const shape = { width: 3, height: 2, depth: 4, channels: 2 };
    const values = Float32Array.from({ length: 48 }, () => random.next());
    const volume = tf.tensor5d(values, [1, 2, 3, 4, 2]);
    const heatmap = marginalizeDepthTensor(volume);
    expect(heatmap.shape).toEqual([1, 2, 3, 2]);
    expectClose(await heatmap.data(), marginalizeDepth(values, shape));
    await expectGradient((x) => tf.sum(tf.square(marginalizeDepthTensor(x as tf.Tensor5D))), [volume]);
    tf.dispose([volume, heatmap]);
  });

  it('leaves no tensor behind', async () => {
    const encoder = createVolumeEncoder(COUNT, SIZE);
    await expectNoLeak(() => {
      const unit = tf.tensor3d(points, [2, COUNT, 3]);
      const volumes = encodeVolumeBatch(unit, encoder);
      const heatmap = marginalizeDepthTensor(volumes[2]);
      tf.dispose([unit, heatmap, ...volumes]);
    });
  });

  it('refuses another number of landmarks', () => {
    const unit = tf.zeros([1, 5, 3]) as tf.Tensor3D;
    expect(() => encodeVolumeBatch(unit, createVolumeEncoder(COUNT, SIZE))).toThrow(
      'encodeVolumeBatch: expected [b, 4, 3], got [1, 5, 3]',
    );
    unit.dispose();
  });
});
