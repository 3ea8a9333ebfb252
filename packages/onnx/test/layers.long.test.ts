import { input, layers, model, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { exportNetwork, SUPPORTED_LAYERS } from '../src/export.ts';
import { use } from './cases.ts';
import { randomizeWeights, runBoth } from './run-both.ts';
import { SHAPE_CASES } from './shape-cases.ts';
import { WEIGHT_CASES } from './weight-cases.ts';

const CASES = [...WEIGHT_CASES, ...SHAPE_CASES];

describe('exportNetwork', () => {
  it.each(CASES)('%s gives what TensorFlow.js gives', async (_, shape, build) => {
    const x = input({ shape });
    const network = model({ inputs: x, outputs: build(x) });
    randomizeWeights(network);
    for (const batch of [1, 3]) expect((await runBoth(network, batch)).difference).toBeLessThan(2e-5);
  });

  it('has a case for every supported layer', () => {
    const covered = new Set<string>();
    for (const [, shape, build] of CASES) {
      const x = input({ shape });
      for (const layer of model({ inputs: x, outputs: build(x) }).layers) covered.add(layer.getClassName());
    }
    expect(SUPPORTED_LAYERS.filter((name) => !covered.has(name))).toEqual([]);
  });

  it('writes sequential models, models inside models and layers used twice', async () => {
    const inner = sequential({
      layers: [
        layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', inputShape: [6, 6, 3] }),
        layers.reLU(),
      ],
    });
    const x = input({ shape: [6, 6, 3] });
    const shared = layers.conv2d({ filters: 3, kernelSize: 1, name: 'shared' });
    const once = shared.apply(inner.apply(x)) as SymbolicTensor;
    const twice = shared.apply(inner.apply(once)) as SymbolicTensor;
    const network = model({ inputs: x, outputs: [twice, once] });
    randomizeWeights(network);
    const { difference, shapes } = await runBoth(network);
    expect(difference).toBeLessThan(2e-5);
    expect(shapes).toEqual([
      [2, 6, 6, 3],
      [2, 6, 6, 3],
    ]);
  });

  it('reads several inputs and an output that is an input', async () => {
    const a = input({ shape: [3], name: 'a' });
    const b = input({ shape: [3], name: 'b' });
    const network = model({ inputs: [a, b], outputs: [layers.add().apply([a, b]) as SymbolicTensor, a] });
    expect((await runBoth(network)).difference).toBe(0);
  });

  it('names what it cannot write', async () => {
    const x = input({ shape: [4, 3] });
    const recurrent = model({
      inputs: x,
      outputs: use(layers.simpleRNN({ units: 2, name: 'memory', recurrentInitializer: 'zeros' }))(x),
    });
    await expect(exportNetwork(recurrent)).rejects.toThrow(
      /layer 'memory' is of type SimpleRNN, which has no ONNX form here/,
    );
    const open = input({ shape: [null, null, 3] });
    const network = model({ inputs: open, outputs: use(layers.conv2d({ filters: 2, kernelSize: 1 }))(open) });
    await expect(exportNetwork(network)).rejects.toThrow(
      /sizes after the batch must be fixed, got null at axis 1/,
    );
    const a = input({ shape: [1, 3] });
    const broadcast = model({
      inputs: [x, a],
      outputs: layers.add({ name: 'sum' }).apply([x, a]) as SymbolicTensor,
    });
    await expect(exportNetwork(broadcast)).rejects.toThrow(/broadcasting of layer 'sum'/);
  });
});
