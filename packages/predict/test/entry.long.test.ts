import { expect, it, vi } from 'vitest';

const load = vi.hoisted(() => () => {
  throw new Error('TensorFlow.js was loaded');
});
vi.mock('@tensorflow/tfjs-core', load);
vi.mock('@tensorflow/tfjs-layers', load);

it('loads no TensorFlow.js, unlike the networks', async () => {
  const { createDetector, localizeImages } = await import('../src/index.ts');
  expect(typeof createDetector).toBe('function');
  expect(typeof localizeImages).toBe('function');
  await expect(import('../../models/src/index.ts')).rejects.toThrow();
});
