import { THREEDFAW_66 } from '@voxface/landmarks';
import { beforeAll, describe, expect, it } from 'vitest';
import { open3dfaw, openDataset } from '../src/node.ts';
import { syntheticJpeg } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';
import { writeMat } from './write-mat.ts';

let jpeg: Uint8Array;
beforeAll(async () => {
  jpeg = await syntheticJpeg(1, 450, 450);
});

describe('3DFAW', () => {
  const rows = Array.from({ length: 66 }, (_, i) => [
    100 + 3 * (i % 17),
    90 + 12 * Math.floor(i / 17),
    i === 30 ? 50 : 0,
  ]);

  it('reads text and MATLAB matrices and box files as told, and checks the depth', async () => {
    const root = await writeFolder({
      's/a.jpg': jpeg,
      's/a.txt': rows.map((row) => row.join(', ')).join('\n'),
      's/a.box': '100;90;151;126',
    });
    const options = {
      boxOf: (image: string) => image.replace('.jpg', '.box'),
      boxOrder: 'left,top,right,bottom' as const,
    };
    const { landmarks, box, scheme } = await (await open3dfaw(root, options)).load(0);
    expect(scheme).toBe(THREEDFAW_66);
    expect(box).toEqual({ x: 100, y: 90, width: 51, height: 36 });
    expect(landmarks.points[3 * 30 + 2]).toBeCloseTo(-50 + 50 / 66, 4);
    const flipped = await open3dfaw(root, { depth: 'away-from-camera' });
    await expect(flipped.load(0)).rejects.toThrow(/nose must be nearer.*set depth to 'toward-camera'/);
    const wrong = await open3dfaw(root, { ...options, boxOrder: 'left,right,top,bottom' });
    await expect(wrong.load(0)).rejects.toThrow(/positive size.*set boxOrder/);
    const mat = writeMat({
      lms: { shape: [66, 3], data: [0, 1, 2].flatMap((axis) => rows.map((row) => row[axis])) },
    });
    const other = await writeFolder({ 'a.jpg': jpeg, 'points.mat': mat });
    const viaMat = await open3dfaw(other, { annotationOf: () => 'points.mat' });
    expect((await viaMat.load(0)).landmarks).toEqual(landmarks);
    await expect(open3dfaw(other)).rejects.toThrow(
      /expected the annotation a.txt of a.jpg.*set annotationOf/,
    );
    const short = await writeFolder({ 'a.jpg': jpeg, 'a.txt': '1 2 3' });
    await expect((await open3dfaw(short)).load(0)).rejects.toThrow(
      /expected 198 finite numbers, got 3 words in a.txt/,
    );
  });

  it.each([
    ['train_img/a.jpg', 'train_lm/a_lm.csv'],
    ['images/a.jpg', 'landmarks/a.txt'],
    ['a.jpg', 'a.txt'],
  ])('%s finds %s, and opens by its kind', async (image, annotation) => {
    const root = await writeFolder({
      [image]: jpeg,
      [annotation]: rows.map((row) => row.join(',')).join('\n'),
    });
    const dataset = await openDataset(root, { kind: '3dfaw' });
    expect((await dataset.load(0)).provenance.files).toEqual([image, annotation]);
    expect(dataset.scheme).toBe(THREEDFAW_66);
  });

  it('says which annotation is missing', async () => {
    const root = await writeFolder({ 'b/a.jpg': jpeg });
    await expect(open3dfaw(root)).rejects.toThrow(/expected the annotation b\/a.txt of b\/a.jpg/);
  });
});
