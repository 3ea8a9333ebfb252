import { symlink } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  decodeImage,
  inspectDataset,
  open300w,
  openCoco,
  openDataset,
  openJvcrJson,
  openWflw,
  readImage,
} from '../src/node.ts';
import { syntheticJpeg, syntheticLandmarks } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

const POINTS = Array.from(syntheticLandmarks(1).points);
const ptsOf = (points: readonly number[], head = ''): string => {
  const rows = points.flatMap((x, k) => (k % 2 === 0 ? [`${x} ${points[k + 1]}`] : []));
  return `version: 1\nn_points: ${rows.length}\n${head}{\n${rows.join('\n')}\n}\n`;
};
const PTS = ptsOf(POINTS);
const WFLW = [...POINTS, ...POINTS.slice(0, 60)];
const jpeg = () => syntheticJpeg(1, 160, 120);

describe('sets as their archives unpack', () => {
  it('follows links to folders, not in circles, and passes over what macOS adds', async () => {
    const other = await writeFolder({ 'b.jpg': await jpeg(), 'b.pts': PTS });
    const root = await writeFolder({
      'own/a.jpg': await jpeg(),
      'own/a.pts': PTS,
      'own/._a.pts': 'Mac OS X',
      '__MACOSX/own/a.pts': 'Mac OS X',
    });
    await symlink(other, path.join(root, 'linked'));
    await symlink(root, path.join(root, 'own/up'));
    expect((await open300w(root)).ids).toEqual(['linked/b', 'own/a']);
  });

  it('finds the picture of an annotation in a folder beside, where only one has its name', async () => {
    const root = await writeFolder({ 'images/a.jpg': await jpeg(), 'labels/a.pts': PTS });
    expect((await (await open300w(root)).load(0)).image.width).toBe(160);
    const two = await writeFolder({ 'x/a.jpg': await jpeg(), 'y/a.jpg': await jpeg(), 'labels/a.pts': PTS });
    await expect(open300w(two)).rejects.toThrow(/labels\/a.pts: expected a picture beside it/);
  });

  it("finds WFLW's pictures from its list, with and without attributes", async () => {
    const list = 'WFLW/WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_test.txt';
    const short = 'WFLW/WFLW_annotations/list_98pt_test/list_98pt_test.txt';
    const root = await writeFolder({
      [list]: `${WFLW.join(' ')} 10 10 150 110 0 1 0 0 0 0 3--Riot/a.jpg\n`,
      [short]: `${WFLW.join(' ')} 3--Riot/a.jpg\n`,
      'WFLW/WFLW_images/3--Riot/a.jpg': await jpeg(),
    });
    for (const file of [list, short])
      expect(await inspectDataset(path.join(root, file))).toMatchObject({ count: 1 });
    await expect(openDataset(path.join(root, 'WFLW'))).rejects.toThrow(/name one of them/);
    expect((await (await openDataset(path.join(root, list))).load(0)).attributes).toMatchObject({
      expression: true,
    });
    await expect(
      openWflw(path.join(root, short), path.join(root, 'WFLW/WFLW_images'), { box: 'rectangle' }),
    ).rejects.toThrow(/expected a rectangle, got points and path alone/);
  });

  it('says the first reasons where every sample is broken', async () => {
    const root = await writeFolder({ 'a.jpg': await jpeg(), 'a.pts': 'binary', 'b.pts': PTS });
    const problems: string[] = [];
    const opened = openDataset(root, { onProblem: ({ id }) => problems.push(id) });
    const { message } = await opened.then(
      () => new Error('opened'),
      (error: Error) => error,
    );
    expect(message).toMatch(/at least one sample .* got 2 broken:\n/);
    expect(message).toMatch(/\n {2}a: open300w: a.pts: parsePts: expected "n_points: N"/);
    expect(message).toMatch(/\n {2}b: open300w: b.pts: expected a picture beside it/);
    expect(problems.sort()).toEqual(['a', 'b']);
  });

  it('reads quoted, semicolon and tab separated tables', async () => {
    for (const [mark, quote] of [
      [',', '"'],
      [';', ''],
      ['\t', ''],
    ]) {
      const row = [`${quote}a.jpg${quote}`, ...POINTS].join(mark);
      const root = await writeFolder({ 'points.csv': `${row}\n${row}\n`, 'a.jpg': await jpeg() });
      expect((await openDataset(root)).ids).toEqual(['a', 'a#2']);
    }
  });

  it('takes several faces of one picture from JVCR lists, and refuses null for a number', async () => {
    const entry = (shift: number | null) => ({
      img_paths: 'a.jpg',
      landmarks: Array.from({ length: 68 }, (_, i) => [
        shift === null ? null : POINTS[2 * i] + shift,
        POINTS[2 * i + 1],
        10 * Math.cos(i),
      ]),
    });
    const root = await writeFolder({
      'two.json': JSON.stringify([entry(0), entry(3)]),
      'null.json': JSON.stringify([entry(null)]),
      'a.jpg': await jpeg(),
    });
    const two = await openJvcrJson(path.join(root, 'two.json'), root);
    expect([two.ids, (await two.load(1)).id]).toEqual([['a', 'a#2'], 'a#2']);
    await expect(openJvcrJson(path.join(root, 'null.json'), root)).rejects.toThrow(
      /expected numbers, got null/,
    );
  });
});

describe('values out of contract', () => {
  const coco = (change: object) => {
    const keypoints = Array.from({ length: 68 }, (_, i) => [POINTS[2 * i], POINTS[2 * i + 1], 2]).flat();
    const annotation = { id: 1, image_id: 1, bbox: [10, 10, 120, 90], keypoints, ...change };
    return writeFolder({
      'c.json': JSON.stringify({ images: [{ id: 1, file_name: 'a.jpg' }], annotations: [annotation] }),
    });
  };

  it.each([
    [{ bbox: [10, 10, 0, 90] }, /width and height must be positive, got .*"width":0/],
    [{ bbox: [10, 10, null, 90] }, /bbox must be a list of four numbers.*got \[10,10,null,90\]/],
    [{ bbox: [null, 10, 90, 90] }, /bbox must be a list of four numbers.*got \[null,10,90,90\]/],
    [{ bbox: [10, 10, 90] }, /bbox must be a list of four numbers.*got \[10,10,90\]/],
    [
      { keypoints: Array.from({ length: 204 }, (_, k) => (k % 3 === 2 ? 2 : null)) },
      /expected numbers, got \[null,null,2\]/,
    ],
  ])('are refused in COCO files: %j', async (change, message) => {
    const root = await coco(change);
    await expect(openCoco(path.join(root, 'c.json'), root, { box: 'bbox' })).rejects.toThrow(message);
  });

  it.each([5, '5', {}, true])('are a list in a COCO file, wanted or not: bbox %j', async (bbox) => {
    const root = await coco({ bbox });
    for (const box of ['landmarks', 'bbox'] as const) {
      await expect(openCoco(path.join(root, 'c.json'), root, { box })).rejects.toThrow(
        `openCoco: bbox must be a list of four numbers, x, y, width, height, got ${JSON.stringify(bbox)} of annotation 1 in ${path.join(root, 'c.json')}`,
      );
    }
  });

  it('of -1 -1 are points that nobody marked', async () => {
    const points = POINTS.map((value, k) => (k === 20 || k === 21 ? -1 : value));
    const root = await writeFolder({ 'a.jpg': await jpeg(), 'a.pts': ptsOf(points) });
    const { visible, landmarks, box } = await (await open300w(root)).load(0);
    expect([...visible!.keys()].filter((i) => !visible![i])).toEqual([10]);
    expect(landmarks.points[20]).toBeCloseTo(box.x + box.width / 2, 4);
  });

  it('are infinite where they do not fit a 32-bit float', async () => {
    const root = await writeFolder({ 'a.jpg': await jpeg(), 'a.pts': ptsOf([1e39, ...POINTS.slice(1)]) });
    await expect(open300w(root)).rejects.toThrow(
      /a.pts: .*coordinates must be finite, got 1e\+39 at landmark 0/,
    );
  });

  it('are names that lead out of the folder', async () => {
    const line = (file: string) => `${WFLW.join(' ')} 10 10 150 110 0 1 0 0 0 0 ${file}\n`;
    for (const file of [
      '../../private.jpg',
      '/etc/private.jpg',
      'a/../../b.jpg',
      'http://host/b.jpg',
      'c:\\b.jpg',
    ]) {
      const root = await writeFolder({
        'l.txt': line(file),
        'j.json': JSON.stringify([{ img_paths: file, landmarks: Array.from({ length: 204 }, (_, k) => k) }]),
        'c.json': JSON.stringify({
          images: [{ id: 1, file_name: file }],
          annotations: [{ id: 1, image_id: 1, keypoints: Array.from({ length: 204 }, (_, k) => k) }],
        }),
      });
      const rule = /names must stay inside the folder/;
      await expect(openWflw(path.join(root, 'l.txt'), root)).rejects.toThrow(rule);
      await expect(openJvcrJson(path.join(root, 'j.json'), root)).rejects.toThrow(rule);
      await expect(openCoco(path.join(root, 'c.json'), root)).rejects.toThrow(rule);
    }
  });
});

describe('one frame for every picture', () => {
  /** 60 x 40 stored pixels that a viewer shows as 40 x 60. */
  const tagged = async () =>
    new Uint8Array(
      await sharp({ create: { width: 60, height: 40, channels: 3, background: '#357' } })
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toBuffer(),
    );
  const inside = (width: number, height: number) =>
    ptsOf(
      Array.from({ length: 136 }, (_, k) => (k % 2 ? 1 + (k * height) / 140 : 1 + ((k * 7) % width) * 0.97)),
    );

  it('is upright for photos, unless asked otherwise', async () => {
    const root = await writeFolder({ 'a.jpg': await tagged() });
    expect(await readImage(path.join(root, 'a.jpg'))).toMatchObject({ width: 40, height: 60 });
    expect(await decodeImage(await tagged(), 'a', { orient: false })).toMatchObject({
      width: 60,
      height: 40,
    });
  });

  it('is that of the stored pixels for published points, and upright where the annotation says so', async () => {
    const root = await writeFolder({
      'stored.jpg': await tagged(),
      'stored.pts': inside(60, 40),
      'upright.jpg': await tagged(),
      'upright.pts': inside(40, 60).replace('{', 'frame: upright\n{'),
    });
    const set = await open300w(root);
    expect(set.ids).toEqual(['stored', 'upright']);
    expect((await set.load(0)).image).toMatchObject({ width: 60, height: 40 });
    expect((await set.load(1)).image).toMatchObject({ width: 40, height: 60 });
  });

  it('is noticed by inspect where the points lie in the other', async () => {
    const root = await writeFolder({
      'a.jpg': await tagged(),
      'a.pts': inside(40, 60),
      'b.jpg': await tagged(),
      'b.pts': inside(60, 40),
    });
    const report = await inspectDataset(root);
    expect([report.turned, report.otherFrame]).toEqual([2, ['a']]);
  });

  it('limits the pixels of a picture before it is decoded', async () => {
    const bomb = new Uint8Array(
      await sharp({ create: { width: 3000, height: 2000, channels: 3, background: '#000' } })
        .png()
        .toBuffer(),
    );
    expect(bomb.length).toBeLessThan(40_000);
    await expect(decodeImage(bomb, 'bomb.png', { maxPixels: 1e6 })).rejects.toThrow(
      /at most 1000000 pixels, got more in bomb.png \(raise maxPixels/,
    );
  });
});
