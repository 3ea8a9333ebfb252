import { layers } from '@tensorflow/tfjs-layers';
import { type Case, chain, use } from './cases.ts';

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

/** Activations, and layers with weights. */
export const WEIGHT_CASES: Case[] = [
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
];
