import { createLandmarks, createRandom, type Landmarks } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import {
  createVolumeEncoder,
  encodeHeatmap,
  encodeVolume,
  formatVolumeMemory,
  marginalizeDepth,
  randomColors,
  sampleCloud,
  VOLUME_DEFAULTS,
  volumeMemory,
} from '../src/index.ts';

const SIZE = { width: 9, height: 7, depths: [1, 2, 5] };

function face(count: number): Landmarks<3> {
  const random = createRandom(count);
  return createLandmarks(
    Array.from({ length: 3 * count }, (_, i) => random.uniform(0.1, 0.9) - (i % 3 === 2 ? 0.5 : 0)),
    3,
  );
}

describe('createVolumeEncoder', () => {
  it('has the sizes of the paper by default', () => {
    const encoder = createVolumeEncoder(68);
    expect(encoder.stages).toEqual([1, 2, 4, 64].map((depth) => ({ width: 64, height: 64, depth })));
    expect(encoder.channels).toBe(3);
    expect(encoder.options).toEqual(VOLUME_DEFAULTS);
    expect(createVolumeEncoder(68, { sigma: undefined }).options.sigma).toBe(1);
  });

  it('draws every stage and the plane like the single functions', () => {
    const encoder = createVolumeEncoder(6, { ...SIZE, colors: 'random', seed: 4, sigma: 0.8 });
    const unit = face(6);
    const colors = randomColors(6, 4);
    const expected = encoder.stages.map((stage) => encodeVolume(unit, stage, colors, { sigma: 0.8 }));
    expect(encoder.encode(unit)).toEqual(expected);
    expect(encoder.encodePlane(unit)).toEqual(encodeHeatmap(unit, SIZE, colors, { sigma: 0.8 }));
    const batch = new Float32Array(2 * expected[2].length);
    encoder.encodeStage(unit, 2, batch, expected[2].length);
    expect(batch.subarray(expected[2].length)).toEqual(expected[2]);
    expect(Math.max(...batch.subarray(0, expected[2].length))).toBe(0);
  });

  it('is the maximum over colour channels in the compact volume', () => {
    const unit = face(6);
    const [semantic] = createVolumeEncoder(6, { ...SIZE, depths: [5] }).encode(unit);
    const [compact] = createVolumeEncoder(6, { ...SIZE, depths: [5], colors: 'compact' }).encode(unit);
    const gray = compact.map((_, i) => Math.max(...semantic.subarray(3 * i, 3 * i + 3)));
    expect(gray).toEqual(compact);
  });

  it('keeps landmarks apart with one channel each', () => {
    const unit = face(6);
    const encoder = createVolumeEncoder(6, { ...SIZE, depths: [5], colors: 'per-landmark' });
    const [volume] = encoder.encode(unit);
    const [compact] = createVolumeEncoder(6, { ...SIZE, depths: [5], colors: 'compact' }).encode(unit);
    expect(encoder.channels).toBe(6);
    const joined = compact.map((_, i) => Math.max(...volume.subarray(6 * i, 6 * i + 6)));
    expect(joined).toEqual(compact);
    const third = createLandmarks(unit.points.subarray(6, 9), 3);
    const alone = encodeVolume(third, encoder.stages[0], new Float32Array([1]));
    expect(volume.filter((_, i) => i % 6 === 2)).toEqual(alone);
  });

  it('refuses other counts, empty stages and unknown colours', () => {
    const encoder = createVolumeEncoder(6, SIZE);
    expect(() => encoder.encode(face(5))).toThrow('VolumeEncoder.encode: expected 6 landmarks, got 5');
    expect(() => createVolumeEncoder(0)).toThrow('count must be a positive integer, got 0');
    expect(() => createVolumeEncoder(6, { depths: [] })).toThrow('depths must not be empty');
    expect(() => createVolumeEncoder(6, { depths: [1, 2.5] })).toThrow(
      'depth must be a positive integer, got 2.5',
    );
    expect(() => createVolumeEncoder(6, { colors: 'hue' as 'sorted' })).toThrow(
      'colors must be one of sorted',
    );
  });
});

describe('volumeMemory', () => {
  it('counts the bytes of the last stage and of all stages', () => {
    const memory = volumeMemory(68);
    expect(memory.map(({ encoding }) => encoding)).toEqual(['compact', 'semantic', 'per-landmark']);
    expect(memory.map(({ lastStage }) => lastStage)).toEqual([1, 3, 68].map((c) => 64 ** 3 * 4 * c));
    expect(memory[1].allStages).toBe(64 * 64 * (1 + 2 + 4 + 64) * 3 * 4);
    expect(formatVolumeMemory(68)).toBe(
      [
        '| encoding of 68 landmarks | channels | last stage | all stages |',
        '| --- | ---: | ---: | ---: |',
        '| compact | 1 | 1.05 MB | 1.16 MB |',
        '| semantic | 3 | 3.15 MB | 3.49 MB |',
        '| per-landmark | 68 | 71.30 MB | 79.10 MB |',
        '',
      ].join('\n'),
    );
  });
});

describe('sampleCloud', () => {
  const shape = { height: 4, width: 5, depth: 6, channels: 3 };
  const at = (y: number, x: number, z: number) => ((y * 5 + x) * 6 + z) * 3;
  const volume = new Float32Array(4 * 5 * 6 * 3);
  volume.set([0.9, 0.45, 0], at(1, 3, 2));
  volume.set([0, 0, 0.3], at(2, 0, 5));
  volume.set([0.01, 0, 0], at(0, 0, 0));
  volume.set([-5, -5, -5], at(3, 4, 0));

  it('draws in proportion to density, inside the voxels, in their colours', () => {
    const cloud = sampleCloud(volume, shape, { points: 400 });
    let first = 0;
    for (let i = 0; i < 400; i++) {
      const [x, y, z] = cloud.positions.subarray(3 * i, 3 * i + 3);
      const red = Math.floor(x * 5) === 3 && Math.floor(y * 4) === 1 && Math.floor((z + 0.5) * 6) === 2;
      const blue = Math.floor(x * 5) === 0 && Math.floor(y * 4) === 2 && Math.floor((z + 0.5) * 6) === 5;
      expect(red || blue).toBe(true);
      expect(Array.from(cloud.colors.subarray(3 * i, 3 * i + 3))).toEqual(red ? [1, 0.5, 0] : [0, 0, 1]);
      if (red) first++;
    }
    expect(first).toBe(300);
  });

  it('reads compact and many-channel volumes', () => {
    const compact = sampleCloud(
      Float32Array.of(0, 1),
      { height: 1, width: 2, depth: 1, channels: 1 },
      { points: 4 },
    );
    expect(compact.positions.filter((_, i) => i % 3 === 0).every((x) => x >= 0.5)).toBe(true);
    const many = sampleCloud(
      Float32Array.of(0, 0, 1, 0, 0, 0),
      { height: 1, width: 1, depth: 1, channels: 6 },
      { points: 1 },
    );
    expect(Array.from(many.colors)).toEqual([0, 1, 0]);
  });

  it('draws the same from the same volume in another unit', () => {
    const scaled = volume.map((value) => value / 64);
    expect(sampleCloud(scaled, shape, { points: 40, threshold: 0.4 })).toEqual(
      sampleCloud(volume, shape, { points: 40, threshold: 0.4 }),
    );
  });

  it('shows one channel from blue to yellow by its density', () => {
    const line = { height: 1, width: 2, depth: 1, channels: 1 };
    const { colors, density, positions } = sampleCloud(Float32Array.of(1, 2), line, { points: 3 });
    const rows = Array.from(density, (value, i) => ({
      value,
      x: positions[3 * i],
      color: Array.from(colors.subarray(3 * i, 3 * i + 3), (v) => Number(v.toFixed(3))),
    }));
    expect(rows.map(({ value }) => value)).toEqual([0.5, 1, 1]);
    for (const { value, x, color } of rows) {
      expect(x < 0.5).toBe(value === 0.5);
      expect(color).toEqual(value === 1 ? [1, 0.88, 0.2] : [0.58, 0.6, 0.53]);
    }
  });

  it('places each point at random inside its voxel, from the seed alone', () => {
    // One voxel at y 1, x 2, z 3 of a grid of unequal sides; the first number shifts the sampling, three place a point.
    const grid = { height: 3, width: 4, depth: 5, channels: 1 };
    const lone = new Float32Array(60);
    lone[(1 * 4 + 2) * 5 + 3] = 7;
    const { positions, density } = sampleCloud(lone, grid, { points: 2, seed: 9 });
    const random = createRandom(9);
    random.next();
    const expected = [0, 1].flatMap(() => [
      (2 + random.next()) / 4,
      (1 + random.next()) / 3,
      (3 + random.next()) / 5 - 0.5,
    ]);
    expect(Array.from(positions)).toEqual(Array.from(Float32Array.from(expected)));
    expect(Array.from(density)).toEqual([1, 1]);
  });

  it('weighs voxels by a power of their density, those at the threshold included', () => {
    const line = { height: 1, width: 3, depth: 1, channels: 1 };
    const drawn = (options: object): number[] => {
      const { density } = sampleCloud(Float32Array.of(4, 2, 1), line, { points: 210, seed: 3, ...options });
      return [1, 0.5, 0.25].map((value) => density.filter((one) => one === value).length);
    };
    expect(drawn({ threshold: 0 })).toEqual([120, 60, 30]);
    expect(drawn({ threshold: 0.25 })).toEqual([120, 60, 30]);
    expect(drawn({ threshold: 0.26 })).toEqual([140, 70, 0]);
    expect(drawn({ threshold: 0, power: 2 })).toEqual([160, 40, 10]);
    expect(drawn({ threshold: 0, power: 0 })).toEqual([70, 70, 70]);
    expect(drawn({ threshold: 0.26, power: 0 })).toEqual([105, 105, 0]);
  });

  it('draws 6000 points with seed 0 unless told otherwise', () => {
    const cloud = sampleCloud(volume, shape);
    expect(cloud.density).toHaveLength(6000);
    expect(cloud).toEqual(sampleCloud(volume, shape, { points: 6000, threshold: 0.08, power: 1, seed: 0 }));
    expect(cloud).not.toEqual(sampleCloud(volume, shape, { seed: 1 }));
  });

  it('shows four channels by the hue of the strongest, negative ones as nothing', () => {
    const one = { height: 1, width: 1, depth: 1, channels: 4 };
    const { colors } = sampleCloud(Float32Array.of(-9, 1, 2, 1), one, { points: 1 });
    expect(Array.from(colors)).toEqual([0, 1, 1]);
    const { colors: red } = sampleCloud(Float32Array.of(2, -9, 0.5), { ...one, channels: 3 }, { points: 1 });
    expect(Array.from(red)).toEqual([1, 0, 0.25]);
  });

  it('refuses wrong sizes, empty volumes and NaN', () => {
    expect(() => sampleCloud(new Float32Array(0), { ...shape, depth: 0 })).toThrow(/4 x 5 x 0 x 3 values/);
    expect(() => marginalizeDepth(volume, { ...shape, depth: 7 })).toThrow(/4 x 5 x 7 x 3 values, got 360/);
    expect(() => sampleCloud(volume, { ...shape, depth: 7 })).toThrow(/4 x 5 x 7 x 3 values, got 360/);
    expect(() => sampleCloud(new Float32Array(360), shape)).toThrow(/got an empty volume/);
    expect(() => sampleCloud(new Float32Array(360).fill(Number.NaN), shape)).toThrow(
      /finite, got NaN at voxel 0/,
    );
  });

  it('scatters the points of an encoded face about its landmarks', () => {
    const unit = createLandmarks([0.2, 0.3, -0.2, 0.8, 0.6, 0.3], 3);
    const size = { width: 24, height: 20, depth: 16, channels: 3 };
    const encoded = encodeVolume(unit, size, new Float32Array([1, 0, 0, 0, 0, 0.5]));
    const { positions, colors } = sampleCloud(encoded, size, { points: 3000, threshold: 0, seed: 1 });
    expect(positions).toHaveLength(9000);
    let red = 0;
    const mean = [0, 0, 0];
    for (let i = 0; i < 3000; i++) {
      if (colors[3 * i] === 1) {
        red++;
        for (let axis = 0; axis < 3; axis++) mean[axis] += positions[3 * i + axis];
      } else expect([...colors.subarray(3 * i, 3 * i + 3)]).toEqual([0, 0, 1]);
    }
    // The red Gaussian holds two thirds of the mass.
    expect(red / 3000).toBeCloseTo(2 / 3, 1);
    expect(mean[0] / red).toBeCloseTo(0.2, 1);
    expect(mean[1] / red).toBeCloseTo(0.3, 1);
    expect(mean[2] / red).toBeCloseTo(-0.2, 1);
  });
});
