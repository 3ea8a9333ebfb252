import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAccumulator } from '@voxface/metrics';
import { findData } from '@voxface/test-utils/node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaceErrors, withConfidences, writeReport } from '../src/evaluate/report.ts';
import { createFixtures } from './photos.ts';
import { run } from './run.ts';

/** The test sets of 300W: common is LFPW and HELEN, challenging iBUG. */
const photos300w = findData('300w-test');

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
const set = (): string[] => ['--dataset', '300w', '--root', fixtures.at('annotated')];

/** Predictions that are the truth moved by (dx, dy) pixels. */
function shifted(dx: number, dy: number): Record<string, number[][]> {
  const read = (id: string): number[][] =>
    readFileSync(fixtures.at(`annotated/${id}.pts`), 'utf8')
      .split('\n')
      .slice(3, 71)
      .map((line) => line.split(' ').map(Number))
      .map(([x, y]) => [x - 1 + dx, y - 1 + dy]);
  return Object.fromEntries(['a', 'b', 'c'].map((id) => [id, read(id)]));
}

function write(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  writeFileSync(fixtures.at(name), text);
  return fixtures.at(name);
}

beforeAll(async () => {
  fixtures = await createFixtures();
});
afterAll(() => rmSync(fixtures.root, { recursive: true }));

describe('evaluate', () => {
  test('scores predictions of another tool: a shift of 5 px over sqrt(32 x 21) px', async () => {
    const file = write('shifted.json', shifted(3, -4));
    const json = fixtures.at('result.json');
    expect(await run('evaluate', ...set(), '--predictions', file, '--json', json)).toMatchObject({ code: 0 });
    const result = JSON.parse(readFileSync(json, 'utf8'));
    expect(result).toMatchObject({ dataset: '300w', protocol: '300w/box/68', count: 3, missed: 0 });
    expect(result.nme.mean).toBeCloseTo((100 * 5) / Math.sqrt(32 * 21), 3);
    expect(result.perImage.map(({ id }: { id: string }) => id)).toEqual(['a', 'b', 'c']);
  });

  test('faces without a prediction are missed, and a report is written', async () => {
    const { a, b } = shifted(1, 1);
    const flags = ['--predictions', write('two.json', { a, b }), '--report', fixtures.at('report')];
    const result = await run('evaluate', ...set(), ...flags);
    expect(result).toMatchObject({ code: 0, output: expect.stringMatching(/2 faces, 1 missed/) });
    expect(readFileSync(fixtures.at('report/report.md'), 'utf8')).toMatch(/\| c \| missed \|/);
  });

  test('errors by landmark: those of one part moved alone, hidden ones left out', async () => {
    const moved = shifted(0, 0);
    for (const rows of Object.values(moved)) for (let i = 36; i < 42; i++) rows[i][0] += 6;
    const json = fixtures.at('landmarks.json');
    const flags = ['--predictions', write('eye.json', moved), '--protocol', '300w/box/51', '--json', json];
    expect(await run('evaluate', ...set(), ...flags)).toMatchObject({ code: 0 });
    const { perLandmark, nme } = JSON.parse(readFileSync(json, 'utf8'));
    const expected = Array.from({ length: 51 }, (_, i) =>
      i >= 19 && i < 25 ? (100 * 6) / Math.sqrt(32 * 21) : 0,
    );
    expect(perLandmark).toHaveLength(51);
    perLandmark.forEach((value: number, i: number) => {
      expect(value).toBeCloseTo(expected[i], 2);
    });
    expect(nme.mean).toBeCloseTo(expected.reduce((sum, value) => sum + value, 0) / 51, 2);
  });

  test('a report tells how the error goes with the confidence', async () => {
    const protocol = '300w/box/68';
    const accumulator = createAccumulator(protocol);
    // A hundred faces, the error of each a tenth of its doubt.
    const images = Array.from({ length: 100 }, (_, i): FaceErrors => {
      const confidence = (i + 0.5) / 100;
      return { id: `face-${100 + i}`, nme: (1 - confidence) / 10, confidence };
    });
    accumulator.merge({ protocol, images });
    const evaluation = accumulator.compute();
    const folder = fixtures.at('judged');
    const systems = [{ model: 'model', evaluation, perLandmark: [0.01, 0.02], predicted: new Map() }];
    await writeReport(folder, systems, { set: '300w', json: {} });
    const text = readFileSync(`${folder}/report.md`, 'utf8');
    expect(text).toMatch(/\| 0 to 0\.1 \| 10 \| 9\.50 \|/);
    expect(text).toMatch(/\| 0\.5 to 0\.9 \| 40 \| 3\.00 \| 0\.00 \|/);
    expect(readFileSync(`${folder}/confidence.svg`, 'utf8')).toContain('faces kept (%)');
    expect(withConfidences(evaluation, [{ id: 'face-100' }])).toEqual([
      { id: 'face-100', confidence: 0.005 },
    ]);
  });

  test('several systems in one report, with pictures of the worst faces', async () => {
    const near = write('near.json', shifted(1, 0));
    const { a, b } = shifted(3, -4);
    const far = write('far.json', { a, b });
    const json = fixtures.at('several.json');
    const report = fixtures.at('several');
    const flags = ['--predictions', `near=${near}`, far, '--mean-shape', '--json', json, '--report', report];
    const { code, output } = await run('evaluate', ...set(), ...flags);
    expect(code).toBe(0);
    expect(output).toMatch(/far\.json - near: 15\.43 % \(95 % interval 15\.43 to 15\.43, 2 faces\)/);
    const results = JSON.parse(readFileSync(json, 'utf8'));
    expect(results.map(({ model, missed }: { model: string; missed: number }) => [model, missed])).toEqual([
      ['near', 0],
      [far, 1],
      ['mean face', 0],
    ]);
    const text = readFileSync(`${report}/report.md`, 'utf8');
    expect(text).toContain('# near, ');
    expect(text).toMatch(/\| left-eye \| 3\.86 \| 19\.29 \|/);
    expect(text).toMatch(/\| c \| 3\.86 \| missed \| [\d.]+ \|/);
    const { width, height } = await sharp(`${report}/worst.png`).metadata();
    // Three faces below one another, three systems side by side.
    expect([width, height]).toEqual([3 * 252 + 12, 3 * (240 + 24 + 12) + 12]);
    expect(readFileSync(`${report}/landmarks.svg`, 'utf8')).toContain('near');
    const twice = await run('evaluate', ...set(), '--predictions', `x=${near}`, `x=${far}`);
    expect(twice).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/name of its own, got two called x/),
    });
  });

  test.skipIf(photos300w === undefined)(
    '300W by its parts, all 689 real faces moved by 5 pixels',
    async () => {
      const parts: Record<string, number[]> = { common: [], challenging: [] };
      const moved: Record<string, number[][]> = {};
      for (const folder of ['lfpw', 'helen', 'ibug']) {
        for (const name of readdirSync(join(photos300w!, folder)).filter((file) => file.endsWith('.pts'))) {
          const lines = readFileSync(join(photos300w!, folder, name), 'utf8')
            .split('{')[1]
            .trim()
            .split('\n');
          const points = lines.slice(0, 68).map((line) => line.trim().split(/\s+/).map(Number));
          moved[`${folder}/${name.slice(0, -4)}`] = points.map(([x, y]) => [x - 1 + 3, y - 1 - 4]);
          const eyes = Math.hypot(points[36][0] - points[45][0], points[36][1] - points[45][1]);
          parts[folder === 'ibug' ? 'challenging' : 'common'].push(5 / eyes);
        }
      }
      const report = fixtures.at('300w-parts');
      const list = ['--dataset', '300w', '--root', photos300w!, '--protocol', '300w/interocular'];
      const files = ['--predictions', write('moved.json', moved), '--report', report];
      expect(await run('evaluate', ...list, ...files)).toMatchObject({ code: 0 });
      const mean = (values: number[]): string =>
        ((100 * values.reduce((sum, value) => sum + value)) / values.length).toFixed(2);
      const { common, challenging } = parts;
      expect([common.length, challenging.length]).toEqual([554, 135]);
      const text = readFileSync(`${report}/report.md`, 'utf8');
      expect(text).toContain(`| common | ${mean(common)} |
| challenging | ${mean(challenging)} |
| full | ${mean([...common, ...challenging])} |`);
    },
  );

  test('WFLW by its six flags', async () => {
    const points = Array.from({ length: 196 }, (_, k) =>
      k % 2 ? 20 + 4 * Math.floor(k / 20) : 30 + 3 * (k % 20),
    );
    const line = (flags: string): string => `${points.join(' ')} 25 15 95 70 ${flags} a.jpg\n`;
    const lines = [line('1 0 0 0 1 0'), line('0 1 0 0 0 0'), line('0 0 0 0 0 0'), line('1 0 0 0 0 0')];
    writeFileSync(fixtures.at('list_98pt_rect_attr_test.txt'), lines.join(''));
    const pairs = (dx: number): number[][] =>
      Array.from({ length: 98 }, (_, i) => [points[2 * i] + dx, points[2 * i + 1]]);
    const file = write('wflw.json', { 'a#1': pairs(1), 'a#2': pairs(2), 'a#3': pairs(3), 'a#4': pairs(5) });
    const list = ['--dataset', 'wflw', '--root', fixtures.at('list_98pt_rect_attr_test.txt')];
    const json = fixtures.at('wflw-result.json');
    const { code, output } = await run('evaluate', ...list, '--predictions', file, '--json', json);
    expect(code).toBe(0);
    const { subsets, nme } = JSON.parse(readFileSync(json, 'utf8'));
    const ratio = Object.fromEntries(
      subsets.map((part: { name: string; nme: { mean: number } }) => [part.name, part.nme.mean / nme.mean]),
    );
    expect(Object.keys(ratio)).toEqual(['large-pose', 'expression', 'occlusion']);
    expect(ratio['large-pose']).toBeCloseTo(3 / 2.75, 3);
    expect(ratio.expression).toBeCloseTo(2 / 2.75, 3);
    expect(ratio.occlusion).toBeCloseTo(1 / 2.75, 3);
    expect(output).toMatch(/large-pose +[\d.]+ % \(2 faces/);
  });

  test('a tiny model runs through the whole way', async () => {
    const flags = ['--model', fixtures.model, '--backend', 'cpu', '--protocol', '300w/box/51'];
    const result = await run('evaluate', ...set(), ...flags);
    expect(result).toMatchObject({ code: 0, output: expect.stringMatching(/300w\/box\/51: 3 faces/) });
  });

  test.each([
    ['67 points', (p: Record<string, number[][]>) => p.a.pop(), /a: .*68.* landmarks, got 67/],
    ['NaN', (p: Record<string, number[][]>) => (p.a[5][0] = Number.NaN), /a|createLandmarks/],
  ])('%s in the predictions fail with the rule', async (_, spoil, message) => {
    const predictions = shifted(0, 1);
    spoil(predictions);
    const result = await run('evaluate', ...set(), '--predictions', write('spoilt.json', predictions));
    expect(result).toMatchObject({ code: 1, errors: expect.stringMatching(message) });
  });

  test.each([
    ['--protocol', 'guess', /--protocol: expected one of/],
    ['--predictions', 'nowhere.json', /--predictions: nowhere\.json is not readable JSON/],
    ['--shard', '3/2', /--shard: expected i\/n/],
  ])('%s %s is refused', async (flag, value, message) => {
    expect(await run('evaluate', ...set(), flag, value)).toMatchObject({
      code: 2,
      errors: expect.stringMatching(message),
    });
  });
});
