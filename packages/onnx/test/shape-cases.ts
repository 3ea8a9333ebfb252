import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type Case, chain, use } from './cases.ts';

/** Layers that pool, move, stretch or join values. */
export const SHAPE_CASES: Case[] = [
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
