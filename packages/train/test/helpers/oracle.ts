import { mul } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import type { BatchSource, CroppedSample } from '@voxface/datasets';
import { createFaceShapeModel, createVolumeDiscriminator, volumeOptions } from '@voxface/models';
import { fillWeights, noise, weightsOf } from '@voxface/test-utils';
import { createVolumeEncoder, type VolumeEncoder } from '@voxface/volume';
import { expect } from 'vitest';
import type { Execution, TrainingConfig } from '../../src/config.ts';
import { createLocalEngine } from '../../src/engine.ts';
import { listNetworks, type NetworkName, type TrainedNetworks } from '../../src/networks.ts';
import { parseTrainingConfig } from '../../src/parse-config.ts';
import type { PhaseName } from '../../src/phases.ts';
import { createReplica } from '../../src/replica.ts';
import { planStages } from '../../src/stages.ts';
import { createTrainer } from '../../src/trainer.ts';
import { createTrainingState } from '../../src/training-state.ts';
import golden from '../golden/phases.json' with { type: 'json' };

const { inputSize, landmarks } = golden.options;

/** Networks with the weights of `scripts/golden/train_phases.py`, on the current backend. */
export interface OracleNetworks {
  readonly networks: TrainedNetworks;
  readonly encoder: VolumeEncoder;
  /** Values of one network in the order of its vectors: names and sizes. */
  layout(name: NetworkName, part: 'trainable' | 'statistics'): { name: string; size: number }[];
  dispose(): void;
}

/** Creates them. */
export function oracleNetworks(shared: boolean): OracleNetworks {
  const model = createFaceShapeModel({ ...golden.options, regressorInput: 'all', volume: {} });
  const discriminator = createVolumeDiscriminator(model, { shared, decoderChannels: golden.decoderChannels });
  const networks = listNetworks(model, discriminator, shared);
  const all = [model.estimator, model.regressor, discriminator.network];
  all.forEach(fillWeights);
  const names = new Map<string, string>();
  for (const weight of new Set(all.flatMap(weightsOf))) {
    names.set((weight.read() as unknown as { name: string }).name, weight.originalName);
    for (const [pattern, factor] of golden.scales as [string, number][]) {
      if (!new RegExp(pattern).test(weight.originalName)) continue;
      const scaled = mul(weight.read(), factor);
      weight.write(scaled);
      scaled.dispose();
    }
  }
  return {
    networks,
    encoder: createVolumeEncoder(landmarks, volumeOptions(model.options)),
    layout: (name, part) =>
      networks.weights[name]![part].variables.map((v) => ({ name: names.get(v.name)!, size: v.size })),
    dispose: () => {
      discriminator.dispose();
      model.dispose();
    },
  };
}

/** The images of a step; the second 2D image hides landmark 3, and its file has rubbish there. */
export function oracleSamples(step: number | string, count3d: number, count2d: number) {
  const crop = <D extends 2 | 3>(i: number, dims: D): CroppedSample<D> => {
    const key = `${step} ${dims}d-${i}`;
    const u = noise(`${key} points`, landmarks * dims);
    const points = Float32Array.from(u, (v, k) => (k % dims === 2 ? 0.6 * v - 0.3 : 0.2 + 0.6 * v));
    const hides = dims === 2 && i === 1;
    if (hides) points[3 * 2] = Number.NaN;
    return {
      id: key,
      size: inputSize,
      mirrored: false,
      crop: [1, 0, 0, 1, 0, 0],
      pixels: Uint8Array.from(noise(`${key} pixels`, inputSize * inputSize * 3), (v) => Math.floor(256 * v)),
      landmarks: { dims, points },
      ...(hides && { visible: Uint8Array.of(1, 1, 1, 0, 1) }),
    };
  };
  return {
    samples3d: Array.from({ length: count3d }, (_, i) => crop(i, 3)),
    samples2d: Array.from({ length: count2d }, (_, i) => crop(i, 2)),
  };
}

/** Norm and random projection of every weight in a flat vector, by name. */
export function probes(
  values: Float32Array,
  layout: readonly { name: string; size: number }[],
): Record<string, [number, number]> {
  let start = 0;
  const found: Record<string, [number, number]> = {};
  for (const { name, size } of layout) {
    const part = values.subarray(start, start + size);
    const direction = noise(name, size);
    const norm = Math.sqrt(part.reduce((sum, v) => sum + v * v, 0));
    found[name] = [norm, part.reduce((sum, v, i) => sum + v * (2 * direction[i] - 1), 0)];
    start += size;
  }
  expect(start).toBe(values.length);
  return found;
}

/** Compares two sets of probes: the same names, and every number within `relative` of its norm. */
export function expectProbes(
  found: Record<string, readonly number[]>,
  expected: Record<string, readonly number[]>,
  relative: number,
): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  const largest = Math.max(...Object.values(expected).map(([norm]) => norm));
  for (const [name, [norm, projection]] of Object.entries(expected)) {
    const allowed = relative * norm + 1e-6 * largest;
    expect(Math.abs(found[name][0] - norm), `${name}: norm ${norm}`).toBeLessThan(allowed);
    expect(Math.abs(found[name][1] - projection), `${name}: projection of ${norm}`).toBeLessThan(allowed);
  }
}

/** Compares losses by name, to a relative difference. */
export function expectLosses(
  found: Record<string, number>,
  expected: Record<string, number | undefined>,
  relative: number,
): void {
  const present = Object.entries(expected).filter(([, value]) => value !== undefined);
  expect(Object.keys(found).sort()).toEqual(present.map(([name]) => name).sort());
  for (const [name, value] of present) {
    expect(Math.abs(found[name] / value! - 1), `${name}: ${found[name]}, expected ${value}`).toBeLessThan(
      relative,
    );
  }
}

/** The phases of the golden file, each with its form and whether P and D share their encoder. */
export const ORACLE_PHASES = golden.phases;

const read = (set: { read(): Promise<Float32Array> }) => set.read();

/**
 * One phase on two 3D and three 2D images: losses, gradients of the networks that it trains (and no others), running
 * statistics that moved (and no others).
 */
export async function checkPhase(
  expected: (typeof ORACLE_PHASES)[number],
  backend: 'cpu' | 'node',
  execution: Execution,
): Promise<void> {
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
}

/** The runs of the golden file: two steps of pre-training, two mixed, ten adversarial ones. */
export const ORACLE_RUNS = golden.runs;

/** Takes the first `count` steps of a run: losses and mu of each; after all of them the weights, too. */
export async function checkRun(expected: (typeof ORACLE_RUNS)[number], count: number): Promise<void> {
  await setupBackend('cpu');
  const config = runConfig();
  const { networks, encoder, layout, dispose } = oracleNetworks(expected.shared);
  const replica = createReplica(networks, encoder, { weights: config.weights, execution: 'tape' });
  const state = await createTrainingState(networks, false);
  const source = <D extends 2 | 3>(start: number, draw: (step: number) => CroppedSample<D>[]) => {
    let step = start;
    return { next: async () => draw(step++), close: async () => {} } as unknown as BatchSource<D>;
  };
  const trainer = createTrainer(config, {
    engine: createLocalEngine(replica),
    plan: () => planStages(config, 5),
    state,
    openSources: ({ start, shares: { size3d, size2d } }) => ({
      source3d: source<3>(start, (step) => oracleSamples(step, size3d, 0).samples3d),
      source2d: source<2>(start, (step) => oracleSamples(step, 0, size2d).samples2d),
    }),
  });
  for (const step of expected.steps.slice(0, count)) {
    const record = await trainer.step();
    expectLosses(record.losses, step.losses, 2e-3);
    if (!('mu' in step)) expect(record.mu).toBeUndefined();
    else {
      expect(record.mu).toBeCloseTo(step.mu!, 4);
      expect(record.gap).toBeCloseTo(step.gap!, 4);
    }
  }
  if (count === expected.steps.length) {
    await trainer.syncStatistics();
    const parameters: Record<string, number[]> = {};
    const statistics: Record<string, number[]> = {};
    for (const [name, network] of Object.entries(state.networks)) {
      Object.assign(parameters, probes(network.parameters, layout(name as NetworkName, 'trainable')));
      Object.assign(statistics, probes(network.statistics, layout(name as NetworkName, 'statistics')));
    }
    expectProbes(parameters, expected.parameters as unknown as Record<string, number[]>, 1e-3);
    expectProbes(statistics, expected.statistics as unknown as Record<string, number[]>, 1e-3);
  }
  await trainer.close();
  dispose();
}

function runConfig(): TrainingConfig {
  const somewhere = [{ format: 'packed' as const, root: 'none' }];
  return parseTrainingConfig({
    name: 'oracle',
    output: 'none',
    batchSize: 5,
    share2d: 0.6,
    data: { train3d: somewhere, train2d: somewhere },
    weights: golden.weights,
    balance: golden.balance,
    learningRate: { initial: golden.rate },
    rateOf: golden.rateOf,
    adam: { epsilon: golden.epsilon },
    stages: golden.stages as never,
  });
}
