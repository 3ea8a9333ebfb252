import type { Execution } from '../../src/config.ts';
import { type NetworkName, selectNetworks } from '../../src/networks.ts';
import type { PhaseName } from '../../src/phases.ts';
import { createReplica } from '../../src/replica.ts';
import { randomCrops, tinyNetworks } from './tiny-run.ts';

const ROUNDS = 3;

/**
 * Everything that three rounds of all phases compute on the current backend, each on samples of its own and followed by
 * a step against the gradient: losses, gradients and running statistics, by name.
 */
export async function phaseRounds(execution: Execution): Promise<Record<string, number[]>> {
  const { networks, encoder } = tinyNetworks();
  const replica = createReplica(networks, encoder, { execution });
  const all: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const phase of ['volume', 'coordinate', 'joint', 'discriminator', 'generator'] as PhaseName[]) {
      const samples2d = phase === 'volume' || phase === 'coordinate' ? [] : randomCrops(1, 2, 20 + round);
      replica.load([{ samples3d: randomCrops(2, 3, 10 + round), samples2d }]);
      const { losses, gradients } = await replica.compute(phase, 0.2 * (round + 1));
      all[`${round} ${phase} losses`] = Object.values(losses);
      for (const [name, gradient] of Object.entries(gradients)) {
        all[`${round} ${phase} ${name}`] = [...gradient];
        const { trainable } = selectNetworks(networks, [name as NetworkName])[0];
        const values = await trainable.read();
        trainable.write(values.map((value, i) => value - 1e-3 * gradient[i]));
      }
    }
  }
  for (const [name, { statistics }] of Object.entries(networks.weights)) {
    all[`${name} statistics`] = [...(await statistics.read())];
  }
  replica.dispose();
  networks.discriminator?.dispose();
  networks.model.dispose();
  return all;
}
