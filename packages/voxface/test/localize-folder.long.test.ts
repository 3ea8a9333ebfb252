import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
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

  test.each([
    ['in this thread', '0'],
    ['in threads', '2'],
  ])('takes addresses, %s; one that does not answer well is named', async (_, threads) => {
    const photo = readFileSync(fixtures.at('good.jpg'));
    const server = createServer(({ url }, response) => {
      if (url?.startsWith('/a%20b.jpg')) return response.end(photo);
      response.statusCode = 404;
      response.end();
    }).listen(0);
    await once(server, 'listening');
    const at = `http://localhost:${(server.address() as { port: number }).port}`;
    const out = fixtures.at(`addressed-${threads}`);
    const flags = ['--model', fixtures.model, '--out', out, '--box', '12,8,30,28'];
    const more = threads === '0' ? [] : ['--threads', threads];
    const result = await run('localize', `${at}/a%20b.jpg?size=1`, `${at}/../gone.jpg`, ...flags, ...more);
    server.close();
    expect(result.code).toBe(1);
    expect(result.errors).toMatch(/gone\.jpg: .*expected a file at http:.*gone\.jpg, got status 404/);
    expect(readdirSync(out)).toEqual(['a_20b.json']);
    const { image } = JSON.parse(readFileSync(join(out, 'a_20b.json'), 'utf8'));
    expect(image).toEqual({ path: `${at}/a%20b.jpg?size=1`, width: 61, height: 47 });
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

  test('replaces nothing that it has not written for the same photo, unless told to', async () => {
    const own = fixtures.at('own');
    mkdirSync(join(own, 'a'), { recursive: true });
    mkdirSync(join(own, 'b'));
    for (const name of ['a/x.jpg', 'b/x.jpg', 'x.jpg', 'x-1.jpg']) {
      copyFileSync(fixtures.at('good.jpg'), join(own, name));
    }
    const annotation = 'version: 1\nn_points: 1\n{\n1 1\n}\n';
    writeFileSync(join(own, 'x-1.pts'), annotation);
    const localize = (photo: string, out: string, ...more: string[]) =>
      run(
        'localize',
        join(own, photo),
        '--model',
        fixtures.model,
        '--box',
        '12,8,30,28',
        '--out',
        out,
        ...more,
      );
    // An annotation of another photo, also when the result beside it is ours.
    for (const formats of ['pts', 'json', 'json,pts']) {
      const { code, errors } = await localize('x.jpg', own, '--format', formats);
      expect(code).toBe(formats === 'json' ? 0 : 1);
      if (formats !== 'json') expect(errors).toMatch(/x-1\.pts is there already .* --overwrite/);
      expect(readFileSync(join(own, 'x-1.pts'), 'utf8')).toBe(annotation);
    }
    // The result of another photo of that name; the same photo may come again.
    const out = join(own, 'out');
    expect((await localize('a/x.jpg', out)).code).toBe(0);
    expect((await localize('a/x.jpg', out, '--flip')).code).toBe(0);
    for (const more of [[], ['--resume'], ['--format', 'json,csv']]) {
      const second = await localize('b/x.jpg', out, ...more);
      expect(second.code).toBe(1);
      expect(second.errors).toMatch(/x\.json is there already and no result for this photo/);
    }
    expect(JSON.parse(readFileSync(join(out, 'x.json'), 'utf8')).image.path).toBe(join(own, 'a/x.jpg'));
    writeFileSync(join(own, 'c-overlay.png'), 'a picture of somebody');
    copyFileSync(fixtures.at('good.jpg'), join(own, 'c.jpg'));
    expect((await localize('c.jpg', own, '--overlay')).errors).toMatch(/c-overlay\.png is there already/);
    expect(readFileSync(join(own, 'c-overlay.png'), 'utf8')).toBe('a picture of somebody');
    // A link's target stays.
    writeFileSync(join(own, 'precious'), 'precious');
    mkdirSync(join(own, 'linked'));
    symlinkSync('../precious', join(own, 'linked/x.json'));
    expect((await localize('x.jpg', join(own, 'linked'))).code).toBe(1);
    expect((await localize('x.jpg', join(own, 'linked'), '--overwrite')).code).toBe(0);
    expect(readFileSync(join(own, 'precious'), 'utf8')).toBe('precious');
    expect((await localize('b/x.jpg', out, '--overwrite')).code).toBe(0);
  });

  test('names pictures of kinds that it cannot read', async () => {
    const folder = fixtures.at('kinds');
    mkdirSync(folder);
    for (const name of ['a.HEIC', 'b.bmp', 'c.CR2', 'd.heif']) writeFileSync(join(folder, name), 'x');
    const flags = ['--model', fixtures.model, '--out', fixtures.at('kinds-out'), '--box', '12,8,30,28'];
    const none = await run('localize', folder, ...flags);
    expect(none).toMatchObject({ code: 2 });
    expect(none.errors).toMatch(
      /no images .* but 4 of other kinds \(a\.HEIC, b\.bmp, c\.CR2, \.\.\.; convert/,
    );
    copyFileSync(fixtures.at('good.jpg'), join(folder, 'e.jpg'));
    const some = await run('localize', folder, ...flags);
    expect(some.code).toBe(0);
    expect(some.errors).toMatch(/left out 4 pictures of other kinds: a\.HEIC/);
  });
});
