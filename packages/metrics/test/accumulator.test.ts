import { createLandmarks, createRandom, IBUG_68_TO_INNER_51, mapLandmarks } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import {
  type AccumulatorState,
  boxSize,
  createAccumulator,
  evaluateProtocol,
  formatEvaluation,
  formatReport,
  type ImageError,
  nme,
  PROTOCOLS,
  pairedBootstrap,
  type ScoredFace,
  toReportJson,
} from '../src/index.ts';
import { PUBLISHED } from '../src/published.ts';

const random = createRandom(21);
const faces: ScoredFace[] = Array.from({ length: 60 }, (_, id) => {
  const points = Float32Array.from({ length: 204 }, (_, i) => random.uniform(0, 120) + 7 * (i % 3));
  const spread = random.uniform(1, 9);
  const preds = points.map((value) => value + spread * random.normal());
  return {
    id: `face-${String(id).padStart(3, '0')}`,
    target: createLandmarks(points, 3),
    preds: createLandmarks(preds, 3),
    yaw: random.uniform(-90, 90),
  };
});

describe('createAccumulator', () => {
  it('combines shards exactly, in any order and through JSON', () => {
    const whole = evaluateProtocol('aflw2000-3d/68/3d', faces);
    const shards = [faces.slice(40), faces.slice(0, 15), faces.slice(15, 40)].map((shard) => {
      const accumulator = createAccumulator('aflw2000-3d/68/3d');
      for (const face of shard) accumulator.update(face);
      return JSON.parse(JSON.stringify(accumulator.state())) as AccumulatorState;
    });
    const merged = createAccumulator('aflw2000-3d/68/3d');
    for (const shard of shards) merged.merge(shard);
    expect(merged.compute()).toEqual(whole);
    expect(() => merged.merge(shards[0])).toThrow('ids must be unique');
    expect(() => createAccumulator('300w/box/68').merge(shards[0])).toThrow(
      'expected the protocol 300w/box/68',
    );
    merged.reset();
    expect(merged.state().images).toEqual([]);
  });

  it('keeps missed faces out of the mean and counts them as failures', () => {
    const accumulator = createAccumulator('aflw2000-3d/68/2d');
    for (const face of faces.slice(0, 3)) accumulator.update(face);
    const before = accumulator.compute();
    accumulator.miss('lost', 12);
    const after = accumulator.compute();
    expect([after.count, after.missed]).toEqual([3, 1]);
    expect(after.nme).toEqual(before.nme);
    expect(after.auc).toBeCloseTo((before.auc * 3) / 4, 12);
    expect(after.failureRate).toBeCloseTo((before.failureRate * 3 + 1) / 4, 12);
    const onlyMissed = createAccumulator('aflw2000-3d/68/2d');
    onlyMissed.miss('lost');
    expect(() => onlyMissed.compute()).toThrow('got 1 images, all missed');
  });
});

describe('protocols', () => {
  it('score inner points by the box of all 68', () => {
    const [face] = faces;
    const flat = { ...PROTOCOLS['300w/box/51'] };
    const result = evaluateProtocol(flat, [face]).nme.mean;
    const inner = mapLandmarks(face.target, IBUG_68_TO_INNER_51);
    const preds = mapLandmarks(face.preds, IBUG_68_TO_INNER_51);
    const plane = evaluateProtocol('300w/box/51', [
      { id: 'x', preds, target: inner, reference: face.target },
    ]);
    expect(plane.nme.mean).toBeCloseTo(result, 12);
  });

  it('shift depth by its mean where they say so', () => {
    const [face] = faces;
    const far = createLandmarks(
      face.preds.points.map((value, i) => (i % 3 === 2 ? value + 500 : value)),
      3,
    );
    const near = evaluateProtocol('aflw2000-3d/68/3d', [face]).nme.mean;
    expect(evaluateProtocol('aflw2000-3d/68/3d', [{ ...face, preds: far }]).nme.mean).toBeCloseTo(near, 5);
    expect(nme(far, face.target, { normalizer: boxSize })).toBeGreaterThan(near + 1);
  });
});

describe('reports', () => {
  const evaluation = evaluateProtocol('aflw2000-3d/68/2d', faces);

  it('sets a result beside the published lines of Table IV', () => {
    const report = formatReport([{ method: 'tiny', evaluation }], PUBLISHED['IV-68']);
    const lines = report.split('\n');
    expect(lines[0]).toBe('NME (%) by aflw2000-3d/68/2d');
    expect(lines[2]).toBe(
      '| Method | [0, 30] | [30, 60] | [60, 90] | mean | std | image mean | median | AUC@10 % | FR@10 % | images | missed |',
    );
    expect(lines[4]).toBe('| RCPR | 4.26 | 5.96 | 13.18 | 7.80 | 4.74 | - | - | - | - | - | - |');
    expect(lines[12]).toMatch(/^\| DenseFA \| - \| - \| - \| 4\.50 \| - \|/);
    const means = evaluation.bins.map(({ mean }) => (100 * (mean ?? 0)).toFixed(2));
    expect(lines[16].startsWith(`| tiny | ${means.join(' | ')} |`)).toBe(true);
    expect(lines[16].endsWith('| 60 | 0 |')).toBe(true);
  });

  it('has one figure where there is no yaw', () => {
    const plain = evaluateProtocol(
      'aflw2000-3d/68/3d',
      faces.map(({ yaw: _, ...face }) => face),
    );
    const report = formatReport([{ method: 'tiny', evaluation: plain }], PUBLISHED.III);
    expect(report).toContain('| Method | NME | image mean |');
    expect(report).toContain('| Zhang et al. 2019 | 4.11 |');
  });

  it('refuses mixed protocols, other columns and no rows', () => {
    const other = evaluateProtocol('300w/box/68', faces);
    expect(() => formatReport([])).toThrow('expected at least one row, got none');
    expect(() =>
      formatReport([
        { method: 'a', evaluation },
        { method: 'b', evaluation: other },
      ]),
    ).toThrow('all rows must share one protocol');
    expect(() => formatReport([{ method: 'a', evaluation }], PUBLISHED.III)).toThrow(
      'must have the columns [0, 30]',
    );
  });

  it('gives 300W by its parts: common, challenging and full', () => {
    const face = (id: string, error: number) => {
      const target = createLandmarks(
        Float32Array.from({ length: 136 }, (_, k) => (k % 2 ? k * k : 3 * k)),
        2,
      );
      const points = target.points.map((value, k) => value + (k % 2 ? 0 : error));
      return { id, preds: { ...target, points }, target };
    };
    const faces = [face('lfpw/a', 4), face('helen/b', 8), face('ibug/c', 30)];
    const evaluation = evaluateProtocol('300w/box/68', faces);
    const full = evaluation.nme.mean;
    expect(evaluation.subsets.map(({ name, count }) => [name, count])).toEqual([
      ['common', 2],
      ['challenging', 1],
    ]);
    const [common, challenging] = evaluation.subsets.map(({ nme }) => nme.mean);
    expect(challenging / common).toBeCloseTo(5, 4);
    expect((2 * common + challenging) / 3).toBeCloseTo(full, 10);
    expect(formatEvaluation(evaluation, { dataset: '300w', model: 'm' })).toMatch(
      /common +\d+\.\d+ % \(2 faces, .*\nchallenging +\d+\.\d+ % \(1 faces, .*\nfull +\d+\.\d+ % \(3 faces/,
    );
    expect(evaluateProtocol('300w/box/68', faces.slice(0, 2)).subsets).toEqual([]);
  });

  it('masks landmarks of a subset by the visibility of all 68', () => {
    const target = createLandmarks(
      Float32Array.from({ length: 136 }, (_, k) => (k % 2 ? k * k : 3 * k)),
      2,
    );
    const points = target.points.map((value, k) => (k >> 1 === 30 ? value + 500 : value));
    const visible = Uint8Array.from({ length: 68 }, (_, i) => (i === 30 ? 0 : 1));
    const score = (shown?: Uint8Array) =>
      evaluateProtocol('300w/box/51', [{ id: 'a', preds: { ...target, points }, target, visible: shown }]).nme
        .mean;
    expect(score()).toBeGreaterThan(0.001);
    expect(score(visible)).toBe(0);
  });

  it('becomes plain JSON in percent', () => {
    const json = toReportJson(evaluation, { dataset: 'drawn', model: 'tiny' });
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    expect(json.nme.mean).toBe(Math.round(1e6 * evaluation.nme.mean) / 1e4);
    expect(json.bins.map(({ to }) => to)).toEqual([30, 60, null]);
    expect(json.perImage).toHaveLength(60);
    expect(json.perImage[0]).toEqual({
      id: 'face-000',
      nme: Math.round(1e6 * (evaluation.perImage[0].nme as number)) / 1e4,
      yaw: faces[0].yaw,
    });
  });
});

describe('a set of four faces, one of them missed', () => {
  const protocol = 'aflw2000-3d/68/2d';
  const images: ImageError[] = [
    { id: 'b', nme: 0.02, yaw: 10, pitch: -50, roll: 5 },
    { id: 'd', nme: null },
    { id: 'a', nme: 0.04, yaw: -40, pitch: 0, roll: -50 },
    { id: 'c', nme: 0.06, yaw: 80, pitch: 20, roll: 20 },
  ];
  const accumulator = createAccumulator(protocol);
  accumulator.merge({ protocol, images });
  const evaluation = accumulator.compute();
  const of = { dataset: 'set', model: 'net' };

  it('is told in lines', () => {
    expect(formatEvaluation(evaluation, of).split('\n')).toEqual([
      'net on set, aflw2000-3d/68/2d: 3 faces, 1 missed',
      'NME 4.00 % (median 4.00, std 2.00)',
      'AUC@10 45.00, failure rate 25.00 %',
      '|yaw| 0-30: 2.00 (1)  30-60: 4.00 (1)  >60: 6.00 (1)  bin mean 4.00',
      'pitch ..-40: 2.00 (1)  -40..-30: - (0)  -30..-15: - (0)  -15..-5: - (0)  -5..5: 4.00 (1)  5..15: - (0)  15..30: 6.00 (1)  30..40: - (0)  40..: - (0)',
      '|roll| 0..15: 2.00 (1)  15..30: 6.00 (1)  30..45: - (0)  45..: 4.00 (1)',
    ]);
  });

  it('becomes data: bins, angles, and images by their names', () => {
    const { bins, angles, perImage } = toReportJson(evaluation, of);
    expect(bins[1]).toEqual({ from: 30, to: 60, count: 1, mean: 4 });
    expect(angles.map(({ name }) => name)).toEqual(['pitch', 'roll']);
    expect(angles[1].bins[3]).toEqual({ from: 45, to: null, count: 1, mean: 4 });
    expect(angles[0].bins[0]).toEqual({ from: null, to: -40, count: 1, mean: 2 });
    expect(perImage).toEqual([
      { id: 'a', nme: 4, yaw: -40 },
      { id: 'b', nme: 2, yaw: 10 },
      { id: 'c', nme: 6, yaw: 80 },
      { id: 'd', nme: null, yaw: null },
    ]);
  });

  it('is a whole table, published lines first, their gaps dashed and named below', () => {
    const reference = {
      caption: 'Table X',
      columns: ['a', 'b', 'c', 'd', 'e'],
      rows: [{ method: 'old', values: [1, null, 2.345, 3, 4] }],
    };
    const other = { ...evaluation, bins: [], binMean: null, binStd: null, auc: 0.5 };
    expect(
      formatReport(
        [
          { method: 'own', evaluation },
          { method: 'none', evaluation: { ...evaluation, binStd: null } },
        ],
        reference,
      ),
    ).toBe(
      [
        'NME (%) by aflw2000-3d/68/2d',
        '',
        '| Method | [0, 30] | [30, 60] | [60, 90] | mean | std | image mean | median | AUC@10 % | FR@10 % | images | missed |',
        '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
        '| old | 1.00 | - | 2.35 | 3.00 | 4.00 | - | - | - | - | - | - |',
        '| own | 2.00 | 4.00 | 6.00 | 4.00 | 2.00 | 4.00 | 4.00 | 45.00 | 25.00 | 3 | 1 |',
        '| none | 2.00 | 4.00 | 6.00 | 4.00 | - | 4.00 | 4.00 | 45.00 | 25.00 | 3 | 1 |',
        '',
        'Rows with - only: Table X.',
        '',
      ].join('\n'),
    );
    expect(formatReport([{ method: 'own', evaluation: other }])).toBe(
      'NME (%) by aflw2000-3d/68/2d\n\n| Method | NME | image mean | median | AUC@10 % | FR@10 % | images | missed |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n| own | 4.00 | 4.00 | 4.00 | 50.00 | 25.00 | 3 | 1 |\n',
    );
  });

  it('becomes data whole, to four decimals of a percent', () => {
    const { bins, angles, perImage, ...rest } = toReportJson(evaluation, of);
    expect(rest).toEqual({
      dataset: 'set',
      model: 'net',
      protocol,
      count: 3,
      missed: 1,
      nme: { mean: 4, median: 4, std: 2 },
      auc: 45,
      failureRate: 25,
      binMean: 4,
      binStd: 2,
      limit: 10,
      subsets: [],
    });
    expect([bins.length, angles.length, perImage.length]).toEqual([3, 2, 4]);
    const odd = toReportJson({ ...evaluation, auc: 0.123456789, binStd: null }, of);
    expect([odd.auc, odd.binStd]).toEqual([12.3457, null]);
  });

  it('names its parts and what they missed', () => {
    const protocol = '300w/box/68';
    const accumulator = createAccumulator(protocol);
    accumulator.merge({
      protocol,
      images: [
        { id: 'lfpw/a', nme: 0.02 },
        { id: 'helen/b', nme: null },
        { id: 'ibug/c', nme: 0.06 },
      ],
    });
    const parts = accumulator.compute();
    expect(formatEvaluation(parts, of).split('\n').slice(3)).toEqual([
      'common       2.00 % (1 faces, 1 missed, AUC 35.71, failure rate 50.00 %)',
      'challenging  6.00 % (1 faces, AUC 14.29, failure rate 0.00 %)',
      'full         4.00 % (2 faces, 1 missed, AUC 28.57, failure rate 33.33 %)',
    ]);
    expect(toReportJson(parts, of).subsets).toEqual([
      {
        name: 'common',
        count: 1,
        missed: 1,
        nme: { mean: 2, median: 2, std: expect.anything() },
        auc: 35.7143,
        failureRate: 50,
      },
      {
        name: 'challenging',
        count: 1,
        missed: 0,
        nme: { mean: 6, median: 6, std: expect.anything() },
        auc: 14.2857,
        failureRate: 0,
      },
    ]);
  });

  it('has no line by yaw where a set has none', () => {
    const plain = createAccumulator('300w/interocular');
    plain.merge({ protocol: '300w/interocular', images: [{ id: 'x', nme: 0.05 }] });
    expect(formatEvaluation(plain.compute(), of)).not.toMatch(/yaw|full|pitch/);
  });

  it('is a row of a table with a rule under its head', () => {
    const lines = formatReport([{ method: 'own', evaluation }]).split('\n');
    expect(lines[3]).toMatch(/^\| --- \|( ---: \|)+$/);
    expect(lines[4]).toBe('| own | 2.00 | 4.00 | 6.00 | 4.00 | 2.00 | 4.00 | 4.00 | 45.00 | 25.00 | 3 | 1 |');
  });
});

describe('pairedBootstrap', () => {
  it('sees a steady small gain that the spread over images would hide', () => {
    const second = faces.map((_, i) => 0.03 + 0.02 * Math.sin(i));
    const first = second.map((value, i) => value - 0.001 + 0.001 * Math.cos(7 * i));
    const result = pairedBootstrap(first, second, { resamples: 4000 });
    expect(result.difference).toBeCloseTo(-0.001, 4);
    expect(result.high).toBeLessThan(0);
    expect(result.firstBetter).toBeGreaterThan(0.99);
    // The interval of a mean of 60 differences whose spread is 0.001 / sqrt(2).
    const expected = (2 * 1.96 * 0.001) / Math.sqrt(2) / Math.sqrt(60);
    expect((result.high - result.low) / expected).toBeCloseTo(1, 1);
    expect(pairedBootstrap(first, second, { resamples: 4000 })).toEqual(result);
  });

  it('does not tell equal systems apart', () => {
    const errors = faces.map((_, i) => 0.03 + 0.001 * i);
    expect(pairedBootstrap(errors, errors, { resamples: 50 })).toEqual({
      difference: 0,
      low: 0,
      high: 0,
      firstBetter: 0.5,
    });
  });
});
