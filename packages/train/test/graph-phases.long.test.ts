import { memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReplica } from '../src/replica.ts';
import { findNativeBackend } from './helpers/native-backend.ts';
import { phaseRounds } from './helpers/phase-rounds.ts';
import { tinyNetworks } from './helpers/tiny-run.ts';

const lacking = await findNativeBackend();

describe.skipIf(lacking !== undefined)('phases as graphs (needs voxface setup-node)', () => {
  beforeAll(async () => {
    await setupBackend('node');
  });

  it('compute what the tape does up to rounding, the same every time, and leave nothing behind', async () => {
    const expected = await phaseRounds('tape');
    const { numTensors, numDataBuffers } = memory();
    const found = await phaseRounds('graph');
    expect(memory()).toMatchObject({ numTensors, numDataBuffers });
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, values] of Object.entries(expected)) {
      const norm = Math.hypot(...values);
      const difference = Math.hypot(...found[name].map((value, i) => value - values[i]));
      expect(difference / norm, name).toBeLessThan(1e-3);
      if (name.endsWith('losses')) expect(difference / norm, name).toBeLessThan(1e-5);
    }
    expect(await phaseRounds('graph')).toEqual(found);
    expect(expected['0 joint losses']).not.toEqual(expected['2 joint losses']);
  });
});

it('graphs of phases are refused elsewhere, with the way out', async () => {
  await setupBackend('cpu');
  const { networks, encoder } = tinyNetworks();
  expect(() => createReplica(networks, encoder, { execution: 'graph' })).toThrow(
    /execution 'graph' needs the backend node or webgpu, got cpu \(voxface setup-node builds it; or set execution to auto\)/,
  );
  networks.model.dispose();
  networks.discriminator?.dispose();
});
