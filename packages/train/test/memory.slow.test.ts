import { memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { expect, it } from 'vitest';
import type { NetworkName } from '../src/networks.ts';
import { createReplica } from '../src/replica.ts';
import { adamUpdate, createAdamState } from '../src/training-state.ts';
import { randomCrops, tinyNetworks } from './helpers/tiny-run.ts';

it('memory stays flat over 300 adversarial steps', async () => {
  await setupBackend('wasm');
  const { networks, encoder } = tinyNetworks();
  const replica = createReplica(networks, encoder);
  const states = Object.fromEntries(
    Object.entries(networks.weights).map(([name, { trainable }]) => [name, createAdamState(trainable.size)]),
  );
  const tensors = new Set<number>();
  const bytes: number[] = [];
  for (let step = 0; step < 300; step++) {
    replica.load([{ samples3d: randomCrops(2, 3, step), samples2d: randomCrops(2, 2, step) }]);
    for (const phase of ['discriminator', 'generator'] as const) {
      const { gradients, losses } = await replica.compute(phase, 0.1);
      expect(Object.values(losses).every(Number.isFinite)).toBe(true);
      for (const [name, gradient] of Object.entries(gradients)) {
        const { trainable } = networks.weights[name as NetworkName]!;
        const values = await trainable.read();
        adamUpdate(values, gradient, states[name], 1e-3);
        trainable.write(values);
      }
    }
    if (step >= 2) tensors.add(memory().numTensors);
    if (step === 2 || step === 299) bytes.push(memory().numBytes);
  }
  expect([...tensors]).toHaveLength(1);
  expect(bytes[1]).toBe(bytes[0]);
  replica.dispose();
});
