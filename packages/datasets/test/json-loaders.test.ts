import path from 'node:path';
import { WFLW_98 } from '@voxface/landmarks';
import { beforeAll, describe, expect, it } from 'vitest';
import { openCoco, openJvcrJson } from '../src/node.ts';
import { syntheticJpeg, syntheticLandmarks } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';

let jpeg: Uint8Array;
beforeAll(async () => {
  jpeg = await syntheticJpeg(1, 450, 450);
});

describe('JSON files', () => {
  const flat = Array.from(syntheticLandmarks(2).points);

  it('reads COCO-style keypoints, masking those not annotated', async () => {
    const triples = flat.flatMap((value, k) => (k % 2 ? [value, k < 20 ? 0 : 2] : [value]));
    const coco = {
      images: [{ id: 7, file_name: 'a.jpg' }],
      annotations: [
        { id: 1, image_id: 7, keypoints: triples, bbox: [5, 6, 100, 90] },
        { id: 2, image_id: 7, keypoints: triples.map((v, k) => (k % 3 === 2 ? 0 : v)) },
      ],
    };
    const root = await writeFolder({
      'c.json': JSON.stringify(coco),
      'a.jpg': jpeg,
      'bad.json': '{"images": [',
      'list.json': '[]',
    });
    const open = (name: string, more = {}): Promise<unknown> => openCoco(path.join(root, name), root, more);
    const dataset = await openCoco(path.join(root, 'c.json'), root, { box: 'bbox' });
    expect(dataset.ids).toEqual(['1']);
    const { visible, box, landmarks } = await dataset.load(0);
    expect(box).toEqual({ x: 5, y: 6, width: 100, height: 90 });
    expect(visible!.reduce((a, b) => a + b)).toBe(58);
    expect(Array.from(landmarks.points.subarray(20))).toEqual(flat.slice(20));
    await expect(open('bad.json')).rejects.toThrow(/expected JSON, got .*bad.json/);
    await expect(open('list.json')).rejects.toThrow(/arrays "images" and "annotations"/);
    await expect(open('c.json', { scheme: WFLW_98 })).rejects.toThrow(
      /expected 98 x, y, v triples in "keypoints", got 204 of annotation 1/,
    );
    await expect(open('c.json', { field: 'face_kpts' })).rejects.toThrow(/got undefined of annotation 1/);
    const twice = { ...coco, annotations: [coco.annotations[0], coco.annotations[0]] };
    const again = await writeFolder({ 'c.json': JSON.stringify(twice) });
    await expect(openCoco(path.join(again, 'c.json'), again)).rejects.toThrow(
      /must be unique, got "1" twice in coco/,
    );
  });

  it('reads the JSON of JVCR: sign of z turned, centred, 1-based', async () => {
    const rows = Array.from({ length: 68 }, (_, i) => [flat[2 * i], flat[2 * i + 1], i]);
    const entries = [
      { img_paths: 'a.jpg', landmarks: rows, isValidation: 0, objpos: [1, 2], scale_provided: 1 },
      { img_paths: 'b.jpg', landmarks: rows, isValidation: 1 },
    ];
    const root = await writeFolder({
      'j.json': JSON.stringify(entries),
      'a.jpg': jpeg,
      'short.json': JSON.stringify([{ img_paths: 'a.jpg', landmarks: rows.slice(1) }]),
    });
    const dataset = await openJvcrJson(path.join(root, 'j.json'), root, { subset: 'training' });
    expect(dataset.ids).toEqual(['a']);
    const { points } = (await dataset.load(0)).landmarks;
    expect(points[0]).toBeCloseTo(flat[0] - 1, 4);
    expect([points[2], points[203]]).toEqual([33.5, -33.5]);
    await expect(openJvcrJson(path.join(root, 'short.json'), root)).rejects.toThrow(
      /entry 0 of .*: expected 68 x 3 landmarks, got 201 numbers for a.jpg/,
    );
  });
});
