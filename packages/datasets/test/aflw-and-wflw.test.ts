import path from 'node:path';
import { boxOf, WFLW_98 } from '@voxface/landmarks';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { openAflw, openDataset, openWflw } from '../src/node.ts';
import { AFLW_FACES, AFLW_TABLES, aflwDatabase, aflwImage } from './aflw-database.ts';
import { syntheticJpeg } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

let jpeg: Uint8Array;
beforeAll(async () => {
  jpeg = await syntheticJpeg(1, 450, 450);
});

describe('AFLW', () => {
  it('reads points, masks hidden ones, takes rectangle and pose', async () => {
    const bytes = await aflwDatabase(...AFLW_TABLES, aflwImage('0/a.jpg'), ...AFLW_FACES);
    const root = await writeFolder({ 'aflw.sqlite': bytes, 'flickr/0/a.jpg': jpeg });
    const dataset = await openDataset(root);
    expect([dataset.name, ...dataset.ids]).toEqual(['aflw', '39341', '39342']);
    const first = await dataset.load(0);
    expect(first.box).toEqual({ x: 100, y: 110, width: 80, height: 90 });
    expect(first.yaw).toBeCloseTo((0.5 * 180) / Math.PI, 5);
    expect([...first.visible!.keys()].filter((i) => first.visible![i])).toEqual([0, 20]);
    expect(Array.from(first.landmarks.points.subarray(0, 4))).toEqual([110, 120, 140, 155]);
    const second = await dataset.load(1);
    expect(second.yaw).toBeUndefined();
    expect(second.box).toEqual({ x: 190, y: 210.5, width: 10.5, height: 39.5 });
  });

  it('names files that are no such database', async () => {
    const root = await writeFolder({
      'empty.sqlite': await aflwDatabase('CREATE TABLE Other (x)'),
      'bare.sqlite': new Uint8Array(0),
      'text.sqlite': 'hello there, this is no database at all',
      'nobody.sqlite': await aflwDatabase(...AFLW_TABLES),
    });
    const open = (name: string): Promise<unknown> => openAflw(path.join(root, name), root);
    await expect(open('empty.sqlite')).rejects.toThrow(
      /expected the tables Faces.*got Other in .*empty.sqlite/,
    );
    await expect(open('bare.sqlite')).rejects.toThrow(/got no table in/);
    await expect(open('text.sqlite')).rejects.toThrow(/expected an SQLite database, got .*text.sqlite/);
    await expect(open('nobody.sqlite')).rejects.toThrow(/at least one sample, got none in aflw/);
  });
});

describe('AFLW without its reader', () => {
  it('says what to install', async () => {
    vi.doMock('sql.js', () => {
      throw new Error('Cannot find package');
    });
    try {
      const root = await writeFolder({ 'aflw.sqlite': new Uint8Array(0) });
      await expect(openDataset(root)).rejects.toThrow(
        /^openAflw: the package 'sql.js' must be installed to read .*aflw\.sqlite, got .+ \(npm install sql\.js\)$/s,
      );
    } finally {
      vi.doUnmock('sql.js');
    }
  });
});

describe('WFLW', () => {
  const points = Array.from({ length: 196 }, (_, k) =>
    k % 2 ? 20 + 4 * Math.floor(k / 20) : 30 + 3 * (k % 20),
  );
  const line = (numbers: number[], file: string): string =>
    [...numbers, 25, 15, 95, 70, 1, 0, 0, 0, 1, 0, file].join(' ');

  it('reads lists, flags and rectangles; faces of one picture differ by line', async () => {
    const root = await writeFolder({
      'list_98pt_rect_attr_test.txt': `${line(points, 'd/a.jpg')}\n${line(points, 'd/a.jpg')}\n`,
      'WFLW_images/d/a.jpg': jpeg,
    });
    const dataset = await openDataset(root);
    expect([dataset.scheme, ...dataset.ids]).toEqual([WFLW_98, 'd/a#1', 'd/a#2']);
    const { landmarks, attributes, box } = await dataset.load(1);
    expect(Array.from(landmarks.points)).toEqual(points);
    expect([attributes!['large-pose'], attributes!.blur, attributes!.occlusion]).toEqual([true, false, true]);
    expect(box).toEqual(boxOf(landmarks));
    const list = path.join(root, 'list_98pt_rect_attr_test.txt');
    const rectangle = await openWflw(list, path.join(root, 'WFLW_images'), { box: 'rectangle' });
    expect((await rectangle.load(0)).box).toEqual({ x: 25, y: 15, width: 70, height: 55 });
    const broken = await writeFolder({ 'l.txt': line(points.slice(2), 'a.jpg') });
    await expect(openWflw(path.join(broken, 'l.txt'), broken)).rejects.toThrow(
      /line 1 of .*l.txt: expected 98 points.* \(207 words\), or points and path, got 205/,
    );
  });
});
