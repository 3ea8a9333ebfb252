import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFixtures } from './photos.ts';
import { run } from './run.ts';

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
const boxed = (): string[] => ['--model', fixtures.model, '--backend', 'cpu', '--box', '12,8,30,28'];

beforeAll(async () => {
  fixtures = await createFixtures();
});
afterAll(() => rmSync(fixtures.root, { recursive: true }));

describe('localize', () => {
  test('writes JSON, CSV, points and pictures for a photo with a given box', async () => {
    const out = fixtures.at('out');
    const flags = ['--out', out, '--format', 'json,csv,pts', '--overlay', '--view3d', ...boxed()];
    expect(await run('localize', fixtures.at('good.jpg'), ...flags)).toMatchObject({ code: 0 });
    const result = JSON.parse(readFileSync(`${out}/good.json`, 'utf8'));
    expect(result.image).toEqual({ path: fixtures.at('good.jpg'), width: 61, height: 47 });
    expect(result.faces).toHaveLength(1);
    expect(result.faces[0].landmarks).toHaveLength(68);
    expect(result.faces[0].box).toEqual({ x: 12, y: 8, width: 30, height: 28 });
    expect(Object.keys(result.faces[0].pose).sort()).toEqual(['pitch', 'roll', 'yaw']);
    expect(readFileSync(`${out}/good.csv`, 'utf8').split('\n')).toHaveLength(68 + 2);
    const [x, y] = result.faces[0].landmarks[0];
    const points = readFileSync(`${out}/good-1.pts`, 'utf8').split('\n');
    expect(points[3].split(' ').map(Number)).toEqual([expect.closeTo(x + 1, 2), expect.closeTo(y + 1, 2)]);
    expect(existsSync(`${out}/good-overlay.png`) && existsSync(`${out}/good-1-view3d.png`)).toBe(true);
  });

  test('names every bad file, does the others and exits with 1', async () => {
    const names = ['truncated.jpg', 'text.jpg', 'png-inside.jpg', 'good.jpg'];
    const result = await run('localize', ...names.map(fixtures.at), '--out', fixtures.at('some'), ...boxed());
    expect(result.code).toBe(1);
    expect(result.errors).toMatch(/truncated\.jpg: .*truncated JPEG/);
    expect(result.errors).toMatch(/text\.jpg: .*expected a whole JPEG/);
    expect(existsSync(fixtures.at('some/good.json')) && existsSync(fixtures.at('some/png-inside.json'))).toBe(
      true,
    );
  });

  test.each([
    ['no such file', ['nowhere.jpg'], /no such file or folder: nowhere\.jpg/],
    ['a pattern that matches nothing', ['nowhere-*.jpg'], /no such file or folder: nowhere-\*\.jpg/],
  ])('%s is a bad argument', async (_, photos, message) => {
    const result = await run('localize', ...photos, '--out', fixtures.at('none'), ...boxed());
    expect(result).toMatchObject({ code: 2, errors: expect.stringMatching(message) });
  });

  test('an empty folder is a bad argument that names the folder', async () => {
    const result = await run('localize', fixtures.at('empty'), '--out', fixtures.at('none'), ...boxed());
    expect(result).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/no images .* in folder .*empty/),
    });
  });

  test.each([
    ['--rotations', 'often', /--rotations: expected one of doubtful, always, never, got often/],
    ['--min-face', '-3', /--min-face: expected a positive number, got -3/],
    ['--box', '1,2,3', /--box: expected X,Y,W,H/],
    ['--box', '1,2,-3,4', /--box: expected X,Y,W,H/],
    ['--format', 'yaml', /--format: expected some of json, csv, pts, got yaml/],
    ['--model', 'nothing', /--model: expected a pretrained name/],
    ['--backend', 'abacus', /--backend: expected one of/],
    ['--colour', 'red', /unknown option/],
  ])('%s %s is refused with its rule', async (flag, value, message) => {
    const result = await run(
      'localize',
      fixtures.at('good.jpg'),
      '--out',
      fixtures.at('none'),
      ...boxed(),
      flag,
      value,
    );
    expect(result).toMatchObject({ code: 2, errors: expect.stringMatching(message) });
  });

  test('help teaches and exits with 0', async () => {
    const { code, output } = await run('localize', '--help');
    expect(code).toBe(0);
    expect(output).toMatch(/Usage: voxface localize .*<photos\.\.\.>/);
    expect((await run('--help')).output).toMatch(/Exit codes: 0 success, 1 failure/);
  });

  test('an unknown command is refused', async () => {
    expect(await run('localise')).toMatchObject({ code: 2, errors: expect.stringMatching(/localize/) });
  });
});
