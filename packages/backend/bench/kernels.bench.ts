import { setupBackend } from '@voxface/backend';
import { bench, describe } from 'vitest';
import { prepareKernelShares } from './kernel-shares.ts';

/**
 * Speed of the convolutions that training runs most, on wasm with one thread, as shares of the backend's own 3x3
 * convolution. Every round runs each kernel once; the table of medians comes at the end. `packages/backend/bench/
 * print-kernel-shares.ts` prints the same without vitest.
 */
const shares = await prepareKernelShares(() => setupBackend('wasm'));

describe('training kernels of wasm', () => {
  bench('one round of all kernels', () => shares.runRound(), {
    time: 0,
    iterations: 15,
    warmupTime: 0,
    warmupIterations: 2,
    setup: () => shares.reset(),
    teardown: (_, mode) => {
      if (mode === 'run') console.log(shares.format());
    },
  });
});
