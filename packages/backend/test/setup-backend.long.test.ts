import { getBackend, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { assertTrainable, setupBackend } from '../src/index.ts';

describe('setupBackend', () => {
  it('makes cpu current and trainable', async () => {
    const info = await setupBackend('cpu');
    expect(info).toMatchObject({ name: 'cpu', threads: 1, tried: [] });
    expect(info.reason).toContain('asked for');
    expect(getBackend()).toBe('cpu');
    assertTrainable();
  });

  it('names what it takes when the name is wrong', async () => {
    await expect(setupBackend('cuda' as never)).rejects.toThrow(
      "setupBackend: the backend must be one of auto, cpu, wasm, webgl, webgpu, node, node-gpu, got 'cuda'",
    );
  });

  it('says why a browser backend cannot run in Node', async () => {
    await expect(setupBackend('webgl')).rejects.toThrow(/'webgl' must be usable here: there is no WebGL 2/);
  });

  it('computes with wasm on one thread in Node', async () => {
    const info = await setupBackend('wasm');
    expect(info).toMatchObject({ name: 'wasm', threads: 1 });
    const x = tensor1d([1, 2, 3]);
    expect(Array.from(await x.data())).toEqual([1, 2, 3]);
    x.dispose();
  });
});
