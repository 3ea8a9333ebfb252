import { setupBackend } from '@voxface/backend';
import { expect, it } from 'vitest';
import { phaseRounds } from './helpers/phase-rounds.ts';

it('recorded phases on wasm compute bit by bit what the tape does', async () => {
  await setupBackend('wasm');
  expect(await phaseRounds('kernels')).toEqual(await phaseRounds('tape'));
});
