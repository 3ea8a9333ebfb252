import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, model, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { exportNetwork, SUPPORTED_LAYERS } from '../src/index.ts';
import { randomizeWeights, runBoth } from './run-both.ts';

type Apply = (x: SymbolicTensor) => SymbolicTensor;
type Case = [name: string, shape: number[], build: Apply];

const use =
  // biome-ignore lint/suspicious/noExplicitAny: any layer of tfjs-layers
    (layer: any): Apply =>
    (x) =>
      layer.apply(x) as SymbolicTensor;
const chain =
  (...steps: Apply[]): Apply =>
  (x) =>
    steps.reduce((y, step) => step(y), x);

const activations = [
  'elu',
  'hardSigmoid',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'tanh',
  'swish',
  'mish',
];

const CASES: Case[] = [
  ...activations.map(
    (activation): Case => [
      `Activation ${activation}`,
      [4, 5],
      use(layers.activation({ activation: activation as never })),
    ],
  ),
  ['Conv1D', [9, 3], use(layers.conv1d({ filters: 4, kernelSize: 3, padding: 'same' }))],
  [
    'Conv2D same, stride 2, even kernel',
    [8, 9, 3],
    use(layers.conv2d({ filters: 5, kernelSize: 4, strides: 2, padding: 'same' })),
  ],
  [
    'Conv2D oblong, dilated, with activation',
    [9, 11, 2],
    use(
      layers.conv2d({
        filters: 3,
        kernelSize: [3, 2],
        dilationRate: [1, 2],
        activation: 'relu',
        useBias: false,
      }),
    ),
  ],
  [
    'Conv2D channels first',
    [3, 6, 7],
    use(layers.conv2d({ filters: 4, kernelSize: 3, dataFormat: 'channelsFirst', padding: 'valid' })),
  ],
  [
    'Conv3D same, stride 2',
    [6, 4, 5, 3],
    use(layers.conv3d({ filters: 4, kernelSize: [4, 2, 3], strides: 2, padding: 'same' })),
  ],
  [
    'Conv2DTranspose same',
    [4, 5, 3],
    use(layers.conv2dTranspose({ filters: 2, kernelSize: 4, strides: 2, padding: 'same' })),
  ],
  [
    'Conv2DTranspose valid',
    [4, 5, 3],
    use(layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'valid' })),
  ],
  [
    'Conv2DTranspose same, stride over kernel',
    [3, 3, 2],
    use(layers.conv2dTranspose({ filters: 2, kernelSize: 1, strides: 2, padding: 'same' })),
  ],
  [
    'DepthwiseConv2D',
    [7, 6, 3],
    use(layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' })),
  ],
  [
    'SeparableConv2D',
    [7, 6, 3],
    use(
      layers.separableConv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
    ),
  ],
  ['Dense', [6], use(layers.dense({ units: 4, activation: 'sigmoid' }))],
  ['Dense along the last axis', [3, 6], use(layers.dense({ units: 4 }))],
  ['BatchNormalization', [4, 5, 3], use(layers.batchNormalization())],
  [
    'BatchNormalization without scale and centre',
    [4, 5, 3],
    use(layers.batchNormalization({ scale: false, center: false })),
  ],
  [
    'LeakyReLU, ReLU, ELU, ThresholdedReLU',
    [4, 5],
    chain(
      use(layers.leakyReLU({ alpha: 0.2 })),
      use(layers.elu()),
      use(layers.reLU({ maxValue: 0.5 })),
      use(layers.thresholdedReLU({ theta: 0.1 })),
    ),
  ],
  [
    'PReLU behind a convolution',
    [4, 5, 2],
    chain(use(layers.conv2d({ filters: 3, kernelSize: 1 })), use(layers.prelu())),
  ],
  [
    'Softmax along channels',
    [4, 5, 3],
    chain(use(layers.conv2d({ filters: 3, kernelSize: 1 })), use(layers.softmax({ axis: -1 }))),
  ],
  [
    'MaxPooling1D, AveragePooling1D',
    [10, 3],
    chain(
      use(layers.maxPooling1d({ poolSize: 3, strides: 1, padding: 'same' })),
      use(layers.averagePooling1d({ poolSize: 2 })),
    ),
  ],
  ['MaxPooling2D same', [7, 8, 3], use(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }))],
  [
    'AveragePooling2D same',
    [7, 8, 3],
    use(layers.averagePooling2d({ poolSize: [3, 2], strides: 2, padding: 'same' })),
  ],
  [
    'MaxPooling3D, AveragePooling3D',
    [6, 8, 4, 2],
    chain(use(layers.maxPooling3d({ poolSize: 2 })), use(layers.averagePooling3d({ poolSize: [1, 2, 2] }))),
  ],
  ['GlobalAveragePooling2D', [4, 5, 3], use(layers.globalAveragePooling2d({}))],
  ['GlobalMaxPooling2D', [4, 5, 3], use(layers.globalMaxPooling2d({}))],
  ['GlobalAveragePooling1D', [4, 5], use(layers.globalAveragePooling1d())],
  ['GlobalMaxPooling1D', [4, 5], use(layers.globalMaxPooling1d({}))],
  ['UpSampling2D nearest', [3, 4, 2], use(layers.upSampling2d({ size: [2, 3] }))],
  ['UpSampling2D along one axis', [3, 4, 2], use(layers.upSampling2d({ size: [1, 3] }))],
  ['UpSampling2D bilinear', [3, 4, 2], use(layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }))],
  [
    'ZeroPadding2D, Cropping2D',
    [5, 6, 2],
    chain(
      use(
        layers.zeroPadding2d({
          padding: [
            [1, 2],
            [0, 3],
          ],
        }),
      ),
      use(
        layers.cropping2D({
          cropping: [
            [2, 0],
            [1, 1],
          ],
        }),
      ),
    ),
  ],
  [
    'Reshape that splits axes behind a convolution',
    [4, 4, 2],
    chain(
      use(layers.conv2d({ filters: 6, kernelSize: 1 })),
      use(layers.reshape({ targetShape: [4, 4, 2, 3] })),
      use(layers.conv3d({ filters: 2, kernelSize: 2 })),
    ),
  ],
  [
    'Reshape across axes',
    [4, 6],
    chain(use(layers.reshape({ targetShape: [3, 8] })), use(layers.dense({ units: 2 }))),
  ],
  ['Reshape with an open size', [4, 6, 5], use(layers.reshape({ targetShape: [-1, 10] }))],
  [
    'Flatten behind a convolution',
    [4, 5, 2],
    chain(
      use(layers.conv2d({ filters: 3, kernelSize: 2 })),
      use(layers.flatten()),
      use(layers.dense({ units: 3 })),
    ),
  ],
  [
    'Permute',
    [3, 4, 5],
    chain(use(layers.permute({ dims: [3, 1, 2] })), use(layers.conv2d({ filters: 2, kernelSize: 2 }))),
  ],
  ['RepeatVector', [4], chain(use(layers.repeatVector({ n: 3 })), use(layers.dense({ units: 2 })))],
  [
    'Rescaling and dropouts',
    [4, 3],
    chain(
      use(layers.rescaling({ scale: 0.5, offset: -0.25 })),
      use(layers.dropout({ rate: 0.5 })),
      use(layers.gaussianNoise({ stddev: 1 })),
      use(layers.gaussianDropout({ rate: 0.5 })),
      use(layers.alphaDropout({ rate: 0.5 })),
    ),
  ],
  ['SpatialDropout1D', [4, 3], use(layers.spatialDropout1d({ rate: 0.5 }))],
  ...(['add', 'multiply', 'average', 'maximum', 'minimum'] as const).map(
    (merge): Case => [
      `${merge} of differently laid inputs`,
      [4, 5, 6],
      (x) => {
        const left = use(layers.conv2d({ filters: 6, kernelSize: 1 }))(x);
        return layers[merge]().apply([left, x, left]) as SymbolicTensor;
      },
    ],
  ),
  [
    'add of values whose axes factor differently',
    [4, 4, 6],
    (x) => {
      const split = use(layers.reshape({ targetShape: [16, 2, 3] }))(x);
      const other = use(layers.reshape({ targetShape: [16, 2, 3] }))(
        use(layers.conv2d({ filters: 6, kernelSize: 1 }))(x),
      );
      return layers
        .add()
        .apply([split, use(layers.conv2d({ filters: 3, kernelSize: 1 }))(other)]) as SymbolicTensor;
    },
  ],
  [
    'add of a stretched value',
    [4, 1, 3],
    (x) => {
      const stretched = use(layers.upSampling2d({ size: [1, 4] }))(x);
      return layers
        .add()
        .apply([stretched, use(layers.conv2d({ filters: 3, kernelSize: 1 }))(stretched)]) as SymbolicTensor;
    },
  ],
  [
    'concatenate along channels and along rows',
    [4, 5, 2],
    (x) => {
      const left = use(layers.conv2d({ filters: 3, kernelSize: 1 }))(x);
      const wide = layers.concatenate().apply([x, left]) as SymbolicTensor;
      return layers.concatenate({ axis: 1 }).apply([wide, wide]) as SymbolicTensor;
    },
  ],
];

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
