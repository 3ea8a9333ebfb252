import { mul } from '@tensorflow/tfjs-core';
import type { CroppedSample } from '@voxface/datasets';
import { createFaceShapeModel, createVolumeDiscriminator, volumeOptions } from '@voxface/models';
import { fillWeights, noise, weightsOf } from '@voxface/test-utils';
import { createVolumeEncoder, type VolumeEncoder } from '@voxface/volume';
import { expect } from 'vitest';
import { listNetworks, type NetworkName, type TrainedNetworks } from '../../src/networks.ts';
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
