import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

  test('keeps subfolders, and resumes: what is there is skipped', async () => {
    mkdirSync(fixtures.at('nested/deep'), { recursive: true });
    copyFileSync(fixtures.at('good.jpg'), fixtures.at('nested/one.jpg'));
    copyFileSync(fixtures.at('good.jpg'), fixtures.at('nested/deep/one.jpg'));
    const out = fixtures.at('mirrored');
    const flags = ['--model', fixtures.model, '--out', out, '--box', '12,8,30,28'];
    expect(await run('localize', fixtures.at('nested'), ...flags)).toMatchObject({ code: 0 });
    expect(existsSync(join(out, 'one.json')) && existsSync(join(out, 'deep/one.json'))).toBe(true);
    rmSync(join(out, 'one.json'));
    const again = await run('localize', fixtures.at('nested'), ...flags, '--resume');
    expect(again.output).toMatch(/1 photos are done already[\s\S]*1 photo, 1 faces/);
    expect(existsSync(join(out, 'one.json'))).toBe(true);
  });

  test('prints a line of JSON per photo, and nothing else on standard output', async () => {
    const photos = [fixtures.at('good.jpg'), fixtures.at('png-inside.jpg')];
    const flags = ['--model', fixtures.model, '--out', '-', '--box', '12,8,20,18'];
    const { code, output, errors } = await run('localize', ...photos, ...flags);
    const lines = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines.map(({ image }) => image.path)).toEqual(photos);
    expect(lines[0].faces[0].landmarks).toHaveLength(68);
    expect(errors).toMatch(/2 photos, 2 faces/);
  });

  test('reads a list from standard input', async () => {
    const result = spawnSync(
      process.execPath,
      [
        ...['--conditions=voxface-source', '--import', import.meta.resolve('tsx')],
        fileURLToPath(new URL('../src/bin.ts', import.meta.url)),
        ...[
          'localize',
          '-',
          '--model',
          fixtures.model,
          '--out',
          fixtures.at('listed'),
          '--box',
          '12,8,20,18',
        ],
      ],
      { input: `${fixtures.at('good.jpg')}\n\n${fixtures.at('png-inside.jpg')}\n`, encoding: 'utf8' },
    );
    expect(result.status, result.stderr).toBe(0);
    expect(readdirSync(fixtures.at('listed')).sort()).toEqual(['good.json', 'png-inside.json']);
  });

  test('files that would write pictures do not go to standard output', async () => {
    const result = await run('localize', fixtures.at('good.jpg'), '--out', '-', '--overlay');
    expect(result).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/--out -: expected no --overlay/),
    });
  });

  test('--version names the runtimes', async () => {
    const { code, output } = await run('--version');
    expect(code).toBe(0);
    expect(output).toMatch(
      /^voxface \d+\.\d+\.\d+\nnode \d+\.[\s\S]*onnxruntime-node 1\.[\s\S]*@tensorflow\/tfjs-core 4\./,
    );
  });
});
