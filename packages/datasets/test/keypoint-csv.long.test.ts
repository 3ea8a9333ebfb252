import path from 'node:path';
import { boxOf, createLandmarks, type LandmarkScheme } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { cropSample, parseKeypointCsv, takeSamples } from '../src/index.ts';
import {
  openDataset,
  openKeypointCsv,
  openPackedSet,
  recognizeDataset,
  writePackedSet,
} from '../src/node.ts';
import { DATA, haveData } from './data-folder.ts';
import { syntheticJpeg } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

const THREE: LandmarkScheme = {
  name: 'three',
  count: 3,
  names: ['left', 'middle', 'right'],
  mirrorPairs: [[0, 2]],
  outerEyeCorners: [0, 2],
  groups: {},
};
const HEADER = 'split,image,y0,x0,v0,x1,y1,v1,x2,y2,v2,yaw';

describe('keypoint CSV with named columns', () => {
  it('reads columns in any order, empty cells, visibility and the other columns', () => {
    const rows = parseKeypointCsv(
      `\uFEFF${HEADER}\r\ntrain,a.jpg,2,1,0,,,2,5,6,1,-30.5\r\ntest,b.jpg,2,1,0,3,4,0,5,6,0,\r\n`,
      3,
    );
    expect(rows[0]).toEqual({
      file: 'a.jpg',
      points: Float32Array.of(1, 2, 0, 0, 5, 6),
      visible: Uint8Array.of(1, 0, 1),
      occluded: Uint8Array.of(0, 0, 1),
      fields: { split: 'train', yaw: '-30.5' },
      line: 2,
    });
    expect(rows[1].visible).toBeUndefined();
    expect(rows[1].occluded).toBeUndefined();
    expect(rows[1].fields).toEqual({ split: 'test', yaw: '' });
  });

  it("reads HRNet's columns and takes -1, -1 for a missing point", () => {
    const header =
      'image_name,scale,center_w,center_h,original_0_x,original_0_y,original_1_x,original_1_y,original_2_x,original_2_y';
    const [row] = parseKeypointCsv(`${header}\nx/a.png,1.3,50,60,1,2,-1,-1,-4,6\n`, 3);
    expect(row.file).toBe('x/a.png');
    expect([...row.points]).toEqual([1, 2, 0, 0, -4, 6]);
    expect([...row.visible!]).toEqual([1, 0, 1]);
    expect(row.fields).toEqual({ scale: '1.3', center_w: '50', center_h: '60' });
  });

  it.each([
    [
      'half a point',
      'train,a.jpg,,1,0,3,4,0,5,6,0,0',
      /finite numbers of landmark 0, got "1", "" at line 2 \(a.jpg\)/,
    ],
    ['a word', 'train,a.jpg,2,1,0,x,4,0,5,6,0,0', /finite numbers of landmark 1, got "x", "4"/],
    [
      'an unknown visibility',
      'train,a.jpg,2,1,3,3,4,0,5,6,0,0',
      /visibility 0, 1 or 2 of landmark 0, got "3"/,
    ],
    ['no point at all', 'train,a.jpg,,,2,,,2,-1,-1,0,0', /at least one annotated point, got none at line 2/],
    ['a lost cell', 'train,a.jpg,2,1,0,3,4,0,5,6,0', /expected 12 cells, got 11 at line 2/],
    ['no file', 'train,,2,1,0,3,4,0,5,6,0,0', /expected a file name, got an empty cell at line 2/],
  ])('refuses %s', (_, line, message) => {
    expect(() => parseKeypointCsv(`${HEADER}\n${line}\n`, 3)).toThrow(message);
    const problems: string[] = [];
    expect(
      parseKeypointCsv(`${HEADER}\n${line}\ntrain,b.jpg,2,1,0,3,4,0,5,6,0,0`, 3, ({ error }) =>
        problems.push(error.message),
      ),
    ).toHaveLength(1);
    expect(problems[0]).toMatch(message);
  });

  it('refuses a header of another number of points', () => {
    expect(() => parseKeypointCsv(`${HEADER}\n`, 2)).toThrow(/columns of 2 points, got x2 as well/);
    expect(() => parseKeypointCsv(`${HEADER}\n`, 4)).toThrow(/columns of 4 points, got no x3, y3/);
  });

  it('chooses a split, masks what is missing, names several faces of one picture', async () => {
    const root = await writeFolder({
      'k.csv': `${HEADER}\ntrain,a.jpg,20,10,0,,,2,50,61,1,-30\ntest,a.jpg,2,1,0,3,4,0,5,6,0,\ntrain,a.jpg,21,11,0,31,41,0,51,61,0,\n`,
      'images/a.jpg': await syntheticJpeg(1, 90, 70),
    });
    const open = (options: object) =>
      openKeypointCsv(path.join(root, 'k.csv'), path.join(root, 'images'), { scheme: THREE, ...options });
    const train = await open({ split: 'train' });
    expect(train.ids).toEqual(['a', 'a#2']);
    const first = await train.load(0);
    expect(first.box).toEqual({ x: 10, y: 20, width: 40, height: 41 });
    expect([...first.landmarks.points]).toEqual([10, 20, 30, 40.5, 50, 61]);
    expect([[...first.visible!], [...first.occluded!]]).toEqual([
      [1, 0, 1],
      [0, 0, 1],
    ]);
    expect(first.yaw).toBe(30);
    expect(first.attributes).toEqual({ split: 'train' });
    const masked = await (await open({ split: 'train', occluded: 'mask' })).load(0);
    expect([...masked.visible!]).toEqual([1, 0, 0]);
    expect([...masked.landmarks.points]).toEqual([...first.landmarks.points]);
    await expect(open({ split: 'val' })).rejects.toThrow(
      /rows of split "val", got the splits train, test in/,
    );
    expect((await open({})).ids).toEqual(['a', 'a#2', 'a#3']);
  });
});

describe.skipIf(!haveData('aflw'))("AFLW's real 68 points", () => {
  const csv = path.join(DATA, 'aflw/landmarks-68.csv');

  it('opens all rows and each split', async () => {
    expect(await recognizeDataset(path.join(DATA, 'aflw'))).toBe('keypoint-csv');
    const [all, train, test] = await Promise.all([
      openDataset(path.join(DATA, 'aflw')),
      openDataset(csv, { split: 'train' }),
      openKeypointCsv(csv, path.join(DATA, 'aflw/images'), { split: 'test', occluded: 'mask' }),
    ]);
    expect([all.length, train.length, test.length]).toEqual([11954, 10369, 1585]);
    let [missing, occluded, turned] = [0, 0, 0];
    for (let i = 0; i < all.length; i++) {
      const annotation = await all.annotate!(i);
      missing += annotation.visible?.reduce((sum, value) => sum + 1 - value, 0) ?? 0;
      occluded += annotation.occluded?.reduce((sum, value) => sum + value, 0) ?? 0;
      // Of a head turned to the right of the picture, the points of that side are the hidden ones.
      if (annotation.visible && Math.abs(annotation.yaw!) > 30) {
        const hidden = (from: number): boolean => annotation.visible![from] === 0;
        if (hidden(45) !== hidden(36)) turned += hidden(45) === annotation.yaw! > 0 ? 1 : -1;
      }
    }
    expect([missing, occluded]).toEqual([108158, 84387]);
    expect(turned).toBeGreaterThan(2500);
  });

  it('keeps missing and occluded points through a packed set, crops and mirrors them', async () => {
    const train = await openDataset(csv, { split: 'train' });
    const index = await Promise.all([...Array(300).keys()].map(train.annotate!)).then((list) =>
      list.findIndex(({ visible, occluded }) => visible && occluded),
    );
    const view = takeSamples(train, [index]);
    const root = await writeFolder({});
    await writePackedSet(path.join(root, 'set'), view);
    const [given, packed] = [await view.load(0), await (await openPackedSet(path.join(root, 'set'))).load(0)];
    expect(packed.visible).toEqual(given.visible);
    expect(packed.occluded).toEqual(given.occluded);
    expect(packed.attributes).toMatchObject({ split: 'train' });
    expect(packed.yaw).toBe(given.yaw);
    const crop = cropSample(given, { size: 40, augmentation: undefined });
    const labelled = createLandmarks(
      [...crop.landmarks.points].filter((_, k) => given.visible![k >> 1]),
      2,
    );
    const box = boxOf(labelled);
    expect(Math.max(box.width, box.height)).toBeCloseTo(0.8, 5);
  });
});
