import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFixtures } from './photos.ts';
import { run } from './run.ts';

let fixtures: Awaited<ReturnType<typeof createFixtures>>;

beforeAll(async () => {
  fixtures = await createFixtures();
  mkdirSync(fixtures.at('folder'));
  for (let i = 10; i < 30; i++) copyFileSync(fixtures.at('good.jpg'), fixtures.at(`folder/${i}.jpg`));
  writeFileSync(fixtures.at('folder/17.jpg'), 'this is no picture\n');
});
afterAll(() => rmSync(fixtures.root, { recursive: true }));

describe('localize, a folder', () => {
  test('is shared among threads, in order; a broken photo is named and the others are done', async () => {
    const out = fixtures.at('out');
    const flags = ['--model', fixtures.model, '--out', out, '--box', '12,8,30,28'];
    const result = await run('localize', fixtures.at('folder'), ...flags);
    expect(result.code).toBe(1);
    expect(result.errors).toMatch(/17\.jpg: .*expected a whole JPEG/);
    expect(result.output).toMatch(/19 photos, 19 faces, [\d.]+ photos\/s .*onnxruntime-node.*, 1 failed/);
    const named = result.output.match(/(\d+)\.jpg: 1 face/g)!.map((line) => Number.parseInt(line, 10));
    expect(named).toEqual([...named].sort((a, b) => a - b));
    expect(readdirSync(out)).toHaveLength(19);
    const first = JSON.parse(readFileSync(join(out, '10.json'), 'utf8'));
    expect(first.faces[0].landmarks).toHaveLength(68);
    expect(first.image).toMatchObject({ width: 61, height: 47 });
  });
});
