import * as tf from '@tensorflow/tfjs-core';
import { normalizeBatch, normalizeWith } from '../operations/batch-normalize.ts';
import type { ConformanceCase } from './case.ts';

type Unary = [kernel: string, run: (x: tf.Tensor) => tf.Tensor, prepare?: (value: number) => number];

const SHAPE = [3, 5, 7];
const positive = (value: number): number => Math.abs(value) + 0.3;
/** Keeps values away from 0, where the function has a kink. */
const away = (value: number): number => value + (value < 0 ? -0.1 : 0.1);

const UNARY: Unary[] = [
  ['Relu', tf.relu, away],
  ['LeakyRelu', (x) => tf.leakyRelu(x, 0.1), away],
  ['Elu', tf.elu, away],
  ['Sigmoid', tf.sigmoid],
  ['Tanh', tf.tanh],
  ['Softplus', tf.softplus],
  ['Exp', tf.exp],
  ['Log', tf.log, positive],
  ['Sqrt', tf.sqrt, positive],
  ['Rsqrt', tf.rsqrt, positive],
  ['Square', tf.square],
  ['Abs', tf.abs, away],
  ['Neg', tf.neg],
  [
    'ClipByValue',
    (x) => tf.clipByValue(x, -0.5, 0.5),
    (value) => (Math.abs(Math.abs(value) - 0.5) < 0.05 ? 0 : value),
  ],
  ['Softmax', (x) => tf.softmax(x)],
  ['Sum', (x) => tf.sum(x)],
  ['Sum', (x) => tf.sum(x, [0, 1])],
  ['Sum', (x) => tf.sum(x, 2)],
  ['Mean', (x) => tf.mean(x)],
  ['Mean', (x) => tf.mean(x, [0, 1], true)],
  ['Max', (x) => tf.max(x, 2)],
  ['Reshape', (x) => tf.reshape(x, [15, 7])],
  ['Slice', (x) => tf.slice(x, [1, 0, 2], [2, 5, 3])],
  [
    'PadV2',
    (x) =>
      tf.pad(
        x,
        [
          [1, 2],
          [0, 1],
          [2, 0],
        ],
        0.5,
      ),
  ],
  ['Transpose', (x) => tf.transpose(x, [2, 0, 1])],
  ['Tile', (x) => tf.tile(x, [2, 1, 3])],
  ['SplitV', (x) => tf.concat([...tf.split(x, [2, 5], 2)].reverse(), 2)],
  ['Unpack', (x) => tf.stack([...tf.unstack(x, 1)].reverse(), 1)],
  ['Cumsum', (x) => tf.cumsum(x, 2)],
  ['GatherV2', (x) => tf.gather(x, tf.tensor1d([6, 0, 0, 3], 'int32'), 2)],
  ['GatherV2', (x) => tf.gather(x, tf.tensor1d([2, 0, 0, 1], 'int32'), 0)],
];

type Binary = [
  kernel: string,
  run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  prepare?: (value: number) => number,
];

const BINARY: Binary[] = [
  ['Add', tf.add],
  ['Sub', tf.sub],
  ['Multiply', tf.mul],
  ['RealDiv', tf.div, away],
  ['Maximum', tf.maximum],
  ['Minimum', tf.minimum],
  ['SquaredDifference', tf.squaredDifference],
];

/** Same shapes; a vector along the last axis; a scalar; a column. */
const BROADCASTS = [
  [SHAPE, SHAPE],
  [SHAPE, [7]],
  [SHAPE, []],
  [SHAPE, [3, 1, 7]],
];

function matrixCases(): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      cases.push({
        kernel: 'BatchMatMul',
        name: `[2] x 5x9 * 9x6${transposeA ? ', first transposed' : ''}${transposeB ? ', second transposed' : ''}`,
        shapes: [transposeA ? [2, 9, 5] : [2, 5, 9], transposeB ? [2, 6, 9] : [2, 9, 6]],
        run: (a, b) => tf.matMul(a, b, transposeA, transposeB),
      });
    }
  }
  cases.push({
    kernel: '_FusedMatMul',
    name: '4x19 * 19x7, bias, relu',
    shapes: [[4, 19], [19, 7], [7]],
    run: (a, b, bias) =>
      tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias, activation: 'relu' }),
  });
  return cases;
}

function normalizationCases(): ConformanceCase[] {
  return [
    {
      kernel: 'FusedBatchNorm',
      name: 'given statistics, [2,4,5,6]',
      shapes: [[2, 4, 5, 6], [6], [6], [6], [6]],
      prepare: positive,
      run: (x, center, variance, offset, scale) =>
        tf.batchNorm(
          x as tf.Tensor4D,
          center as tf.Tensor1D,
          variance as tf.Tensor1D,
          offset as tf.Tensor1D,
          scale as tf.Tensor1D,
          1e-3,
        ),
    },
    {
      kernel: 'FusedBatchNorm',
      name: 'given statistics, rank 5 [2,3,4,5,6]',
      shapes: [[2, 3, 4, 5, 6], [6], [6], [6], [6]],
      prepare: positive,
      run: (x, center, variance, offset, scale) =>
        normalizeWith(
          x,
          center as tf.Tensor1D,
          variance as tf.Tensor1D,
          scale as tf.Tensor1D,
          offset as tf.Tensor1D,
        ),
    },
    ...[
      [2, 4, 5, 6],
      [2, 3, 4, 5, 6],
    ].map((shape) => ({
      kernel: 'Mean',
      name: `batch statistics and normalization, [${shape}]`,
      shapes: [shape, [6], [6]],
      run: (x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) =>
        normalizeBatch(x, scale as tf.Tensor1D, offset as tf.Tensor1D).output,
    })),
  ];
}

/** Everything around the convolutions: activations, reductions, broadcasts, shapes, products, normalization. */
export function arithmeticCases(): ConformanceCase[] {
  const cases: ConformanceCase[] = UNARY.map(([kernel, run, prepare], index) => ({
    kernel,
    name: `[${SHAPE}] #${index}`,
    shapes: [SHAPE],
    run,
    prepare,
  }));
  for (const [kernel, run, prepare] of BINARY) {
    // TensorFlow.js' own gradients of these do not reduce broadcast axes, on any backend.
    const isElementwise = ['Maximum', 'Minimum', 'SquaredDifference'].includes(kernel);
    for (const shapes of isElementwise ? BROADCASTS.slice(0, 1) : BROADCASTS) {
      cases.push({ kernel, name: shapes.map((shape) => `[${shape}]`).join(' '), shapes, run, prepare });
    }
  }
  cases.push({
    kernel: 'LeakyRelu',
    name: 'rank 5 [2,2,3,2,4]',
    shapes: [[2, 2, 3, 2, 4]],
    prepare: away,
    run: (x) => tf.leakyRelu(x, 0.1),
  });
  cases.push({
    kernel: 'Concat',
    name: '[2,3,4,5] [2,3,4,2], last axis',
    shapes: [
      [2, 3, 4, 5],
      [2, 3, 4, 2],
    ],
    run: (a, b) => tf.concat([a, b], 3),
  });
  cases.push({
    kernel: 'Select',
    name: '[3,5,7]',
    shapes: [SHAPE, SHAPE],
    run: (a, b) =>
      tf.where(
        tf.tensor3d(
          Array.from({ length: 105 }, (_, i) => i % 3 === 0),
          [3, 5, 7],
          'bool',
        ),
        a,
        b,
      ),
  });
  return [...cases, ...matrixCases(), ...normalizationCases()];
}
