import path from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatPts, parsePts } from '../src/index.ts';
import {
  inspectDataset,
  open300w,
  openDataset,
  openKeypointCsv,
  openPackedSet,
  readNpy,
  writePackedSet,
} from '../src/node.ts';
import { syntheticJpeg, syntheticLandmarks } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

const PTS = formatPts({ points: syntheticLandmarks(1).points.map((value) => value + 1), dims: 2 });
let jpeg: Uint8Array;
let png: Uint8Array;

beforeAll(async () => {
  jpeg = await syntheticJpeg(1, 160, 120);
  png = new Uint8Array(await sharp(jpeg).png().toBuffer());
});

/** PTS with one row replaced. */
const withRow = (row: number, text: string): string => {
  const lines = PTS.split('\n');
  lines[3 + row] = text;
  return lines.join('\n');
};

describe('broken pictures', () => {
  it('loads a PNG that is named .jpg: the bytes decide', async () => {
    const dataset = await open300w(await writeFolder({ 'a.jpg': png, 'a.pts': PTS }));
    const { image } = await dataset.load(0);
    expect([image.width, image.height, image.channels]).toEqual([160, 120, 3]);
  });

  it('loads grey, transparent and 16-bit pictures as RGB', async () => {
    const grey = new Uint8Array(await sharp(jpeg).greyscale().jpeg().toBuffer());
    const deep = new Uint8Array(await sharp(jpeg).ensureAlpha().toColourspace('rgb16').png().toBuffer());
    const root = await writeFolder({ 'a.jpg': grey, 'a.pts': PTS, 'b.png': deep, 'b.pts': PTS });
    const dataset = await open300w(root);
    for (let i = 0; i < 2; i++) {
      const { image } = await dataset.load(i);
      expect([image.data.length, image.channels]).toEqual([160 * 120 * 3, 3]);
    }
  });

  it.each([
    [
      'a truncated JPEG',
      () => jpeg.slice(0, jpeg.length - 900),
      /a damaged or truncated JPEG of \d+ bytes in 300w\/a /,
    ],
    ['a truncated PNG', () => png.slice(0, 600), /a damaged or truncated PNG of 600 bytes in 300w\/a /],
    ['a text file', () => new TextEncoder().encode('hello'), /something else of 5 bytes in 300w\/a /],
    ['an empty file', () => new Uint8Array(0), /an empty file in 300w\/a /],
  ])('names %s', async (_, bytes, message) => {
    const dataset = await open300w(await writeFolder({ 'a.jpg': bytes(), 'a.pts': PTS }));
    await expect(dataset.load(0)).rejects.toThrow(message);
  });
});

describe('broken annotations', () => {
  it.each([
    ['67 rows under a header of 68', withRow(5, ''), /n_points says 68, got 67 rows/],
    [
      '67 points',
      PTS.replace('68', '67').replace(/\n[^\n]*\n}/, '\n}'),
      /ibug-68 has 68 landmarks, got 67 in a.pts/,
    ],
    ['NaN', withRow(4, 'NaN 3.0'), /2 finite numbers per row, got "NaN 3.0" at landmark 4/],
    ['a cut row', withRow(4, '3.0'), /2 finite numbers per row, got "3.0" at landmark 4/],
    ['no header', 'hello', /is this a .pts file\?/],
    ['a truncated file', PTS.slice(0, 400), /no closing brace \(truncated\?\)/],
    ['points that coincide', PTS.replace(/\d+\.\d+/g, '7.0'), /must spread over an area, got a box of 0 x 0/],
  ])('names %s', async (_, text, message) => {
    const root = await writeFolder({ 'a.jpg': jpeg, 'a.pts': text });
    await expect(open300w(root)).rejects.toThrow(message);
    await expect(open300w(root)).rejects.toThrow(/open300w: a.pts: /);
  });

  it('refuses landmarks that are mostly outside, and accepts a few outside', async () => {
    const moved = (by: number): string =>
      formatPts({ points: syntheticLandmarks(1).points.map((v, k) => v + 1 + (k % 2 ? 0 : by)), dims: 2 });
    const far = await open300w(await writeFolder({ 'a.jpg': jpeg, 'a.pts': moved(110) }));
    await expect(far.load(0)).rejects.toThrow(
      /at least half of the landmarks must lie inside the picture, got \d+ of 68/,
    );
    const near = await open300w(await writeFolder({ 'a.jpg': jpeg, 'a.pts': moved(30) }));
    expect((await near.load(0)).id).toBe('a');
  });

  it('leaves out broken ones visibly when told where to report them', async () => {
    const root = await writeFolder({
      'a.jpg': jpeg,
      'a.pts': PTS,
      'b.jpg': jpeg,
      'b.pts': 'no',
      'sub/c.pts': PTS,
    });
    const problems: string[] = [];
    const dataset = await open300w(root, {
      onProblem: ({ id, error }) => problems.push(`${id}: ${error.message}`),
    });
    expect(dataset.ids).toEqual(['a']);
    expect(problems.sort()).toEqual([
      expect.stringMatching(/^b: open300w: b.pts: parsePts/),
      expect.stringMatching(/^sub\/c: open300w: sub\/c.pts: expected a picture beside it/),
    ]);
  });

  it('names empty and missing folders, and folders of something else', async () => {
    await expect(open300w(await writeFolder({}))).rejects.toThrow(/expected .pts files, got none/);
    await expect(open300w('/no/such/folder')).rejects.toThrow(
      /expected a readable folder, got \/no\/such\/folder/,
    );
    await expect(openDataset(await writeFolder({}))).rejects.toThrow(/got the empty folder/);
    await expect(openDataset('/no/such/folder')).rejects.toThrow(/got nothing at/);
    await expect(openDataset(await writeFolder({ 'a.doc': 'x' }))).rejects.toThrow(
      /got 1 others, such as a.doc/,
    );
    await expect(openDataset(await writeFolder({ 'a.csv': 'x', 'b.csv': 'y' }))).rejects.toThrow(
      /expected one annotation file, got a.csv, b.csv/,
    );
  });

  it('names rows of a CSV: count, NaN, missing picture, several faces', async () => {
    const row = (name: string, values: ArrayLike<number> = syntheticLandmarks(1).points): string =>
      [name, ...Array.from(values)].join(',');
    const open = async (...rows: string[]): Promise<unknown> => {
      const root = await writeFolder({
        'k.csv': [',' + Array.from({ length: 136 }, (_, i) => i).join(','), ...rows].join('\n'),
        'i/a.jpg': jpeg,
        'i/b.jpg': jpeg,
      });
      return openKeypointCsv(path.join(root, 'k.csv'), path.join(root, 'i'));
    };
    await expect(open(row('a.jpg'), row('b.jpg'))).resolves.toMatchObject({ ids: ['a', 'b'] });
    await expect(open(row('a.jpg', new Float32Array(134)))).rejects.toThrow(
      /expected 137 cells, got 135 at line 2 \(a.jpg\)/,
    );
    await expect(open(row('a.jpg').replace(/,[\d.]+,/, ',,'))).rejects.toThrow(
      /finite numbers of landmark 0, got "", ".*" at line 2/,
    );
    await expect(open(row('c.jpg'))).rejects.toThrow(
      /line 2 of .*k.csv names c.jpg, which is not among the pictures/,
    );
    await expect(open(row('a.jpg'), row('a.jpg'))).resolves.toMatchObject({ ids: ['a', 'a#2'] });
  });

  it('inspects a folder with every kind of damage and names each file', async () => {
    const root = await writeFolder({
      'good.jpg': jpeg,
      'good.pts': PTS,
      'short.jpg': jpeg.slice(0, 300),
      'short.pts': PTS,
      'nan.jpg': jpeg,
      'nan.pts': withRow(9, 'nan nan'),
      'alone.pts': PTS,
    });
    const report = await inspectDataset(root);
    expect(report.count).toBe(1);
    expect(report.samples).toBeUndefined();
    expect(Object.fromEntries(report.broken.map(({ id, problem }) => [id, problem]))).toEqual({
      alone: expect.stringMatching(/expected a picture/),
      nan: expect.stringMatching(/finite numbers/),
      short: expect.stringMatching(/truncated JPEG/),
    });
  });
});

describe('our own format', () => {
  it('names missing, truncated and foreign files', async () => {
    const root = await writeFolder({
      'a.jpg': jpeg,
      'a.pts': PTS,
      'cut/set.json': '{"version":1,',
      'old/set.json': '{"version":7}',
    });
    await writePackedSet(path.join(root, 'set'), await open300w(root));
    await expect(openPackedSet(path.join(root, 'nothing'))).rejects.toThrow(/expected set.json/);
    await expect(openPackedSet(path.join(root, 'cut'))).rejects.toThrow(/expected JSON.*\(truncated\?\)/);
    await expect(openPackedSet(path.join(root, 'old'))).rejects.toThrow(/expected version 1 or 2, got 7/);
    const { truncate } = await import('node:fs/promises');
    await truncate(path.join(root, 'set/images.bin'), 100);
    await expect(openPackedSet(path.join(root, 'set'))).rejects.toThrow(
      /images.bin must hold \d+ bytes, got 100/,
    );
    await expect(readNpy(path.join(root, 'a.pts'))).rejects.toThrow(/numeric .npy file/);
  });

  it('reads and writes .pts of two and three columns, brace on the last row', () => {
    const shape = parsePts('version: 1\nn_points:  2\n{\n1 2 3\n4 5 6}');
    expect([shape.dims, ...shape.points]).toEqual([3, 1, 2, 3, 4, 5, 6]);
    expect(parsePts(formatPts(shape))).toEqual(shape);
    expect(() => parsePts('n_points: 1\n{\n1 2 3 4\n}')).toThrow(/2 or 3 numbers per row, got 4/);
  });
});
