import { expect, it, vi } from 'vitest';

const load = vi.hoisted(() => () => {
  throw new Error('TensorFlow.js was loaded');
});
vi.mock('@tensorflow/tfjs-core', load);
vi.mock('@tensorflow/tfjs-layers', load);

it('a file runs without TensorFlow.js being loaded, in Node and in pages; writing one takes it', async () => {
  await import('../src/index.ts');
  await import('../src/node.ts');
  await import('../src/web.ts');
  await expect(import('../src/export.ts')).rejects.toThrow();
});
