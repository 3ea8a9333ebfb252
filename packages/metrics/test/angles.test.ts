import type { Landmarks } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { createAccumulator, formatEvaluation, summarizeByAngle, toReportJson } from '../src/index.ts';

describe('summarizeByAngle', () => {
  it('keeps the sign of pitch and drops that of roll; edges belong to the lower bin', () => {
    const pitch = summarizeByAngle([1, 2, 3, 4, 6], [-50, -30, -29, 5, 12], 'pitch');
    expect(pitch.map(({ count }) => count)).toEqual([1, 1, 1, 0, 1, 1, 0, 0, 0]);
    expect(pitch[0]).toEqual({ from: -Infinity, to: -40, count: 1, mean: 1 });
    expect(pitch[3].mean).toBeNull();
    const roll = summarizeByAngle([1, 2, 3, 4], [-50, 15, -16, 170], 'roll');
    expect(roll.map(({ from, to, mean }) => [from, to, mean])).toEqual([
      [0, 15, 2],
      [15, 30, 3],
      [30, 45, null],
      [45, Infinity, 2.5],
    ]);
  });

  it('refuses other counts and angles that are not finite', () => {
    expect(() => summarizeByAngle([1, 2], [3], 'roll')).toThrow(/expected 2 angles, got 1/);
    expect(() => summarizeByAngle([1], [Number.NaN], 'pitch')).toThrow(/must be finite, got NaN at index 0/);
  });
});

describe('accumulators with pitch and roll', () => {
  const target: Landmarks = {
    points: Float32Array.from({ length: 136 }, (_, k) => (k % 2 ? 3 * (k % 7) : k % 31)),
    dims: 2,
  };
  const shifted = (by: number): Landmarks => ({ points: target.points.map((value) => value + by), dims: 2 });

  it('tell the result by the angles that every face has, also after a merge', () => {
    const parts = [createAccumulator('300w/box/68'), createAccumulator('300w/box/68')];
    parts[0].update({ id: 'a', preds: shifted(1), target, pitch: -20, roll: 4 });
    parts[1].update({ id: 'b', preds: shifted(2), target, pitch: 20 });
    parts[0].merge(JSON.parse(JSON.stringify(parts[1].state())));
    const evaluation = parts[0].compute();
    expect(evaluation.angles.map(({ name }) => name)).toEqual(['pitch']);
    const [{ bins }] = evaluation.angles;
    expect(bins[2].count + bins[6].count).toBe(2);
    expect(bins[6].mean! / bins[2].mean!).toBeCloseTo(2, 6);
    expect(formatEvaluation(evaluation, { dataset: 'd', model: 'm' })).toMatch(/pitch .*-30\.\.-15: \d/);
    expect(toReportJson(evaluation, { dataset: 'd', model: 'm' }).angles[0].bins[0].from).toBeNull();
  });
});
