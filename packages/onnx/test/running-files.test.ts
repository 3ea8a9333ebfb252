import { expect, it, vi } from 'vitest';

const load = vi.hoisted(() => () => {
  throw new Error('TensorFlow.js was loaded');
});
vi.mock('@tensorflow/tfjs-core', load);
vi.mock('@tensorflow/tfjs-layers', load);

it('a file runs without TensorFlow.js being loaded, in threads and in pages', async () => {
  await import('../src/create-node-predictor.ts');
  await import('../src/open-onnx-detector.ts');
  await import('../src/web.ts');
  await expect(import('../src/node.ts')).rejects.toThrow();
});
