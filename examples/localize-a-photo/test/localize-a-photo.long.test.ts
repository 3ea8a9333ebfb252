import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { runExample } from '../../run-example.ts';

const faceApi = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));

test('finds the three faces of a real photo, nose tips where they are', () => {
  const { status, output } = runExample('localize-a-photo', [join(faceApi, 'demo', 'sample1.jpg')]);
  expect(status, output).toBe(0);
  const noses = [...output.matchAll(/nose tip at (\S+), (\S+),/g)].map(([, x, y]) => [Number(x), Number(y)]);
  expect(noses).toHaveLength(3);
  // Read off the photo by eye; faces are about 200 px wide.
  const expected = [
    [462, 510],
    [915, 580],
    [1553, 343],
  ];
  for (const [x, y] of expected) {
    expect(Math.min(...noses.map((nose) => Math.hypot(nose[0] - x, nose[1] - y)))).toBeLessThan(30);
  }
});

test('says how it is used', () => {
  expect(runExample('localize-a-photo', [])).toMatchObject({ status: 2 });
});
