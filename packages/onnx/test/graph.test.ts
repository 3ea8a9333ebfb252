import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { exportNetwork } from '../src/export.ts';
import { chain, use } from './cases.ts';
import { randomizeWeights, runBoth } from './run-both.ts';

describe('the exported graph', () => {
  it('moves data only at the ends of a convolutional network', async () => {
    const x = input({ shape: [8, 8, 3] });
    let y = use(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }))(x);
    y = use(layers.batchNormalization())(y);
    y = use(layers.maxPooling2d({ poolSize: 2 }))(use(layers.reLU())(y));
    y = use(layers.upSampling2d({ size: [2, 2] }))(y);
    const network = model({ inputs: x, outputs: use(layers.conv2d({ filters: 2, kernelSize: 1 }))(y) });
    randomizeWeights(network);
    const { operators, difference } = await runBoth(network);
    expect(difference).toBeLessThan(2e-5);
    expect(operators).toEqual(['Transpose', 'Conv', 'Relu', 'MaxPool', 'Resize', 'Conv', 'Transpose']);
  });

  it('folds borders and normalisations only where nothing else reads between', async () => {
    const x = input({ shape: [8, 8, 3] });
    const padded = use(layers.zeroPadding2d({ padding: 1 }))(x);
    const convolved = use(layers.conv2d({ filters: 4, kernelSize: 3 }))(padded);
    const normal = use(layers.batchNormalization())(convolved);
    const folded = model({ inputs: x, outputs: normal });
    const kept = model({ inputs: x, outputs: layers.add().apply([normal, convolved]) as SymbolicTensor });
    randomizeWeights(folded);
    const first = await runBoth(folded);
    expect(first.operators).toEqual(['Transpose', 'Conv', 'Transpose']);
    expect(first.difference).toBeLessThan(2e-5);
    const second = await runBoth(kept);
    expect(second.operators).toContain('BatchNormalization');
    expect(second.difference).toBeLessThan(2e-5);
  });

  it('cancels factors that undo each other', async () => {
    const x = input({ shape: [3] });
    const y = chain(
      use(layers.rescaling({ scale: 1 / 15.75 })),
      use(layers.rescaling({ scale: 15.75 })),
      use(layers.reLU()),
    )(x);
    const { operators, difference } = await runBoth(model({ inputs: x, outputs: y }));
    expect(operators).toEqual(['Relu']);
    expect(difference).toBe(0);
  });

  it('stores kernels in half precision', async () => {
    const x = input({ shape: [8, 8, 3] });
    const network = model({ inputs: x, outputs: use(layers.conv2d({ filters: 64, kernelSize: 5 }))(x) });
    randomizeWeights(network);
    const { difference } = await runBoth(network, 1, { precision: 'float16' });
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(5e-3);
    const [half, single] = [
      await exportNetwork(network, { precision: 'float16' }),
      await exportNetwork(network),
    ];
    expect(half.length).toBeLessThan(0.6 * single.length);
  });

  it('stores kernels in 8 bits with a scale per output channel', async () => {
    const x = input({ shape: [8, 8, 3] });
    const network = model({ inputs: x, outputs: use(layers.conv2d({ filters: 64, kernelSize: 5 }))(x) });
    randomizeWeights(network);
    const { difference } = await runBoth(network, 1, { precision: 'int8' });
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(5e-2);
    const [eighth, single] = [
      await exportNetwork(network, { precision: 'int8' }),
      await exportNetwork(network),
    ];
    expect(eighth.length).toBeLessThan(0.35 * single.length);
  });
});
