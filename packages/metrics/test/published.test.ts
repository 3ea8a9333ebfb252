import { describe, expect, it } from 'vitest';
import { PROTOCOLS, summarizeBins } from '../src/index.ts';
import { findPublished, PUBLISHED } from '../src/published.ts';

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
