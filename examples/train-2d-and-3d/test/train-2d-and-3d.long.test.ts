import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPackedSetWriter } from '@voxface/datasets/node';
import { boxOf, createRandom, IBUG_68, type Landmarks } from '@voxface/landmarks';
import { afterAll, expect, test } from 'vitest';
import { runExample } from '../../run-example.ts';

const folder = mkdtempSync(join(tmpdir(), 'voxface-example-'));
process.env.BACKEND = 'cpu';
afterAll(() => rmSync(folder, { recursive: true }));

/** Eight made-up faces on noise. */
async function writeSet(name: string, dims: 2 | 3): Promise<string> {
  const random = createRandom(dims);
  const [width, height] = [52, 44];
  const writer = await createPackedSetWriter(join(folder, name), { name, dims, scheme: IBUG_68 });
  for (let face = 0; face < 8; face++) {
    const points = Array.from({ length: 68 }, (_, i) =>
      [12 + 3 * (i % 9) + random.next(), 10 + 3 * Math.floor(i / 9), 4 * random.next()].slice(0, dims),
    ).flat();
    const landmarks = { points: Float32Array.from(points), dims } as Landmarks;
    const data = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
    const provenance = { dataset: name, files: [], conversions: ['made up'] };
    await writer.add(
      { id: `${face}`, landmarks, box: boxOf(landmarks), provenance },
      { data, width, height, channels: 3 },
    );
  }
  await writer.close();
  return join(folder, name);
}

test('pre-trains on 3D, goes on adversarially with 2D, and saves a model', async () => {
  const output = join(folder, 'run');
  const { status, output: printed } = runExample('train-2d-and-3d', [
    await writeSet('set3d', 3),
    await writeSet('set2d', 2),
    output,
    'tiny',
    '2',
  ]);
  expect(status, printed).toBe(0);
  const steps = readFileSync(join(output, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((record) => record.losses !== undefined);
  expect(steps.map(({ kind, stage }) => stage ?? kind)).toHaveLength(4);
  expect(Object.keys(steps[3].losses).join()).toMatch(/real.*fake|fake.*real/);
  expect(existsSync(join(output, 'model', 'voxface.json'))).toBe(true);
});
