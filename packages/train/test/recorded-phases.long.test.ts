import { memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { expect, it } from 'vitest';
import { phaseRounds } from './helpers/phase-rounds.ts';

it('recorded phases compute bit by bit what the tape does, and leave nothing behind', async () => {
  await setupBackend('cpu');
  const expected = await phaseRounds('tape');
  const { numTensors, numDataBuffers } = memory();
  expect(await phaseRounds('kernels')).toEqual(expected);
  expect(memory()).toMatchObject({ numTensors, numDataBuffers });
  // The rounds differ, so a program that repeats its recording would show.
  expect(expected['0 joint losses']).not.toEqual(expected['2 joint losses']);
});
