import { expectClose } from '@voxface/test-utils';
import { readGolden } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import { applySimilarity, createLandmarks, fitSimilarity } from '../src/index.ts';

interface SimilarityCase {
  dims: 2 | 3;
  source: number[];
  target: number[];
  rotation: number[];
  scale: number;
  translation: number[];
}

const { similarity: cases } = readGolden<{ similarity: SimilarityCase[] }>(import.meta.url, 'landmarks');
const near = { absolute: 1e-9, relative: 1e-9 };

describe('fitSimilarity', () => {
  it.each(cases)('equals SciPy, also where a reflection would fit better: case %#', (golden) => {
    const source = createLandmarks(golden.source, golden.dims);
    const target = createLandmarks(golden.target, golden.dims);
    const fit = fitSimilarity(source, target);
    expectClose(fit.rotation, golden.rotation, golden.dims === 3 ? near : { absolute: 1e-7 });
    expectClose([fit.scale], [golden.scale], near);
    expectClose(fit.translation, golden.translation, { absolute: 1e-7 });
  });

  it('recovers an exact similarity', () => {
    const source = createLandmarks([0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3], 3);
    const known = { scale: 2.5, rotation: [0, -1, 0, 1, 0, 0, 0, 0, 1], translation: [4, -5, 6] };
    const fit = fitSimilarity(source, applySimilarity(source, known));
    expectClose([fit.scale, ...fit.rotation, ...fit.translation], [2.5, ...known.rotation, 4, -5, 6]);
  });

  it('turns points of a plane and of a line without a reflection', () => {
    const flat = createLandmarks([0, 0, 0, 1, 0, 0, 0, 1, 0, 2, 3, 0], 3);
    const turned = createLandmarks([0, 0, 0, 1, 0, 0, 0, -1, 0, 2, -3, 0], 3);
    const fit = fitSimilarity(flat, turned);
    expectClose(applySimilarity(flat, fit).points, turned.points);
    const [a, b, c, d, e, f, g, h, i] = fit.rotation;
    expect(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)).toBeCloseTo(1, 12);
    const line = createLandmarks([0, 0, 0, 1, 1, 1, 2, 2, 2], 3);
    expectClose(applySimilarity(line, fitSimilarity(line, line)).points, line.points);
  });

  it('refuses other sizes and points that all coincide', () => {
    const three = createLandmarks(new Float32Array(9), 3);
    expect(() => fitSimilarity(three, three)).toThrow('must not all coincide, got a spread of 0');
    expect(() => fitSimilarity(three, createLandmarks(new Float32Array(6), 3))).toThrow(
      'got [3, 3] and [2, 3]',
    );
  });
});
