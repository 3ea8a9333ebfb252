import { describe, expect, it } from 'vitest';
import { createAccumulator, PROTOCOLS, summarizeBins } from '../src/index.ts';
import { findPublished, formatPublished, PUBLISHED, publishedValues } from '../src/published.ts';

const binned = ['IV-21', 'IV-68', 'VIII'].flatMap((name) =>
  PUBLISHED[name].rows
    .filter(({ values }) => values[0] !== null)
    .map(({ method, values }) => ({ name, method, values: values as readonly number[] })),
);

describe('Tables IV and VIII', () => {
  it.each(binned)('$name, $method: mean and std are those of its bins', ({ values }) => {
    const { binMean, binStd } = summarizeBins(values.slice(0, 3));
    // Half a unit of the last digit, and what the bins' own rounding can add.
    expect(Math.abs((binMean ?? 0) - values[3])).toBeLessThan(0.0101);
    expect(Math.abs((binStd ?? 0) - values[4])).toBeLessThan(0.0115);
  });

  it('have 13, 11 and 3 such lines', () => {
    expect(
      ['IV-21', 'IV-68', 'VIII'].map((name) => binned.filter((row) => row.name === name).length),
    ).toEqual([13, 11, 3]);
  });
});

describe('published tables', () => {
  it('hold nine tables of the paper and later results, with as many values as columns', () => {
    expect(Object.keys(PUBLISHED).filter((name) => /^[IVX]+(-\d+)?$/.test(name))).toEqual([
      'I',
      'II',
      'III',
      'IV-21',
      'IV-68',
      'V',
      'VI',
      'VII',
      'VIII',
      'IX',
    ]);
    for (const { columns, rows, source } of Object.values(PUBLISHED)) {
      expect(source).not.toBe('');
      for (const { values } of rows) expect(values).toHaveLength(columns.length);
    }
  });

  it('name protocols that exist', () => {
    for (const { protocol } of Object.values(PUBLISHED)) {
      if (protocol) expect(PROTOCOLS[protocol].name).toBe(protocol);
    }
    expect(findPublished('aflw2000-3d/68/2d').map(({ name }) => name)).toEqual([
      'IV-68',
      'VIII',
      'later-68-2d',
    ]);
  });
});

describe('formatPublished', () => {
  it("sets one's own rows under the table, with the difference from the paper's", () => {
    const text = formatPublished(PUBLISHED.III, [{ method: 'mine', values: [4.9512] }]);
    expect(text).toContain('| Zhang et al. 2019 | 4.11 |\n| **mine** | 4.95 (+0.84) |');
    expect(text).toMatch(/^Table III: 3D NME on AFLW2000-3D/);
  });

  it('compares with the line that is named, and leaves out what either side lacks', () => {
    const row = { method: 'run', values: [2.79, 3.43, null, 3.5, 0.7], against: 'Baseline' };
    expect(formatPublished(PUBLISHED.VIII, [row])).toContain(
      '| **run** | 2.79 (-0.10) | 3.43 (+0.00) | - | 3.50 (-0.06) | 0.70 (-0.04) |',
    );
    const spiga = { method: 'a', values: [1, 2, 3], against: 'LAB' };
    expect(formatPublished(PUBLISHED['300w-interocular'], [spiga])).toContain(
      '| **a** | 1.00 | 2.00 | 3.00 (-0.49) |',
    );
  });

  it('refuses other columns and unknown lines', () => {
    expect(() => formatPublished(PUBLISHED.III, [{ method: 'x', values: [1, 2] }])).toThrow(
      /columns NME .* got 2 values/,
    );
    expect(() => formatPublished(PUBLISHED.III, [{ method: 'x', values: [1], against: 'y' }])).toThrow(
      /against y/,
    );
  });
});

describe('publishedValues', () => {
  const square = (size: number, shift = 0) => {
    const points = Float32Array.from(
      { length: 136 },
      (_, i) => (((i >> 1) % 2) ^ (i % 2 ? (i >> 2) % 2 : 0)) * size + shift,
    );
    points.set([0, 0, size, 0, size, size, 0, size].map((v) => v + shift));
    return { dims: 2 as const, points };
  };

  it('reads bins with mean and std', () => {
    const faces = createAccumulator('aflw2000-3d/68/2d');
    [0, 45, 80].forEach((yaw, i) => {
      faces.update({ id: String(i), preds: square(100, i + 1), target: square(100), yaw });
    });
    const values = publishedValues(PUBLISHED['IV-68'], faces.compute());
    [1, 2, 3, 2, 1].forEach((v, i) => {
      expect(values[i]).toBeCloseTo(v * Math.SQRT2, 4);
    });
    expect(publishedValues(PUBLISHED.III, faces.compute())[0]).toBeCloseTo(2 * Math.SQRT2, 4);
  });

  it('reads the parts of 300W', () => {
    const faces = createAccumulator('300w/interocular');
    const target = square(100);
    target.points.set([0, 0], 72);
    target.points.set([100, 0], 90);
    const moved = (by: number) => ({ dims: 2 as const, points: target.points.map((v) => v + by) });
    faces.update({ id: 'helen/a', preds: moved(1), target });
    faces.update({ id: 'ibug/b', preds: moved(3), target });
    const values = publishedValues(PUBLISHED['300w-interocular'], faces.compute());
    [1, 3, 2].forEach((v, i) => {
      expect(values[i]).toBeCloseTo(v * Math.SQRT2, 4);
    });
  });
});
