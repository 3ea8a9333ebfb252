import path from 'node:path';
import { boxOf, THREEDFAW_66, WFLW_98 } from '@voxface/landmarks';
import initSqlJs from 'sql.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LandmarkBasis, rebuildLandmarks } from '../src/index.ts';
import {
  open3dfaw,
  open300wLp,
  open300wLpPlane,
  openAflw,
  openAflw20003d,
  openCoco,
  openDataset,
  openJvcrJson,
  openWflw,
} from '../src/node.ts';
import { syntheticJpeg, syntheticLandmarks } from './synthetic.ts';
import { writeFolder } from './synthetic-folder.ts';
import { writeMat } from './write-mat.ts';

let jpeg: Uint8Array;
beforeAll(async () => {
  jpeg = await syntheticJpeg(1, 450, 450);
});

/** A face-like basis in model units: mean, one shape mode, one expression mode. */
function toyBasis(): LandmarkBasis {
  const flat = syntheticLandmarks(1).points;
  const mean = Float64Array.from({ length: 204 }, (_, k) => {
    const i = Math.floor(k / 3);
    return [1000 * (flat[2 * i] - 75), -1000 * (flat[2 * i + 1] - 55), 300 * (i % 9)][k % 3];
  });
  return { mean, shape: mean.map((v) => 1e-6 * v), expression: mean.map((_, k) => (k % 3 === 2 ? 1 : 0)) };
}

const column = (data: number[]): { shape: [number, number]; data: number[] } => ({
  shape: [data.length, 1],
  data,
});

describe('300W-LP', () => {
  const pose = [0.1, -0.6, 0.05, 220, 230, -40, 0.0015];
  const shape = [2e4, ...new Array(198).fill(0)];
  const expression = [500, ...new Array(28).fill(0)];
  const parameters = {
    pose: Float64Array.from(pose),
    shape: Float64Array.from(shape),
    expression: Float64Array.from(expression),
  };

  async function folder(shift = 0): Promise<string> {
    const points = rebuildLandmarks(parameters, toyBasis(), 450).points;
    const plane = Array.from(
      { length: 136 },
      (_, k) => points[3 * (k % 68) + Math.floor(k / 68)] + 1 + shift,
    );
    const mat = writeMat({
      Pose_Para: { shape: [1, 7], data: pose },
      Shape_Para: column(shape),
      Exp_Para: column(expression),
      pt2d: { shape: [2, 68], data: new Array(136).fill(1) },
    });
    const landmarks = writeMat({
      pts_3d: { shape: [68, 2], data: plane },
      pts_2d: { shape: [68, 2], data: plane.map((value) => value + 2) },
    });
    return writeFolder({
      'AFW/a_3.jpg': jpeg,
      'AFW/a_3.mat': mat,
      'AFW_Flip/a_3.jpg': jpeg,
      'AFW_Flip/a_3.mat': mat,
      'Code/Mex.mat': mat,
      'landmarks/AFW/a_3_pts.mat': landmarks,
    });
  }

  it('rebuilds depth from the parameters, and checks x, y against the published points', async () => {
    const dataset = await open300wLp(await folder(), toyBasis());
    expect(dataset.ids).toEqual(['AFW/a_3']);
    const { landmarks, yaw } = await dataset.load(0);
    expect(landmarks.points).toEqual(rebuildLandmarks(parameters, toyBasis(), 450).points);
    expect(yaw).toBeCloseTo((0.6 * 180) / Math.PI, 5);
    expect((await open300wLp(await folder(), toyBasis(), { flipped: true })).length).toBe(2);
    const wrong = await open300wLp(await folder(9), toyBasis());
    await expect(wrong.load(0)).rejects.toThrow(/within 3 px of landmarks\/AFW\/a_3_pts.mat, got 12.7 px/);
  });

  it('follows the pose formula on a hand-made point', () => {
    const mean = new Float64Array(204);
    mean.set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const turned = { ...parameters, pose: Float64Array.of(0, Math.PI / 2, 0, 100, 200, 0, 10) };
    const { points } = rebuildLandmarks(turned, { mean, shape: [], expression: [] }, 450);
    // Ry(90) = [0 0 -1; 0 1 0; 1 0 0]: x goes to z, z to -x.
    expect(Array.from(points.subarray(0, 2))).toEqual([99, 250]);
    expect(Array.from(points.subarray(3, 5))).toEqual([99, 240]);
    expect(Array.from(points.subarray(6, 8))).toEqual([89, 250]);
    expect(points[2] - points[5]).toBeCloseTo(-10, 4);
    expect(() => rebuildLandmarks(parameters, { ...toyBasis(), mean: [1, 2, 3] }, 450)).toThrow(
      /204 rows.*got 3/,
    );
    expect(() => rebuildLandmarks(parameters, { ...toyBasis(), shape: [1, 2] }, 450)).toThrow(
      /shape basis must be \[204, up to 199\]/,
    );
  });

  it('refuses the stale points, and explains', async () => {
    const root = await folder();
    const plane = await open300wLpPlane(root);
    const spatial = await (await open300wLp(root, toyBasis())).load(0);
    const { landmarks, provenance } = await plane.load(0);
    expect(landmarks.points[10]).toBeCloseTo(spatial.landmarks.points[15], 3);
    expect(provenance.conversions.join()).toMatch(/pt2d.*is not used/);
    expect(
      (await (await open300wLpPlane(root, 'contour')).load(0)).landmarks.points[10] - landmarks.points[10],
    ).toBeCloseTo(2, 3);
    expect((await openDataset(root)).name).toBe('300w-lp-plane');
    await expect(open300wLp(root, undefined as never)).rejects.toThrow(
      /no depth in its files and its pt2d is stale/,
    );
    const bare = await writeFolder({ 'AFW/a.jpg': jpeg, 'AFW/a.mat': writeMat({}) });
    await expect(open300wLpPlane(bare)).rejects.toThrow(/pt2d.*is stale.*refused/);
  });
});

describe('AFLW2000-3D', () => {
  it('names what is missing or of another size', async () => {
    const open = async (mat: Uint8Array): Promise<unknown> =>
      (await openAflw20003d(await writeFolder({ 'i.jpg': jpeg, 'i.mat': mat }))).load(0);
    await expect(open(writeMat({}))).rejects.toThrow(/expected a variable pt3d_68, got none in i.mat/);
    await expect(
      open(writeMat({ pt3d_68: { shape: [3, 67], data: new Array(201).fill(0) } })),
    ).rejects.toThrow(/pt3d_68 must be 3 x 68, got 3 x 67 in i.mat/);
    await expect(
      open(writeMat({ pt3d_68: { shape: [3, 68], data: new Array(204).fill(NaN) } })),
    ).rejects.toThrow(/must be finite, got NaN at landmark 0.*i.mat/);
    await expect(openAflw20003d(await writeFolder({ 'i.mat': writeMat({}) }))).rejects.toThrow(
      /expected a picture beside i.mat/,
    );
  });
});

describe('AFLW', () => {
  async function database(...statements: string[]): Promise<Uint8Array> {
    const SQL = await initSqlJs();
    const db = new SQL.Database();
    for (const statement of statements) db.run(statement);
    const bytes = db.export();
    db.close();
    return bytes;
  }
  const tables = [
    'CREATE TABLE Faces (face_id INTEGER, file_id TEXT, db_id TEXT)',
    'CREATE TABLE FaceImages (image_id INTEGER, db_id TEXT, file_id TEXT, filepath TEXT, bw INTEGER, width INTEGER, height INTEGER)',
    'CREATE TABLE FeatureCoords (face_id INTEGER, feature_id INTEGER, x REAL, y REAL, annot_type_id INTEGER)',
    'CREATE TABLE FaceRect (face_id INTEGER, x INTEGER, y INTEGER, w INTEGER, h INTEGER, annot_type_id INTEGER)',
    'CREATE TABLE FacePose (face_id INTEGER, roll REAL, pitch REAL, yaw REAL, annot_type_id INTEGER)',
  ];

  it('reads points, masks hidden ones, takes rectangle and pose', async () => {
    const bytes = await database(
      ...tables,
      `INSERT INTO FaceImages VALUES (1, 'aflw', 'f1', '0/a.jpg', 0, 450, 450)`,
      `INSERT INTO Faces VALUES (39341, 'f1', 'aflw'), (39342, 'f1', 'aflw')`,
      'INSERT INTO FeatureCoords VALUES (39341, 1, 110, 120, 0), (39341, 21, 150, 190, 0), (39342, 15, 200.5, 210.5, 0), (39342, 18, 190, 250, 0)',
      'INSERT INTO FaceRect VALUES (39341, 100, 110, 80, 90, 0)',
      'INSERT INTO FacePose VALUES (39341, 0.1, 0.2, -0.5, 0)',
    );
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
      'empty.sqlite': await database('CREATE TABLE Other (x)'),
      'bare.sqlite': new Uint8Array(0),
      'text.sqlite': 'hello there, this is no database at all',
      'nobody.sqlite': await database(...tables),
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
      /line 1 of .*l.txt: expected 98 points.* \(207 words\), got 205/,
    );
  });
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
    const other = await writeFolder({ 'a.jpg': jpeg, 'a.mat': mat });
    const viaMat = await open3dfaw(other, { annotationOf: () => 'a.mat' });
    expect((await viaMat.load(0)).landmarks).toEqual(landmarks);
    await expect(open3dfaw(other)).rejects.toThrow(
      /expected the annotation a.txt of a.jpg.*set annotationOf/,
    );
    const short = await writeFolder({ 'a.jpg': jpeg, 'a.txt': '1 2 3' });
    await expect((await open3dfaw(short)).load(0)).rejects.toThrow(
      /expected 198 finite numbers, got 3 words in a.txt/,
    );
  });
});
