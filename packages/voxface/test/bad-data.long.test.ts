import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DATASET_KINDS } from '@voxface/datasets';
import { openPackedSet } from '@voxface/datasets/node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import basis from '../../facefit/test/golden/linear-basis.json' with { type: 'json' };
import { withoutOptions } from '../src/data/profile.ts';
import { expectFailure, picture, ptsOf, writeFiles } from './annotated-folder.ts';
import { run } from './run.ts';

const roots: string[] = [];
let jpeg: Buffer;

function folder(files: Record<string, string | Uint8Array>): string {
  const root = writeFiles(files);
  roots.push(root);
  return root;
}

beforeAll(async () => {
  jpeg = await picture();
});
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

/** A MATLAB file whose only variable, `pt3d_68`, is of a class that does not exist. */
function unknownClass(): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(basis.struct, 'base64'));
  return Uint8Array.from([...bytes.subarray(0, 128), ...matrix(99, 'pt3d_68')]);
}

function matrix(kind: number, name: string): Uint8Array {
  const padded = name.padEnd(8, '\0');
  const words = [14, 56, 6, 8, kind, 0, 5, 8, 1, 1, 1, name.length];
  const head = new Uint8Array(Uint32Array.from(words).buffer);
  return new Uint8Array(Buffer.concat([head, Buffer.from(padded), new Uint8Array(16)]));
}

describe('data inspect', () => {
  test('names every broken sample of a folder, counts the others and exits with 1', async () => {
    const root = folder({
      'good.jpg': jpeg,
      'good.pts': ptsOf(),
      'png-inside.jpg': await picture('png'),
      'png-inside.pts': ptsOf(),
      'cut.jpg': jpeg.subarray(0, jpeg.length >> 1),
      'cut.pts': ptsOf(),
      'fewer.jpg': jpeg,
      'fewer.pts': ptsOf(undefined, 67),
      'gap.jpg': jpeg,
      'gap.pts': ptsOf((row, i) => (i === 9 ? 'NaN 3' : row)),
      'outside.jpg': jpeg,
      'outside.pts': ptsOf((row) => row.replace(/^/, '9')),
      'text.jpg': 'this is no picture\n',
      'text.pts': ptsOf(),
      'alone.pts': ptsOf(),
    });
    const json = join(root, 'report.json');
    const result = await run('data', 'inspect', root, '--json', json);
    expectFailure(
      result,
      1,
      /^voxface: cut: .*a damaged or truncated JPEG of \d+ bytes in .*cut/m,
      /^voxface: fewer: .*fewer\.pts: .*ibug-68 has 68 landmarks, got 67/m,
      /^voxface: gap: .*gap\.pts: .*got "NaN 3" at landmark 9/m,
      /^voxface: outside: .*at least half of the landmarks must lie inside the picture.*\(wrong picture, wrong scale/m,
      /^voxface: text: .*expected a whole JPEG.*text/m,
      /^voxface: alone: .*alone\.pts: expected a picture beside it/m,
    );
    expect(result.output).toMatch(/count +2/);
    expect(JSON.parse(readFileSync(json, 'utf8')).broken).toHaveLength(6);
  });

  test('help lists the kinds that can be opened', async () => {
    for (const command of ['inspect', 'convert', 'profile']) {
      const { output } = await run('data', command, '--help');
      expect(output.replace(/\s+/g, ' ')).toContain(DATASET_KINDS.join(', '));
    }
  });

  test('an unknown MATLAB class is named with its file', async () => {
    const root = folder({ 'image00001.jpg': jpeg, 'image00001.mat': unknownClass() });
    expectFailure(
      await run('data', 'inspect', root, '--kind', 'aflw2000-3d'),
      1,
      /image00001: .*pt3d_68 must be a numeric array, got MATLAB class number 99 in .*image00001\.mat/,
    );
  });

  test('a database without tables is named with its file', async () => {
    const root = folder({ 'aflw.sqlite': '' });
    expectFailure(
      await run('data', 'inspect', join(root, 'aflw.sqlite')),
      1,
      /^voxface: openAflw: .*aflw\.sqlite/,
    );
  });

  test('a photo listed twice in a CSV holds two faces', async () => {
    const row = ['a.jpg', ...Array.from({ length: 136 }, (_, i) => 10 + (i % 60))].join(',');
    const head = `,${Array.from({ length: 136 }, (_, i) => i).join(',')}`;
    const root = folder({ 'k.csv': `${head}\n${row}\n${row}\n`, 'a.jpg': jpeg });
    const result = await run('data', 'inspect', join(root, 'k.csv'));
    expect(result).toMatchObject({ code: 0, output: expect.stringMatching(/^count +2$/m) });
  });

  test.each([
    ['nothing', () => ['nowhere'], 2, /no such file or folder: nowhere/],
    ['an empty folder', () => [folder({})], 2, /the folder .*voxface-cli-.* is empty/],
    [
      'other files',
      () => [folder({ 'a.doc': 'x' })],
      1,
      /expected files of .*, got 1 others, such as a\.doc/,
    ],
    [
      'an unknown kind',
      () => [folder({}), '--kind', 'faces'],
      2,
      /--kind: expected one of packed, 300w, .*, got faces/,
    ],
  ])('%s is refused', async (_, args, code, message) => {
    expectFailure(await run('data', 'inspect', ...args()), code, message);
  });
});

describe('data convert', () => {
  const good = (): string =>
    folder({ 'a.jpg': jpeg, 'a.pts': ptsOf(), 'b.jpg': jpeg, 'b.pts': ptsOf(undefined, 67) });

  test('writes the good samples, names the others, and does not write over a set', async () => {
    const root = good();
    const out = join(root, 'set');
    expectFailure(await run('data', 'convert', root, out), 1, /^voxface: b: .*got 67/m);
    expect(JSON.parse(readFileSync(join(out, 'set.json'), 'utf8')).count).toBe(1);
    expectFailure(
      await run('data', 'convert', root, out),
      1,
      /already holds a set \(resume it, or choose another folder\)/,
    );
    const resumed = await run('data', 'convert', root, out, '--kind', '300w', '--resume');
    expect(resumed.output).toMatch(/1 samples, 1 omitted/);
  });

  test.each([
    ['--size', '0', /--size: expected a positive number, got 0/],
    ['--only', 'nowhere.json', /nowhere\.json: not a readable JSON list of identifiers/],
    ['--kind', 'faces', /--kind: expected one of/],
    ['--refine', 'phone', /--refine: expected landmarks in 3D, got 2D/],
  ])('%s %s is refused', async (flag, value, message) => {
    const root = good();
    expectFailure(await run('data', 'convert', root, join(root, 'set'), flag, value), 2, message);
    expect(existsSync(join(root, 'set'))).toBe(false);
  });
});

describe('data profile', () => {
  const flagsFor = (root: string, facekit = join(root, 'tiny.npz')): string[] => [
    'data',
    'profile',
    ...['--dataset', '300w', '--root', join(root, 'photos'), '--facekit', facekit],
    ...['--out', join(root, 'out'), '--yaws', '45', '--size', '32'],
  ];
  const prepare = (): string =>
    folder({
      'photos/a.jpg': jpeg,
      'photos/a.pts': ptsOf(),
      'photos/cut.jpg': jpeg.subarray(0, jpeg.length >> 1),
      'photos/cut.pts': ptsOf(),
      'photos/fewer.jpg': jpeg,
      'photos/fewer.pts': ptsOf(undefined, 67),
      'tiny.npz': Buffer.from(basis.flame, 'base64'),
      'bfm.mat': Buffer.from(basis.bfm, 'base64'),
      'list.json': JSON.stringify(basis.landmarks),
    });

  test('renders the good faces, names the others and exits with 1', async () => {
    const root = prepare();
    const result = await run(...flagsFor(root));
    expectFailure(
      result,
      1,
      /^voxface: cut: .*truncated JPEG/m,
      /^voxface: fewer: .*got 67/m,
      /2 faces omitted/,
    );
    expect((await openPackedSet(join(root, 'out'))).ids).toEqual(['a', 'a_p1']);
    // Two pictures of one face: two places of 144 pixels, 2 apart and around.
    const sheet = readFileSync(join(root, 'out/contact-sheet.png'));
    expect([sheet.readUInt32BE(16), sheet.readUInt32BE(20)]).toEqual([2 * 144 + 3 * 2, 144 + 2 * 2]);
  });

  test('writes labels that a model has refined', async () => {
    const root = prepare();
    await run(...flagsFor(root));
    const [from, to] = [join(root, 'out'), join(root, 'refined')];
    expect((await run('data', 'convert', from, to, '--refine', 'phone')).output).toMatch(
      /2 samples, 0 omitted/,
    );
    const [before, after] = await Promise.all([from, to].map((set) => openPackedSet(set)));
    expect(after.ids).toEqual(before.ids);
    for (const i of [0, 1]) {
      const [label, refined] = [await before.load(i), await after.load(i)];
      expect(refined.image.data).toEqual(label.image.data);
      expect(refined.landmarks.dims).toBe(3);
      expect(refined.provenance.conversions.at(-1)).toBe('landmarks moved toward the predictions of phone');
      const moved = refined.landmarks.points.map((value, k) => Math.abs(value - label.landmarks.points[k]));
      expect(Math.max(...moved)).toBeGreaterThan(0.5);
      expect(Math.max(...moved)).toBeLessThan(label.image.width);
    }
  });

  test('takes a BFM-like basis with a list of landmarks, and says when there is none', async () => {
    const root = prepare();
    expectFailure(
      await run(...flagsFor(root, join(root, 'bfm.mat'))),
      1,
      /expected the 68 landmark vertices of .*bfm\.mat, got none \(write them as a JSON list/,
    );
    const listed = await run(
      ...flagsFor(root, join(root, 'bfm.mat')),
      '--facekit-landmarks',
      join(root, 'list.json'),
    );
    expect(listed.output).toMatch(/2 images written .*, 1 faces in the dataset/);
  });

  test.each([
    ['--dataset', 'faces', /--dataset: expected one of/],
    ['--root', 'nowhere', /no such file or folder: nowhere/],
    ['--facekit', 'nowhere', /--facekit: no such file or folder: nowhere/],
    ['--facekit-landmarks', 'nowhere.json', /--facekit-landmarks: nowhere\.json is not readable JSON/],
    ['--yaws', '95', /--yaws: expected degrees from -90 to 90/],
    ['--yaws', '30,', /--yaws: expected degrees from -90 to 90/],
    ['--shard', '3/2', /--shard: expected i\/n/],
    ['--workers', 'two', /--workers: expected a positive whole number, got two/],
    ['--size', '-4', /--size: expected a positive number, got -4/],
    ['--seed', 'dice', /--seed: expected a whole number, got dice/],
  ])('%s %s is refused', async (flag, value, message) => {
    const root = prepare();
    expectFailure(await run(...flagsFor(root), flag, value), 2, message);
  });

  test("takes its part from the variables of a cluster's job, and refuses those that make no sense", async () => {
    const root = prepare();
    const set = (index: string): void => {
      vi.stubEnv('SLURM_ARRAY_TASK_ID', index);
      vi.stubEnv('SLURM_ARRAY_TASK_MIN', '1');
      vi.stubEnv('SLURM_ARRAY_TASK_COUNT', '2');
    };
    set('7');
    expectFailure(
      await run(...flagsFor(root)),
      2,
      /expected an index within the number of parts, got SLURM_ARRAY_TASK_ID=7/,
    );
    set('1');
    expectFailure(await run(...flagsFor(root)), 1, /1 faces omitted/);
    vi.unstubAllEnvs();
    expect(existsSync(join(root, 'out/shard-0-of-2/set.json'))).toBe(true);
  });

  test('an empty folder of a morphable face is named', async () => {
    const root = prepare();
    expectFailure(
      await run(...flagsFor(root, folder({}))),
      1,
      /expected facekit\.json, generic_neutral_mesh\.obj or \.npy arrays, got 0 other files/,
    );
  });

  test('hands its own arguments on to its workers, without their number', () => {
    const args = ['data', 'profile', '--workers', '2', '--root', 'a', 'b', '--shard=1/2', '--seed', '3'];
    expect(withoutOptions(args, ['--workers', '--shard'])).toEqual([
      'data',
      'profile',
      '--root',
      'a',
      'b',
      '--seed',
      '3',
    ]);
  });
});

describe('evaluate', () => {
  test('names broken samples, scores and writes the others, and exits with 1', async () => {
    const root = folder({
      'a.jpg': jpeg,
      'a.pts': ptsOf(),
      'b.jpg': jpeg.subarray(0, 200),
      'b.pts': ptsOf(),
      'c.jpg': jpeg,
      'c.pts': 'binary',
    });
    const out = join(root, 'result.json');
    const flags = ['evaluate', '--dataset', '300w', '--root', root, '--json', out];
    // The mean face looks at no picture: only broken labels are in its way.
    expectFailure(
      await run(...flags, '--mean-shape'),
      1,
      /voxface: c: open300w: c.pts: parsePts/,
      /1 samples could not/,
    );
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ count: 2, missed: 0 });
    expectFailure(
      await run(...flags),
      1,
      /voxface: b: decodeImage: expected a whole JPEG.* got a damaged or truncated JPEG/,
      /voxface: c: open300w: c.pts: parsePts/,
      /2 samples could not be read \(named above\) and are not in these figures/,
    );
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ count: 1, missed: 0 });
  });
});
