import {
  add,
  batchNorm,
  grad,
  grads,
  mean,
  moments,
  mul,
  randomNormal,
  relu,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { normalizeBatch } from '../src/operations/batch-normalize.ts';
import { rectify } from '../src/training/accelerate-training.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

const draw = (shape: number[], seed: number) => randomNormal(shape, 0.3, 1.7, 'float32', seed);

/** The formula as TensorFlow.js differentiates it. */
function reference(x: Tensor4D, scale: Tensor1D, offset: Tensor1D): Tensor4D {
  const { mean: m, variance } = moments(x, [0, 1, 2]);
  return batchNorm(x, m as Tensor1D, variance as Tensor1D, offset, scale, 1e-5) as Tensor4D;
}

async function close(a: Tensor, b: Tensor): Promise<void> {
  const [p, q] = [await a.data(), await b.data()];
  expect(p.length).toBe(q.length);
  for (let i = 0; i < p.length; i++) expect(Math.abs(p[i] - q[i])).toBeLessThan(2e-4 * (1 + Math.abs(q[i])));
}

describe('normalizeBatch', () => {
  const x = () => draw([3, 5, 4, 6], 1) as Tensor4D;
  const scale = () => draw([6], 2) as Tensor1D;
  const offset = () => draw([6], 3) as Tensor1D;
  const weight = () => draw([3, 5, 4, 6], 4);

  it('returns the values and statistics of the formula', async () => {
    const input = x();
    const running = { mean: draw([6], 7) as Tensor1D, variance: draw([6], 8) as Tensor1D, momentum: 0.9 };
    const result = normalizeBatch(input, scale(), offset(), 1e-5, running);
    const { mean: m, variance } = moments(input, [0, 1, 2]);
    await close(result.output, reference(input, scale(), offset()));
    await close(result.mean, add(mul(running.mean, 0.9), mul(m, 0.1)));
    await close(result.variance, add(mul(running.variance, 0.9), mul(variance, 0.1 * (60 / 59))));
  });

  it('has the gradients of the formula for x, scale and offset', async () => {
    const through = (normalize: typeof reference) =>
      grads((a: Tensor, b: Tensor, c: Tensor) =>
        sum(mul(normalize(a as Tensor4D, b as Tensor1D, c as Tensor1D), weight())),
      )([x(), scale(), offset()]);
    const own = through(
      (a, b, c) =>
        normalizeBatch(a, b, c, 1e-5, {
          mean: draw([6], 7) as Tensor1D,
          variance: draw([6], 8) as Tensor1D,
          momentum: 0.9,
        }).output,
    );
    const expected = through(reference);
    for (let i = 0; i < 3; i++) await close(own[i], expected[i]);
  });
});

describe('rectify', () => {
  it('has the values and gradient of relu', async () => {
    const x = draw([4, 7], 5);
    await close(rectify(x), relu(x));
    const weight = draw([4, 7], 6);
    await close(
      grad((t: Tensor) => sum(mul(rectify(t), weight)))(x),
      grad((t: Tensor) => sum(mul(relu(t), weight)))(x),
    );
    expect((await mean(rectify(x)).data())[0]).toBeGreaterThan(0);
  });
});
