import { createLandmarks, createRandom, type Landmarks } from '@voxface/landmarks';
import { bench, describe } from 'vitest';
import { createVolumeEncoder, sortedColors, type VolumeStage } from '../src/index.ts';

const random = createRandom(1);
const face: Landmarks<3> = createLandmarks(
  Array.from({ length: 204 }, (_, i) =>
    i % 3 === 2 ? random.uniform(-0.35, 0.35) : random.uniform(0.1, 0.9),
  ),
  3,
);
const encoder = createVolumeEncoder(68);
const colors = sortedColors(68);
const PREFACTOR = (2 * Math.PI) ** -1.5;

/** Eq. 1 and Eq. 2 as they are written: every voxel, every landmark. */
function encodeDensely(unit: Landmarks<3>, { width, height, depth }: VolumeStage): Float32Array {
  const volume = new Float32Array(width * height * depth * 3);
  for (let n = 0; n < 68; n++) {
    const x = unit.points[3 * n] * width - 0.5;
    const y = unit.points[3 * n + 1] * height - 0.5;
    const z = (unit.points[3 * n + 2] + 0.5) * depth - 0.5;
    for (let voxel = 0; voxel < width * height * depth; voxel++) {
      const k = voxel % depth;
      const i = Math.floor(voxel / depth) % width;
      const j = Math.floor(voxel / depth / width);
      const squared = (i - x) * (i - x) + (j - y) * (j - y) + (k - z) * (k - z);
      const value = PREFACTOR * Math.exp(-squared / 2);
      for (let c = 0; c < 3; c++) {
        volume[3 * voxel + c] = Math.max(volume[3 * voxel + c], colors[3 * n + c] * value);
      }
    }
  }
  return volume;
}

describe('four paper stages of one face of 68 landmarks', () => {
  bench('createVolumeEncoder(68).encode', () => {
    encoder.encode(face);
  });
  bench(
    'dense evaluation',
    () => {
      for (const stage of encoder.stages) encodeDensely(face, stage);
    },
    { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 },
  );
});
