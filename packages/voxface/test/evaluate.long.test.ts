import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFixtures } from './photos.ts';
import { run } from './run.ts';

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
