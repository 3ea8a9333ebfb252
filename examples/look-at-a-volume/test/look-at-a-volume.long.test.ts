import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runExample } from '../../run-example.ts';

const folder = mkdtempSync(join(tmpdir(), 'voxface-example-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('prints the energy of each stage and draws the last volume', () => {
  const landmarks = Array.from({ length: 68 }, (_, i) => [
    100 + 7 * (i % 9),
    80 + 11 * Math.floor(i / 9),
    i % 5,
  ]);
  const input = join(folder, 'face.json');
  writeFileSync(input, JSON.stringify({ faces: [{ landmarks }] }));
  const { status, output } = runExample('look-at-a-volume', [input, join(folder, 'volume.svg')]);
  expect(output).toMatch(/stage 3: 64 x 64 x 64 x 3, energy [1-9]\.\d+/);
  expect(status).toBe(0);
  const svg = readFileSync(join(folder, 'volume.svg'), 'utf8');
  expect(svg.match(/<circle|<path|<rect/g)?.length).toBeGreaterThan(100);
});

test('says how it is used when arguments are missing', () => {
  expect(runExample('look-at-a-volume', [])).toMatchObject({ status: 2 });
});
