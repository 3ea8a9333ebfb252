import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runExample } from '../../run-example.ts';

const folder = mkdtempSync(join(tmpdir(), 'voxface-example-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** 20 faces of width 160 and height 90, moved by a distance that differs from face to face. */
function write(name: string, distance: (face: number) => number): string {
  const faces = Array.from({ length: 20 }, (_, face) => {
    const points = Array.from({ length: 68 }, (_, i) => [
      20 * (i % 9) + distance(face),
      (90 / 7) * Math.floor(i / 9),
    ]);
    return [`face-${face}`, points];
  });
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(Object.fromEntries(faces)));
  return file;
}

test('prints the table and the interval of the difference of two tools', () => {
  const files = [
    write('truth.json', () => 0),
    write('mine.json', () => 1.2),
    write('theirs.json', (f) => 2.4 + f / 10),
  ];
  const { status, output } = runExample('metrics-in-another-benchmark', files);
  expect(status, output).toBe(0);
  expect(output).toMatch(/mine\.json \| 1\.00/);
  const [, difference, low, high] = output.match(/difference (\S+) %, .* (\S+) to (\S+)/) as string[];
  expect(Number(difference)).toBeCloseTo((100 * (1.2 - 2.4 - 0.95)) / 120, 2);
  expect(Number(low)).toBeLessThan(Number(difference));
  expect(Number(high)).toBeLessThan(0);
});
