import { dispose, memory, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { phaseRounds } from './helpers/phase-rounds.ts';

/** How the graph fails: while it is made, or when it runs. */
let fails: 'recording' | 'running' = 'recording';

vi.mock('@voxface/backend', async (load) => ({
  ...(await load<typeof import('@voxface/backend')>()),
  isNative: () => true,
  recordGraph: (_: unknown, compute: () => Tensor[]) => {
    const outputs = tidy(() => compute().map((tensor) => tensor.clone()));
    if (fails === 'recording') {
      dispose(outputs);
      throw new Error('TensorFlow must take the graph, got "no such operation"');
    }
    const run = () => {
      throw new Error('no kernel for it');
    };
    return { outputs, program: { length: 1, run, dispose: () => {} } };
  },
}));

describe('a phase that does not run as a graph', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(['recording', 'running'] as const)('goes on by tape with the same values, %s', async (when) => {
    fails = when;
    const expected = await phaseRounds('tape');
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { numTensors, numDataBuffers } = memory();
    expect(await phaseRounds('auto')).toEqual(expected);
    expect(memory()).toMatchObject({ numTensors, numDataBuffers });
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0][0]).toMatch(/tape, which is slower.*(no such operation|no kernel for it)/);
  });

  it('is an error where a graph was asked for', async () => {
    fails = 'recording';
    await expect(phaseRounds('graph')).rejects.toThrow(/no such operation/);
  });
});
