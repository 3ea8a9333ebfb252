import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAflw20003d } from '@voxface/datasets/node';
import { findData } from '@voxface/test-utils/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import golden from './golden/aflw2000-protocols.json' with { type: 'json' };
import { run } from './run.ts';

const root = findData('aflw2000-3d-full');
const folder = mkdtempSync(join(tmpdir(), 'voxface-protocols-'));
const predictions = join(folder, 'original.json');

beforeAll(async () => {
  if (root === undefined) return;
  const dataset = await openAflw20003d(root);
  const rows: Record<string, number[][]> = {};
  for (let i = 0; i < dataset.length; i++) {
    const { id, landmarks } = await dataset.annotate!(i);
    rows[id] = Array.from({ length: 68 }, (_, n) => [...landmarks.points.slice(3 * n, 3 * n + 2)]);
  }
  writeFileSync(predictions, JSON.stringify(rows));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The original labels of all 2000 faces scored as predictions, against NumPy. */
describe.skipIf(root === undefined)('protocols of AFLW2000-3D on the 2000 faces', () => {
  test.each([
    ['aflw2000-3d/68/2d/reannotated', 'fitted', golden.reannotated],
    ['aflw2000-3d/68/2d/reannotated', 'paper', golden.reannotated],
    ['aflw2000-3d/21-visible', 'fitted', golden.visible21],
    ['aflw2000-3d/21-visible', 'paper', golden.visible21],
  ] as const)('%s, yaw of the %s split', async (protocol, split, expected) => {
    const json = join(folder, 'result.json');
    const set = ['--dataset', 'aflw2000-3d', '--root', root!, '--predictions', predictions];
    const result = await run('evaluate', ...set, '--protocol', protocol, '--split', split, '--json', json);
    expect(result).toMatchObject({ code: 0 });
    const { nme, bins, binMean, count } = JSON.parse(readFileSync(json, 'utf8'));
    expect(count).toBe(2000);
    expect(nme.mean).toBeCloseTo(expected.nme, 3);
    expect(bins.map((bin: { count: number }) => bin.count)).toEqual(expected[split].counts);
    bins.forEach((bin: { mean: number }, i: number) => {
      expect(bin.mean).toBeCloseTo(expected[split].means[i], 3);
    });
    expect(binMean).toBeCloseTo(expected[split].mean, 3);
  });

  test('the original labels are perfect under their own protocol, in the bins of the paper', async () => {
    const json = join(folder, 'own.json');
    const set = ['--dataset', 'aflw2000-3d', '--root', root!, '--predictions', predictions];
    expect(await run('evaluate', ...set, '--split', 'paper', '--json', json)).toMatchObject({ code: 0 });
    const { nme, bins } = JSON.parse(readFileSync(json, 'utf8'));
    expect(nme.mean).toBeCloseTo(0, 4);
    expect(bins.map((bin: { count: number }) => bin.count)).toEqual(golden.reannotated.paper.counts);
  });

  test('there is no other split', async () => {
    const set = ['--dataset', 'aflw2000-3d', '--root', root!, '--predictions', predictions];
    expect(await run('evaluate', ...set, '--split', 'test')).toMatchObject({
      code: expect.any(Number),
      errors: expect.stringMatching(/'paper' or 'fitted', got "test"/),
    });
  });
});
