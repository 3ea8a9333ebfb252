import { conv2d, conv2dTranspose, conv3d, fused, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { ConformanceCase } from './case.ts';

const PADS = ['same', 'valid'] as const;

/** Batch, height, width, channels in, channels out: odd, not square, channels not multiples of 4, and the aligned case. */
const SIZES_2D = [
  [2, 11, 8, 3, 5],
  [1, 9, 10, 8, 16],
] as const;
const SIZES_3D = [
  [2, 5, 8, 7, 3, 6],
  [1, 4, 6, 4, 8, 8],
] as const;

function cases2D(): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  for (const kernel of [1, 2, 3, 4, 5, 7]) {
    for (const stride of [1, 2]) {
      for (const pad of PADS) {
        for (const [b, h, w, ci, co] of SIZES_2D) {
          cases.push({
            kernel: 'Conv2D',
            name: `k${kernel} s${stride} ${pad} [${b},${h},${w},${ci}]->${co}`,
            shapes: [
              [b, h, w, ci],
              [kernel, kernel, ci, co],
            ],
            run: (x, filter) => conv2d(x as Tensor4D, filter as Tensor4D, stride, pad),
          });
        }
      }
    }
  }
  cases.push(
    {
      kernel: 'Conv2D',
      name: 'k3x1 s3 same [2,13,17,6]->9',
      shapes: [
        [2, 13, 17, 6],
        [3, 1, 6, 9],
      ],
      run: (x, filter) => conv2d(x as Tensor4D, filter as Tensor4D, 3, 'same'),
    },
    {
      kernel: 'Conv2D',
      name: 'k3 dilation 2 same, forward only [2,9,11,5]->6',
      shapes: [
        [2, 9, 11, 5],
        [3, 3, 5, 6],
      ],
      differentiable: false,
      run: (x, filter) => conv2d(x as Tensor4D, filter as Tensor4D, 1, 'same', 'NHWC', 2),
    },
    {
      kernel: 'Conv2DBackpropInput',
      name: 'transposed convolution k4 s2 same [2,5,7,6]->5',
      shapes: [
        [2, 5, 7, 6],
        [4, 4, 5, 6],
      ],
      run: (x, filter) =>
        conv2dTranspose(x as Tensor4D, filter as Tensor4D, [x.shape[0], 10, 14, 5], 2, 'same'),
    },
  );
  for (const activation of ['linear', 'relu', 'sigmoid'] as const) {
    cases.push({
      kernel: 'FusedConv2D',
      name: `k3 s1 same bias ${activation} [2,7,6,5]->7`,
      shapes: [[2, 7, 6, 5], [3, 3, 5, 7], [7]],
      run: (x, filter, bias) =>
        fused.conv2d({
          x: x as Tensor4D,
          filter: filter as Tensor4D,
          strides: 1,
          pad: 'same',
          bias,
          activation,
        }),
    });
  }
  return cases;
}

function cases3D(): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  for (const kernel of [1, 2, 3, 4]) {
    for (const stride of [1, 2]) {
      for (const pad of PADS) {
        // TensorFlow.js pads a kernel below its stride with a negative number, each backend in its own way.
        if (kernel < stride && pad === 'same') continue;
        for (const [b, h, w, d, ci, co] of SIZES_3D) {
          cases.push({
            kernel: 'Conv3D',
            name: `k${kernel} s${stride} ${pad} [${b},${h},${w},${d},${ci}]->${co}`,
            shapes: [
              [b, h, w, d, ci],
              [kernel, kernel, kernel, ci, co],
            ],
            run: (x, filter): Tensor => conv3d(x as never, filter as never, stride as never, pad),
          });
        }
      }
    }
  }
  return cases;
}

/** Convolutions: kernels 1 to 7, strides 1 and 2, same and valid, odd and non-cubic sizes, batches, odd channel counts. */
export function convolutionCases(): ConformanceCase[] {
  return [...cases2D(), ...cases3D()];
}
