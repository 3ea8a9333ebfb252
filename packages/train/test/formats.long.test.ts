import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { DATASET_KINDS, type DatasetKind } from '@voxface/datasets';
import { writePackedSet } from '@voxface/datasets/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { DATA, haveData } from '../../datasets/test/data-folder.ts';
import { syntheticJpeg, syntheticLandmarks } from '../../datasets/test/synthetic.ts';
import { writeFolder } from '../../datasets/test/synthetic-folder.ts';
import { writeMat } from '../../datasets/test/write-mat.ts';
import { writeTar } from '../../datasets/test/write-tar.ts';
import type { DataSpecInput } from '../src/config.ts';
import { openDataSpec, runTraining } from '../src/node.ts';
import { parseTrainingConfig } from '../src/parse-config.ts';
import { dotFaces } from './helpers/packed-faces.ts';
import { MICRO } from './helpers/tiny-run.ts';

const POINTS = Array.from(syntheticLandmarks(1).points);
const pairs = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]]);
const DEPTHS = Array.from({ length: 68 }, (_, i) => 10 * Math.cos(i / 5));
const PTS = `version: 1\nn_points: 68\n{\n${pairs(POINTS)
  .map((row) => row.join(' '))
  .join('\n')}\n}\n`;
/** Column-major [68, 2] or [3, 68] of the points. */
const PLANE = [0, 1].flatMap((axis) => pairs(POINTS).map((row) => row[axis]));
const FILE_DEPTH = pairs(POINTS).flatMap(([x, y], i) => [x, y, -DEPTHS[i]]);

let jpeg: Uint8Array;
/** 300W-LP's parameters count y from 450 up. */
let tall: Uint8Array;
beforeAll(async () => {
  await setupBackend('cpu');
  jpeg = await syntheticJpeg(1, 160, 120);
  tall = await syntheticJpeg(1, 160, 450);
});

/** A set of four faces in every format, as its files are published, and what a configuration says of it. */
const MADE: Readonly<Record<DatasetKind, () => Promise<Omit<DataSpecInput, 'format'>>>> = {
  async packed() {
    const root = await mkdtemp(join(tmpdir(), 'voxface-format-'));
    await writePackedSet(join(root, 'set'), dotFaces(4, 3, 1));
    return { root: join(root, 'set') };
  },
  '300w': async () => ({
    root: await writeFolder(named((id) => ({ [`${id}.jpg`]: jpeg, [`${id}.pts`]: PTS }))),
    points: 'ibug-68',
  }),
  async '300w-lp'() {
    const column = (data: number[]) => ({ shape: [data.length, 1] as [number, number], data });
    const parameters = writeMat({
      Pose_Para: { shape: [1, 7], data: [0, 0, 0, 75, 60, 0, 1e-3] },
      Shape_Para: column(new Array(199).fill(0)),
      Exp_Para: column(new Array(29).fill(0)),
    });
    const mean = pairs(POINTS).flatMap(([x, y], i) => [1000 * (x - 75), -1000 * (y - 60), 1000 * DEPTHS[i]]);
    const root = await writeFolder({
      ...named((id) => ({
        [`AFW/${id}.jpg`]: tall,
        [`AFW/${id}.mat`]: parameters,
        [`landmarks/AFW/${id}_pts.mat`]: writeMat({
          pts_3d: { shape: [68, 2], data: PLANE.map((v, k) => v + (k < 68 ? 0 : 331)) },
        }),
      })),
      'basis/u_base.txt': mean.join('\n'),
      'basis/w_shp_base.txt': new Array(204).fill('0 0').join('\n'),
      'basis/w_exp_base.txt': new Array(204).fill('0').join('\n'),
    });
    return { root, basis: join(root, 'basis') };
  },
  'aflw2000-3d': async () => ({
    root: await writeFolder(
      named((id) => ({
        [`${id}.jpg`]: jpeg,
        [`${id}.mat`]: writeMat({
          pt3d_68: { shape: [3, 68], data: FILE_DEPTH },
          Pose_Para: { shape: [1, 7], data: [0, -0.3, 0, 0, 0, 0, 1] },
          Shape_Para: { shape: [199, 1], data: new Array(199).fill(0) },
          Exp_Para: { shape: [29, 1], data: new Array(29).fill(0) },
        }),
      })),
    ),
    labels: 'original',
  }),
  async aflw() {
    const SQL = await createRequire(new URL('../../datasets/package.json', import.meta.url))('sql.js')();
    const db = new SQL.Database();
    for (const table of [
      'Faces (face_id, file_id, db_id)',
      'FaceImages (image_id, db_id, file_id, filepath, bw, width, height)',
      'FeatureCoords (face_id, feature_id, x REAL, y REAL, annot_type_id)',
      'FaceRect (face_id, x, y, w, h, annot_type_id)',
      'FacePose (face_id, roll REAL, pitch REAL, yaw REAL, annot_type_id)',
    ])
      db.run(`CREATE TABLE ${table}`);
    [1, 2, 3, 4].forEach((face) => {
      db.run(`INSERT INTO FaceImages VALUES (${face}, 'aflw', 'f${face}', 'a.jpg', 0, 160, 120)`);
      db.run(`INSERT INTO Faces VALUES (${face}, 'f${face}', 'aflw')`);
      pairs(POINTS.slice(0, 40)).forEach(([x, y], i) => {
        db.run(`INSERT INTO FeatureCoords VALUES (${face}, ${i + 1}, ${x}, ${y}, 0)`);
      });
    });
    return { root: await writeFolder({ 'aflw.sqlite': db.export(), 'flickr/a.jpg': jpeg }) };
  },
  async wflw() {
    const line = `${[...POINTS, ...POINTS.slice(0, 60)].join(' ')} 10 10 150 110 0 1 0 0 0 0 a.jpg\n`;
    const root = await writeFolder({
      'list_98pt_rect_attr_train.txt': line.repeat(4),
      'pictures/a.jpg': jpeg,
    });
    return { root: join(root, 'list_98pt_rect_attr_train.txt'), images: join(root, 'pictures') };
  },
  async 'keypoint-csv'() {
    const header = ['image', 'split', ...POINTS.map((_, k) => `${'xy'[k % 2]}${k >> 1}`)].join(',');
    const row = (split: string): string => ['a.jpg', split, ...POINTS].join(',');
    const rows = [header, row('train'), row('train'), row('train'), row('train'), row('test')];
    const root = await writeFolder({ 'points.csv': rows.join('\n'), 'pictures/a.jpg': jpeg });
    return { root: join(root, 'points.csv'), images: join(root, 'pictures'), split: 'train' };
  },
  async 'merl-rav'() {
    const labels = named((id) => ({ [`labels/frontal/trainset/labels/${id}.pts`]: PTS }));
    const root = await writeFolder({ ...labels, ...named((id) => ({ [`flickr/0/${id}.jpg`]: jpeg })) });
    return { root: join(root, 'labels'), images: join(root, 'flickr'), split: 'train', occluded: 'mask' };
  },
  async coco() {
    const face_kpts = pairs(POINTS).flatMap((row) => [...row, 2]);
    const text = JSON.stringify({
      images: [{ id: 7, file_name: 'a.jpg' }],
      annotations: [1, 2, 3, 4].map((id) => ({ id, image_id: 7, keypoints: [1, 1, 0], face_kpts })),
    });
    const root = await writeFolder({ 'annotations.json': text, 'train2017/a.jpg': jpeg });
    return { root: join(root, 'annotations.json'), images: join(root, 'train2017') };
  },
  async 'jvcr-json'() {
    const landmarks = pairs(POINTS).map((row, i) => [...row, -DEPTHS[i]]);
    const entries = [1, 2, 3, 4].map(() => ({ img_paths: 'a.jpg', landmarks }));
    return { root: await writeFolder({ 'faces.json': JSON.stringify(entries), 'a.jpg': jpeg }) };
  },
  webdataset: async () => ({
    root: await writeFolder({
      'faces-0.tar': writeTar(
        Object.entries(named((id) => ({ [`${id}.jpg`]: jpeg, [`${id}.pts`]: Buffer.from(PTS) }))).map(
          ([name, content]) => [name, content as Uint8Array] as const,
        ),
      ),
    }),
    points: 'ibug-68',
  }),
  '3dfaw': async () => ({
    root: await writeFolder(
      named((id) => ({
        [`${id}.jpg`]: jpeg,
        [`${id}.txt`]: pairs(POINTS.slice(0, 132))
          .map((row, i) => [...row, i === 30 ? 50 : 0].join(' '))
          .join('\n'),
      })),
    ),
  }),
};

function named(
  files: (id: string) => Record<string, string | Uint8Array>,
): Record<string, string | Uint8Array> {
  return Object.assign({}, ...['a', 'b', 'c', 'd'].map(files));
}

describe('every format of data', () => {
  it.each(DATASET_KINDS)('trains: %s', async (format) => {
    const input: DataSpecInput = { format, ...(await MADE[format]()), name: 'made', repeat: 2 };
    const output = await mkdtemp(join(tmpdir(), 'voxface-format-'));
    const base = { name: format, output, backend: 'cpu', batchSize: 4, decoders: 0 };
    const spec = parseTrainingConfig({
      ...base,
      data: { train3d: [input] },
      stages: [{ kind: 'pretrain', steps: 1 }],
    }).data.train3d[0];
    const dataset = await openDataSpec(spec);
    expect([dataset.length, dataset.name]).toEqual([8, 'made']);
    const spatial = ['packed', '300w-lp', 'aflw2000-3d', 'jvcr-json', '3dfaw'].includes(format);
    expect(dataset.dims).toBe(spatial ? 3 : 2);
    const { finished, steps } = await runTraining({
      ...base,
      model: { ...MICRO, landmarks: dataset.scheme.count, scheme: dataset.scheme.name },
      data: spatial ? { train3d: [input] } : { train2d: [input] },
      augmentation: false,
      share2d: spatial ? 0 : 1,
      stages: [{ kind: spatial ? 'pretrain' : 'mixed', steps: 2 }],
    });
    expect([finished, steps]).toEqual([true, 2]);
    await rm(output, { recursive: true });
  });

  it('refuses options that a format does not know', async () => {
    const spec = { root: '.', repeat: 1, every: 1, offset: 0 };
    const open = async (format: DatasetKind, more: object) =>
      openDataSpec({ ...spec, format, root: (await MADE[format]()).root, ...more });
    await expect(open('300w', { split: 'train' })).rejects.toThrow(/split is for keypoint-csv, .*for 300w/);
    await expect(open('3dfaw', { images: 'x' })).rejects.toThrow(/images is for aflw, .*got "x" for 3dfaw/);
    await expect(open('wflw', { points: 'wflw-98' })).rejects.toThrow(/scheme is for .*got wflw-98 for wflw/);
    await expect(open('jvcr-json', { basis: 'x' })).rejects.toThrow(/basis is for 300w-lp/);
  });
});

describe.skipIf(!haveData('300w-lp-sample') || !haveData('bfm-68'))('a real face of 300W-LP', () => {
  it("gets its depth from 3DDFA's basis, within 3 px of the published points", async () => {
    const root = await mkdtemp(join(tmpdir(), 'voxface-format-'));
    await mkdir(join(root, 'IBUG'));
    await mkdir(join(root, 'landmarks/IBUG'), { recursive: true });
    const id = 'IBUG_image_008_1_0';
    for (const file of [`IBUG/${id}.jpg`, `IBUG/${id}.mat`, `landmarks/IBUG/${id}_pts.mat`])
      await cp(join(DATA, '300w-lp-sample', file), join(root, file));
    const basis = join(DATA, 'bfm-68');
    const spec = { format: '300w-lp', root, basis, repeat: 1, every: 1, offset: 0 } as const;
    const { landmarks } = await (await openDataSpec(spec)).load(0);
    const z = Array.from({ length: 68 }, (_, i) => landmarks.points[3 * i + 2]);
    expect(Math.max(...z) - Math.min(...z)).toBeGreaterThan(50);
    // The tip of the nose is nearer to the camera than both ends of the jaw.
    expect(z[30] + 30).toBeLessThan(Math.min(z[0], z[16]));
    await rm(root, { recursive: true });
  });
});
