import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FIVE_POINTS } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { convertDataset, openDataset, openWebDataset, recognizeDataset } from '../src/node.ts';
import golden from './golden/webdataset.json' with { type: 'json' };
import { writeFolder } from './synthetic-folder.ts';
import { writeTar } from './write-tar.ts';

// Tars of Python's tarfile and of the webdataset package: scripts/golden/webdataset_tars.py.

const tars = Object.fromEntries(
  Object.entries(golden.tars).map(([name, text]) => [name, gunzipSync(Buffer.from(text, 'base64'))]),
);
type Expected = readonly { key: string; points: number[]; red: number }[];
const expected = golden.expected as Readonly<Record<string, Expected>>;

async function expectGolden(set: Awaited<ReturnType<typeof openDataset>>, rows: Expected): Promise<void> {
  expect(set.ids).toEqual(rows.map(({ key }) => key));
  for (const [i, { points, red }] of rows.entries()) {
    const { landmarks, image } = await set.load(i);
    expect([image.width, image.height, image.data[0]]).toEqual([64, 48, red]);
    expect(landmarks.points.length).toBe(points.length);
    const off = Math.max(...points.map((value, k) => Math.abs(value - landmarks.points[k])));
    expect(off).toBeLessThan(1e-3);
  }
}

const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const five = [
  [10, 10],
  [30, 10],
  [20, 20],
  [12, 30],
  [28, 30],
];

describe('openWebDataset', () => {
  it.each(Object.keys(tars))('reads what Python wrote: %s', async (name) => {
    const root = await writeFolder({ [name]: tars[name] });
    await expectGolden(await openDataset(path.join(root, name)), expected[name]);
  });

  it('keeps what the JSON says beside the points', async () => {
    const root = await writeFolder({ 'ustar.tar': tars['ustar.tar'] });
    const set = await openWebDataset(root);
    const { box, yaw, attributes, provenance } = await set.annotate!(0);
    expect({ box, yaw, attributes }).toEqual({
      box: { x: 1, y: 2, width: 60, height: 44 },
      yaw: -12.5,
      attributes: { smile: true, source: 'made' },
    });
    expect(provenance.files).toEqual(['ustar.tar', 'a.jpg', 'a.json']);
  });

  it('opens shards by a folder or by ranges in braces, and converts them', async () => {
    const names = Object.keys(tars).filter((name) => name.startsWith('faces-'));
    const root = await writeFolder(Object.fromEntries(names.map((name) => [name, tars[name]])));
    expect(await recognizeDataset(root)).toBe('webdataset');
    const rows = names.flatMap((name) => expected[name]);
    const set = await openDataset(root);
    await expectGolden(set, rows);
    expect([set.dims, set.shards]).toEqual([3, [0, 2, 4]]);
    const braces = path.join(root, 'faces-{000000..000002}.tar');
    await expectGolden(await openDataset(braces), rows);
    await convertDataset(braces, path.join(root, 'packed'));
    await expectGolden(await openDataset(path.join(root, 'packed')), rows);
    await expect(openDataset(path.join(root, 'faces-{000002..000003}.tar'))).rejects.toThrow(
      /expected the shard .*faces-000003\.tar, got no such file/,
    );
  });

  it('masks what COCO and visible flags leave out, and takes other schemes', async () => {
    const picture = gunzipSync(Buffer.from(golden.tars['pax.tar'], 'base64')).subarray(1536, 1536 + 200);
    const flat = five.flatMap(([x, y], i) => (i === 4 ? [0, 0, 0] : [x, y, 2]));
    const root = await writeFolder({
      'a.tar': writeTar([
        ['a.png', picture],
        ['a.json', text({ keypoints: flat })],
        ['b.png', picture],
        ['b.json', text({ points: five, visible: [1, 1, 1, 1, 0], scheme: 'five-points' })],
        ['a.png', picture],
        ['a.json', text({ landmarks: five.flat() })],
      ]),
    });
    const set = await openDataset(root, { scheme: FIVE_POINTS });
    expect(set.ids).toEqual(['a', 'b', 'a#2']);
    for (const i of [0, 1]) {
      const { landmarks, visible } = await set.annotate!(i);
      expect([...visible!]).toEqual([1, 1, 1, 1, 0]);
      expect([...landmarks.points.slice(0, 8)]).toEqual(five.slice(0, 4).flat());
    }
    expect((await set.annotate!(2)).visible).toBeUndefined();
  });

  it('leaves out what is broken, names it, and throws where nobody listens', async () => {
    const picture = Buffer.from('no picture needed');
    const good = (key: string): [string, Buffer][] => [
      [`${key}.jpg`, picture],
      [`${key}.json`, text({ landmarks: five })],
    ];
    const whole = writeTar([
      ...good('a'),
      ['alone.jpg', picture],
      ['../../out.jpg', picture],
      ['../../out.json', text({ landmarks: five })],
      ['nan.jpg', picture],
      ['nan.json', Buffer.from('{"landmarks": [[1, 1e39], [2, 2], [3, 3], [4, 4], [5, 6]]}')],
      ['few.jpg', picture],
      ['few.json', text({ landmarks: five.slice(1) })],
      ['deep.jpg', picture],
      ['deep.json', text({ landmarks: five.map(([x, y]) => [x, y, 1]) })],
      ['word.jpg', picture],
      ['word.json', text({ embedding: [1, 2] })],
      ['box.jpg', picture],
      ['box.json', text({ landmarks: five, box: [1, 1, 0, 5] })],
      ...good('z'),
    ]);
    const root = await writeFolder({ 'a.tar': whole, 'cut.tar': whole.subarray(0, 2048 + 100) });
    const problems: string[] = [];
    const options = { scheme: FIVE_POINTS };
    const set = await openWebDataset(root, {
      ...options,
      onProblem: ({ id, error }) => problems.push(`${id}: ${error.message}`),
    });
    expect(set.ids).toEqual(['a', 'z', 'a#2']);
    const rules = [
      /^alone: .*a sample is a picture and a \.json/,
      /^\.\.\/\.\.\/out: .*must stay inside the folder/,
      /^nan: .*finite numbers, got 1e\+39/,
      /^few: .*five-points has 5 landmarks, got 4/,
      /^word: .*landmarks, points or keypoints, got embedding/,
      /^box: .*width and height must be positive/,
      /^cut\.tar: .*whole tar ends with an empty block, got its end at byte 2048/,
      /^deep: .*2 dimensions of five-points that most have, got 3 dimensions/,
    ];
    expect(problems).toHaveLength(rules.length);
    for (const [i, rule] of rules.entries()) expect(problems[i]).toMatch(rule);
    await expect(openWebDataset(root, options)).rejects.toThrow(/a sample is a picture/);
  });

  it('refuses promises of a header, packed tars and other files', async () => {
    const whole = writeTar([['a.jpg', Buffer.alloc(700)]]);
    const huge = writeTar([['a.jpg', Buffer.alloc(0)]], 2 ** 40);
    const damaged = Uint8Array.from(whole);
    damaged[3] ^= 1;
    const root = await writeFolder({
      'huge.tar': huge,
      'cut.tar': whole.subarray(0, 900),
      'bad.tar': damaged,
    });
    const open = (name: string) => openWebDataset(path.join(root, name));
    await expect(open('huge.tar')).rejects.toThrow(/at most 268435456 bytes, got 1099511627776 for a\.jpg/);
    await expect(open('cut.tar')).rejects.toThrow(/a\.jpg must lie within the tar, got 388 of its 700 bytes/);
    await expect(open('bad.tar')).rejects.toThrow(/expected a header with its checksum/);
    await writeFile(
      path.join(root, 'zip.tar'),
      Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(600)]),
    );
    await expect(open('zip.tar')).rejects.toThrow(/not packed, got gzip \(unpack it: gunzip\)/);
    const packed = await writeFolder({ 'a.tar.gz': 'x' });
    await expect(openDataset(packed, { kind: 'webdataset' })).rejects.toThrow(/expected/);
    await expect(openDataset(path.join(root, 'cut.tar'), { kind: 'coco' })).rejects.toThrow(
      /a \.tar is read as webdataset, got coco/,
    );
    expect((await readFile(path.join(root, 'huge.tar'))).length).toBeLessThan(1e5);
  });
});
