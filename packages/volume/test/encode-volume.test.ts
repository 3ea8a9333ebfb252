import { createLandmarks, createRandom, type Landmarks } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import {
  encodeHeatmap,
  encodeVolume,
  type KernelOptions,
  marginalizeDepth,
  sortedColors,
} from '../src/index.ts';

const stage = { width: 9, height: 7, depth: 5 };
const one = createLandmarks([0.43, 0.61, 0.07], 3);
const white = new Float32Array([1, 0.25]);
const at = (x: number, y: number, k: number, c: number): number => ((y * 9 + x) * 5 + k) * 2 + c;

function randomFace(count: number, seed: number): Landmarks<3> {
  const random = createRandom(seed);
  return createLandmarks(
    Array.from({ length: count * 3 }, (_, i) => random.uniform(-0.1, 1.1) - (i % 3 === 2 ? 0.5 : 0)),
    3,
  );
}

describe('encodeVolume', () => {
  it('evaluates Eq. 1 by hand at one voxel, channels fastest', () => {
    // voxel centre: x = 0.43 * 9 - 0.5 = 3.37, y = 0.61 * 7 - 0.5 = 3.77, z = (0.07 + 0.5) * 5 - 0.5 = 2.35
    const sigma = 1.2;
    const volume = encodeVolume(one, stage, white, { sigma, depthKernel: 'literal' });
    const squared = (4 - 3.37) ** 2 + (3 - 3.77) ** 2 + (2 - 2.35) ** 2;
    const expected = (2 * Math.PI) ** -1.5 * sigma ** -3 * Math.exp(-squared / (2 * sigma ** 2));
    expect(volume).toHaveLength(7 * 9 * 5 * 2);
    expect(volume[at(4, 3, 2, 0)]).toBeCloseTo(expected, 8);
    expect(volume[at(4, 3, 2, 1)]).toBeCloseTo(expected / 4, 8);
  });

  it('takes the maximum over landmarks per channel (Eq. 2)', () => {
    const shape = randomFace(6, 3);
    const colors = sortedColors(6);
    const together = encodeVolume(shape, stage, colors);
    const apart = Array.from({ length: 6 }, (_, n) =>
      encodeVolume(
        createLandmarks(shape.points.subarray(3 * n, 3 * n + 3), 3),
        stage,
        colors.slice(3 * n, 3 * n + 3),
      ),
    );
    const expected = together.map((_, i) => Math.max(...apart.map((volume) => volume[i])));
    expect(together).toEqual(expected);
    expect(together.some((value) => value > 0)).toBe(true);
  });

  it('draws nothing under the cut and everything above it', () => {
    const cut = encodeVolume(one, { width: 20, height: 18, depth: 16 }, new Float32Array([1]));
    const whole = encodeVolume(one, { width: 20, height: 18, depth: 16 }, new Float32Array([1]), {
      cutoff: 0,
    });
    const peak = (2 * Math.PI) ** -1.5;
    let dropped = 0;
    cut.forEach((value, i) => {
      if (whole[i] >= 1.000001e-3 * peak) expect(value).toBe(whole[i]);
      if (whole[i] < 0.999999e-3 * peak) {
        expect(value).toBe(0);
        dropped++;
      }
    });
    expect(dropped).toBeGreaterThan(4000);
  });

  it.each([1, 2, 4, 5, 64])('makes Eq. 4 equal Eq. 3 for one landmark at depth %i', (depth) => {
    for (const z of [-0.7, -0.45, 0.02, 0.31, 0.58]) {
      const shape = createLandmarks([0.43, 0.61, z], 3);
      const size = { width: 9, height: 7 };
      const volume = encodeVolume(shape, { ...size, depth }, white, { cutoff: 0 });
      const heatmap = encodeHeatmap(shape, size, white, { cutoff: 0 });
      const summed = marginalizeDepth(volume, { ...size, depth, channels: 2 });
      const peak = Math.max(...heatmap);
      summed.forEach((value, i) => {
        expect(Math.abs(value - heatmap[i])).toBeLessThan(1e-6 * peak);
      });
    }
  });

  it('equals the literal kernel where the grid holds the whole Gaussian', () => {
    const size = { width: 9, height: 7, depth: 64 };
    const normalized = encodeVolume(one, size, white);
    const literal = encodeVolume(one, size, white, { depthKernel: 'literal' });
    normalized.forEach((value, i) => {
      expect(Math.abs(value - literal[i])).toBeLessThan(1e-7);
    });
  });

  it('keeps a known share of the mass in literal coarse stages', () => {
    // One landmark at depth 0 in the middle of the grid: share of a unit Gaussian at the d voxel centres.
    const share = (depth: number): number => {
      const volume = encodeVolume(
        createLandmarks([0.5, 0.5, 0], 3),
        { width: 33, height: 33, depth },
        new Float32Array([1]),
        { depthKernel: 'literal', cutoff: 0 },
      );
      return volume.reduce((sum, value) => sum + value, 0);
    };
    expect(share(1)).toBeCloseTo(1 / Math.sqrt(2 * Math.PI), 5);
    expect(share(2)).toBeCloseTo((2 * Math.exp(-1 / 8)) / Math.sqrt(2 * Math.PI), 5);
    expect(share(64)).toBeCloseTo(1, 5);
  });

  it('has a peak of 1 at a voxel centre with the peak amplitude', () => {
    const centered = createLandmarks([4.5 / 9, 3.5 / 7, 0], 3);
    for (const sigma of [0.5, 1, 2]) {
      const literal = encodeVolume(centered, stage, white, {
        sigma,
        amplitude: 'peak',
        depthKernel: 'literal',
      });
      expect(Math.max(...literal)).toBeCloseTo(1, 6);
      const fine = encodeVolume(centered, { ...stage, depth: 65 }, white, { sigma, amplitude: 'peak' });
      // 65 slices put a voxel centre at depth 0 and hold all of the Gaussian; the sum over voxels of a sampled
      // Gaussian equals its integral to 1.5 % at sigma 0.5 and to 1e-8 from sigma 1 on.
      expect(Math.max(...fine)).toBeCloseTo(1, sigma < 1 ? 1 : 6);
      const heatmap = encodeHeatmap(centered, stage, white, { sigma, amplitude: 'peak' });
      expect(Math.max(...heatmap)).toBeCloseTo(Math.sqrt(2 * Math.PI) * sigma, 5);
    }
  });

  it.each([
    [{ sigma: 0 }, 'encodeVolume: sigma must be positive and finite, got 0'],
    [{ cutoff: 1 }, 'encodeVolume: cutoff must be in [0, 1), got 1'],
    [{ amplitude: 'loud' as 'peak' }, 'encodeVolume: amplitude must be one of density, peak, got loud'],
    [
      { depthKernel: 'x' as 'literal' },
      'encodeVolume: depthKernel must be one of normalized, literal, got x',
    ],
  ] as [Partial<KernelOptions>, string][])('refuses %o', (options, message) => {
    expect(() => encodeVolume(one, stage, white, options)).toThrow(message);
  });

  it('refuses 2D landmarks, NaN, colours of another count and broken sizes', () => {
    const flat = createLandmarks([0.5, 0.5], 2) as unknown as Landmarks<3>;
    expect(() => encodeVolume(flat, stage, white)).toThrow(
      'expected 3D landmarks, got 2D (use encodeHeatmap)',
    );
    const broken: Landmarks<3> = { points: new Float32Array([0, 0, 0, 0, Number.NaN, 0]), dims: 3 };
    expect(() => encodeVolume(broken, stage, white)).toThrow('got NaN at landmark 1');
    expect(() => encodeVolume(randomFace(3, 1), stage, white)).toThrow('with n = 3 landmarks, got 2 values');
    expect(() => encodeVolume(one, { ...stage, depth: 0 }, white)).toThrow(
      'depth must be a positive integer, got 0',
    );
  });

  it('lets a landmark outside the picture draw only what reaches inside', () => {
    const outside = encodeVolume(createLandmarks([-2, 0.5, 0], 3), stage, white);
    expect(Math.max(...outside)).toBe(0);
    const grazing = encodeVolume(createLandmarks([-0.1, 0.5, 0], 3), stage, white);
    expect(grazing[at(0, 3, 2, 0)]).toBeGreaterThan(0);
  });
});
