import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runExample } from '../../run-example.ts';

const root = fileURLToPath(new URL('../../../../shared/data/aflw2000-3d', import.meta.url));
const have = existsSync(root);
if (!have && process.env.VOXFACE_REQUIRE_DATA)
  throw new Error(`the AFLW2000-3D samples are required and missing: ${root}`);

describe.skipIf(!have)('evaluate on AFLW2000-3D (needs ../shared/data)', () => {
  test('scores the samples far better than the mean face (23 % in 2D, 30 % in 3D)', () => {
    const { status, output } = runExample('evaluate-on-aflw2000-3d', [root]);
    expect(status, output).toBe(0);
    const [flat, deep] = [...output.matchAll(/NME (\S+) %/g)].map(([, value]) => Number(value));
    expect(flat).toBeLessThan(10);
    expect(deep).toBeLessThan(14);
  });
});
