import { createLandmarks } from '@voxface/landmarks';
import { expectClose, maxDifference } from '@voxface/test-utils';
import { readGolden } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import {
  encodeHeatmap,
  encodeVolume,
  type KernelOptions,
  marginalizeDepth,
  sortedColors,
} from '../src/index.ts';

interface Case extends KernelOptions {
  unit: number[];
  width: number;
  height: number;
  depth: number;
  peak: number;
  volume: number[];
  heatmap: number[];
  marginal: number[];
}

const { cases, colors } = readGolden<{ cases: Case[]; colors: Record<string, number[]> }>(
  import.meta.url,
  'volume',
);

describe.each(cases)(
  'dense NumPy, $width x $height x $depth, $depthKernel, $amplitude, cut $cutoff',
  (golden) => {
    const unit = createLandmarks(golden.unit, 3);
    const wheel = sortedColors(unit.points.length / 3);
    const volume = encodeVolume(unit, golden, wheel, golden);

    it('agrees with Eq. 1 and Eq. 2 to a millionth of the peak', () => {
      expect(maxDifference(volume, golden.volume)).toBeLessThan(1e-6 * golden.peak);
      expect(golden.peak).toBeGreaterThan(0);
    });

    it('agrees with Eq. 3', () => {
      const heatmap = encodeHeatmap(unit, golden, wheel, golden);
      const peak = Math.max(...golden.heatmap);
      expect(maxDifference(heatmap, golden.heatmap)).toBeLessThan(1e-6 * peak);
    });

    it('agrees with Eq. 4', () => {
      const marginal = marginalizeDepth(volume, { ...golden, channels: 3 });
      const peak = Math.max(...golden.marginal);
      expect(maxDifference(marginal, golden.marginal)).toBeLessThan(1e-6 * peak);
    });
  },
);

describe('sortedColors', () => {
  it('is the saturated hue wheel of colorsys', () => {
    for (const [count, wheel] of Object.entries(colors)) expectClose(sortedColors(Number(count)), wheel);
  });
});
