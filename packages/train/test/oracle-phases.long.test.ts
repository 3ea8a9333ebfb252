import { setupBackend } from '@voxface/backend';
import { describe, expect, it } from 'vitest';
import type { Execution } from '../src/config.ts';
import type { NetworkName } from '../src/networks.ts';
import type { PhaseName } from '../src/phases.ts';
import { createReplica } from '../src/replica.ts';
import golden from './golden/phases.json' with { type: 'json' };
import { findNativeBackend } from './helpers/native-backend.ts';
import { expectLosses, expectProbes, oracleNetworks, oracleSamples, probes } from './helpers/oracle.ts';

const lacking = await findNativeBackend();
const ways: ['cpu' | 'node', Execution][] = [
  ['cpu', 'tape'],
  ['cpu', 'kernels'],
];
if (lacking === undefined) ways.push(['node', 'graph']);

const read = (set: { read(): Promise<Float32Array> }) => set.read();

/**
 * Every phase on two 3D and three 2D images: losses, gradients of the networks that it trains (and no others), running
 * statistics that moved (and no others).
 */
describe.each(golden.phases)('$phase phase against PyTorch, shared encoder $shared, $form', (expected) => {
  it.each(ways)('on %s: %s', async (backend, execution) => {
    await setupBackend(backend);
    const { networks, encoder, layout, dispose } = oracleNetworks(expected.shared);
    const names = Object.keys(networks.weights) as NetworkName[];
    const before = await Promise.all(names.map((name) => read(networks.weights[name]!.statistics)));
    const parameters = await Promise.all(names.map((name) => read(networks.weights[name]!.trainable)));
    const adversary = { form: expected.form as 'literal' | 'relative', share: golden.share };
    const { weights } = golden;
    const replica = createReplica(networks, encoder, { weights, adversary, lossScale: 8, execution });
    replica.load([oracleSamples('phase', 2, expected.phase === 'coordinate' ? 0 : 3)]);
    if (execution !== 'tape') {
      // The recording itself runs on the tape: what was recorded is what the second run computes.
      await replica.compute(expected.phase as PhaseName, golden.mu);
      names.forEach((name, i) => {
        networks.weights[name]!.statistics.write(before[i]);
      });
    }
    const { losses, gradients } = await replica.compute(expected.phase as PhaseName, golden.mu);
    expectLosses(losses, expected.losses, 1e-4);
    expect(Object.keys(gradients)).toEqual(Object.keys(expected.gradients));
    for (const [name, truth] of Object.entries(expected.gradients)) {
      const found = probes(gradients[name as NetworkName]!, layout(name as NetworkName, 'trainable'));
      expectProbes(found, truth as Record<string, number[]>, 2e-3);
    }
    const moved: Record<string, number[]> = {};
    for (const [i, name] of names.entries()) {
      const after = await read(networks.weights[name]!.statistics);
      const old = probes(before[i], layout(name, 'statistics'));
      for (const [weight, probe] of Object.entries(probes(after, layout(name, 'statistics')))) {
        if (probe[0] !== old[weight][0] || probe[1] !== old[weight][1]) moved[weight] = probe;
      }
      expect([...(await read(networks.weights[name]!.trainable))]).toEqual([...parameters[i]]);
    }
    expectProbes(moved, expected.statistics as unknown as Record<string, number[]>, 1e-4);
    replica.dispose();
    dispose();
  });
});
