/**
 * Samples per second of one training process with one and with two worker threads, in turns, on the same part of the
 * batch per worker: a batch of B alone, 2 B together. Medians over the rounds.
 *
 *     node --conditions=voxface-source --import tsx packages/train/bench/workers.ts [PRESET] [B] [BACKEND] [ROUNDS]
 */
import { setupBackend } from '@voxface/backend';
import { createLocalEngine, type GradientEngine } from '../src/engine.ts';
import type { NetworkName, NetworkWeights } from '../src/networks.ts';
import { createRunNetworks } from '../src/networks.ts';
import { createParallelEngine } from '../src/node/parallel-engine.ts';
import { createRunReplica } from '../src/replica.ts';
import { type AdamState, adamUpdate, createAdamState } from '../src/training-state.ts';
import { benchConfig } from './bench-config.ts';
import { noiseCrops } from './noise-crops.ts';

const [preset = 'small', batch = '12', backend = 'wasm', rounds = '7'] = process.argv.slice(2);
const batchSize = Number(batch);
const configOf = (workers: number) =>
  benchConfig(preset, { batchSize: workers * batchSize, workers, backend });
await setupBackend(backend as 'wasm');
const networks = createRunNetworks(configOf(1));
const replica = createRunReplica(configOf(1), networks);
const engines: Record<number, GradientEngine> = {
  1: createLocalEngine(replica),
  2: await createParallelEngine(configOf(2), replica, 2),
};
const { inputSize, landmarks } = networks.model.options;
const samples3d = noiseCrops(batchSize, inputSize, landmarks);
const parameters: Partial<Record<NetworkName, Float32Array>> = {};
const adam: Partial<Record<NetworkName, AdamState>> = {};
for (const [name, { trainable }] of Object.entries(networks.weights) as [NetworkName, NetworkWeights][]) {
  parameters[name] = await trainable.read();
  adam[name] = createAdamState(trainable.size);
}
const times: Record<number, number[]> = { 1: [], 2: [] };
const processor: Record<number, number[]> = { 1: [], 2: [] };
for (let round = 0; round <= Number(rounds); round++) {
  for (const workers of [1, 2]) {
    const engine = engines[workers];
    const start = performance.now();
    const before = process.cpuUsage();
    await engine.load(Array.from({ length: workers }, () => ({ samples3d, samples2d: [] })));
    const { gradients } = await engine.compute('joint', 0);
    for (const [name, gradient] of Object.entries(gradients) as [NetworkName, Float32Array][]) {
      adamUpdate(parameters[name]!, gradient, adam[name]!, 1e-6);
      await engine.write(name, parameters[name]!);
    }
    const { user, system } = process.cpuUsage(before);
    if (round > 0) {
      times[workers].push(performance.now() - start);
      processor[workers].push((user + system) / 1000);
    }
  }
}
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];
const rates = [1, 2].map((workers) => (workers * batchSize * 1000) / median(times[workers]));
console.log(
  `${preset}, ${backend}, ${batchSize} samples per worker: ${rates[0].toFixed(1)} samples/s with one worker, ${rates[1].toFixed(1)} with two, ratio ${(rates[1] / rates[0]).toFixed(2)}`,
);
for (const workers of [1, 2]) {
  const best = Math.min(...times[workers]);
  const cpu = median(processor[workers]);
  console.log(
    `workers ${workers}: best step ${best.toFixed(0)}; cpu ${cpu.toFixed(0)} ms for ${workers * batchSize} samples`,
  );
}
await engines[2].close();
process.exit(0);
