import '@tensorflow/tfjs-backend-cpu';
import { setupBackend } from '@voxface/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { disagreement, leakOf } from './helpers/backend-agreement.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

describe('predictions on wasm', () => {
  it('agree with cpu within 0.1 px of a 256-px crop', async () => {
    expect(await disagreement('wasm', 'cpu')).toBeLessThan(0.1);
  });

  it('leak nothing in 100 predictions', async () => {
    expect(await leakOf(100, 'wasm')).toBe(0);
  });
});
