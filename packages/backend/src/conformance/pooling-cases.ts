import {
  avgPool,
  avgPool3d,
  image,
  maxPool,
  maxPool3d,
  type Tensor4D,
  type Tensor5D,
} from '@tensorflow/tfjs-core';
import { upsample3d } from '../operations/upsample-3d.ts';
import type { ConformanceCase } from './case.ts';

/** Negative values, well apart from their neighbours so that a small step does not change which is largest. */
const negative = (_: number, index: number): number => -0.1 - 3 * ((index * 0.618034) % 1);
const apart = (_: number, index: number): number => 3 * ((index * 0.618034) % 1) - 1.5;

/** Pooling and resizing, two- and three-dimensional. */
export function poolingCases(): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  for (const [size, stride, pad] of [
    [2, 2, 'same'],
    [2, 2, 'valid'],
    [3, 2, 'same'],
    [3, 1, 'valid'],
  ] as const) {
    cases.push(
      {
        kernel: 'MaxPool',
        name: `${size}x${size} s${stride} ${pad} [2,9,8,5]`,
        shapes: [[2, 9, 8, 5]],
        prepare: apart,
        run: (x) => maxPool(x as Tensor4D, size, stride, pad),
      },
      {
        kernel: 'MaxPool3D',
        name: `${size} s${stride} ${pad} [2,5,6,7,3], negative values`,
        shapes: [[2, 5, 6, 7, 3]],
        prepare: negative,
        run: (x) => maxPool3d(x as Tensor5D, size, stride, pad),
      },
    );
  }
  // Without padding: TensorFlow.js' gradient of padded average pooling divides by the whole window, on every backend.
  for (const [size, stride] of [
    [2, 2],
    [3, 1],
  ]) {
    cases.push(
      {
        kernel: 'AvgPool',
        name: `${size}x${size} s${stride} valid [2,9,8,5]`,
        shapes: [[2, 9, 8, 5]],
        run: (x) => avgPool(x as Tensor4D, size, stride, 'valid'),
      },
      {
        kernel: 'AvgPool3D',
        name: `${size} s${stride} valid [2,5,6,7,3]`,
        shapes: [[2, 5, 6, 7, 3]],
        run: (x) => avgPool3d(x as Tensor5D, size, stride, 'valid'),
      },
    );
  }
  for (const size of [
    [10, 14],
    [15, 7],
  ] as [number, number][]) {
    cases.push({
      kernel: 'ResizeNearestNeighbor',
      name: `[2,5,7,3] -> ${size.join('x')}`,
      shapes: [[2, 5, 7, 3]],
      run: (x) => image.resizeNearestNeighbor(x as Tensor4D, size),
    });
  }
  // Square: the cpu backend's gradient swaps height and width.
  cases.push({
    kernel: 'ResizeBilinear',
    name: '[2,6,6,3] -> 12x12',
    shapes: [[2, 6, 6, 3]],
    run: (x) => image.resizeBilinear(x as Tensor4D, [12, 12]),
  });
  cases.push({
    kernel: 'Tile',
    name: 'upsampling of volumes by 2, 1, 3 [2,3,4,5,3]',
    shapes: [[2, 3, 4, 5, 3]],
    run: (x) => upsample3d(x as Tensor5D, [2, 1, 3]),
  });
  return cases;
}
