import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { countLandmarks, headPose, type Landmarks } from '@voxface/landmarks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  parseMat,
  readFaceParameters,
  rebuildLandmarks,
  rotationOfParameters,
  takeSamples,
} from '../src/index.ts';
import {
  convertDataset,
  inspectDataset,
  open300w,
  openAflw2000Visible21,
  openAflw20003d,
  openDataset,
  openKeypointCsv,
  openPackedSet,
  readAflw2000Annotations,
  recognizeDataset,
} from '../src/node.ts';
import { DATA, haveData } from './data-folder.ts';

const inData = (part: string): string => path.join(DATA, part);

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return a.length === b.length ? worst : Infinity;
}

describe.skipIf(!haveData('300w'))('300W and video frames', () => {
  let temporary = '';
  beforeAll(async () => {
    temporary = await mkdtemp(path.join(tmpdir(), 'voxface-'));
  });
  afterAll(() => rm(temporary, { recursive: true }));

  it('opens every annotation', async () => {
    const sets = await Promise.all([
      open300w(inData('300w/afw')),
      open300w(inData('300w/helen/trainset')),
      open300w(inData('300w/helen/testset')),
      openKeypointCsv(
        inData('youtube-keypoints/training_frames_keypoints.csv'),
        inData('youtube-keypoints/training'),
      ),
      openKeypointCsv(
        inData('youtube-keypoints/test_frames_keypoints.csv'),
        inData('youtube-keypoints/test'),
      ),
    ]);
    expect(sets.map(({ length }) => length)).toEqual([337, 870, 165, 3462, 511]);
    const { image, landmarks, provenance } = await sets[0].load(0);
    expect([image.channels, countLandmarks(landmarks)]).toEqual([3, 68]);
    expect(provenance.conversions).toEqual(['1-based to 0-based: x - 1, y - 1']);
    const zeroBased = await open300w(inData('300w/afw'), { origin: 0 });
    expect((await zeroBased.annotate!(0)).landmarks.points[0] - landmarks.points[0]).toBeCloseTo(1, 4);
    expect(await recognizeDataset(inData('300w/afw'))).toBe('300w');
    expect(await recognizeDataset(inData('youtube-keypoints/test_frames_keypoints.csv'))).toBe(
      'keypoint-csv',
    );
  });

  it('converts to a packed set and back, whole pictures and cut faces, and resumes', async () => {
    const dataset = takeSamples(await open300w(inData('300w/afw')), [0, 7, 300]);
    const whole = path.join(temporary, 'shards/a');
    expect(await convertDataset(takeSamples(dataset, [0]), whole)).toEqual({ count: 1, broken: [] });
    await expect(convertDataset(dataset, whole)).rejects.toThrow(/already holds a set/);
    expect((await convertDataset(dataset, whole, { resume: true })).count).toBe(3);
    const again = await openPackedSet(whole);
    expect(again.ids).toEqual(dataset.ids);
    for (let i = 0; i < 3; i++) {
      const [a, b] = [await dataset.load(i), await again.load(i)];
      expect(Buffer.from(b.image.data).compare(a.image.data as Uint8Array)).toBe(0);
      expect(largest(a.landmarks.points, b.landmarks.points)).toBeLessThan(1e-4);
      expect(b.provenance).toEqual(a.provenance);
    }
    const faces = path.join(temporary, 'shards/b');
    await convertDataset(dataset, faces, { face: { scale: 2, size: 200 } });
    const cut = await (await openPackedSet(faces)).load(1);
    expect([cut.image.width, cut.image.height]).toEqual([200, 200]);
    expect(Math.max(cut.box.width, cut.box.height)).toBeCloseTo(100, 2);
    expect(cut.box.x + cut.box.width / 2).toBeCloseTo(99.5, 2);
    const { landmarks } = cut;
    expect(Math.min(...landmarks.points.filter((_, k) => k % 2 === 0))).toBeCloseTo(cut.box.x, 3);
    const shards = await openPackedSet(path.join(temporary, 'shards'));
    expect([shards.length, new Set(shards.ids).size]).toEqual([6, 6]);
  });
});

describe.skipIf(!haveData('aflw2000-3d'))('AFLW2000-3D', () => {
  const rows = [28, 55, 150, 258, 286, 311];

  it('agrees with the published arrays to 1e-3 px, depth and yaw included', async () => {
    const dataset = await openAflw20003d(inData('aflw2000-3d'));
    const published = await readAflw2000Annotations(inData('aflw2000-3d/annotations'));
    expect(dataset.ids).toEqual([
      'image00050',
      'image00081',
      'image00251',
      'image00430',
      'image00475',
      'image00514',
    ]);
    for (const [i, row] of rows.entries()) {
      const sample = await dataset.load(i);
      expect(largest(sample.landmarks.points, published.points68[row].points)).toBeLessThan(1e-3);
      expect(sample.yaw).toBeCloseTo(published.yaw[row], 3);
      expect(Math.abs(sample.yaw! - headPose(sample.landmarks).yaw)).toBeLessThan(2);
      const nose = sample.landmarks.points[3 * 30 + 2];
      expect(nose).toBeLessThan(Math.max(sample.landmarks.points[2], sample.landmarks.points[50]));
    }
  });

  it('gives the visible 21 points, hidden ones masked', async () => {
    const dataset = await openAflw2000Visible21(inData('aflw2000-3d'));
    const published = await readAflw2000Annotations(inData('aflw2000-3d/annotations'));
    let hidden = 0;
    for (const [i, row] of rows.entries()) {
      const { landmarks, visible, box } = await dataset.load(i);
      expect(visible).toEqual(published.points21[row].visible);
      visible!.forEach((value, k) => {
        const [x, y] = landmarks.points.subarray(2 * k, 2 * k + 2);
        hidden += 1 - value;
        if (!value) expect([x, y]).toEqual([box.x + box.width / 2, box.y + box.height / 2].map(Math.fround));
      });
      const shown = [...visible!.keys()].filter((k) => visible![k]).flatMap((k) => [2 * k, 2 * k + 1]);
      expect(
        largest(
          shown.map((k) => landmarks.points[k]),
          shown.map((k) => published.points21[row].landmarks.points[k]),
        ),
      ).toBeLessThan(1e-3);
    }
    expect(hidden).toBeGreaterThan(0);
  });

  it('turns faces back to one upright face by the documented pose formula, and rebuilds them from it', async () => {
    const dataset = await openAflw20003d(inData('aflw2000-3d'));
    const uprights: number[][] = [];
    for (let i = 0; i < dataset.length; i++) {
      const file = inData(`aflw2000-3d/${dataset.ids[i]}.mat`);
      const mat = parseMat(await readFile(file), file);
      const parameters = readFaceParameters(mat, file);
      const r = rotationOfParameters(parameters);
      const [, , , tx, ty, tz, f] = parameters.pose;
      const raw = mat.variables.get('pt3d_68')!.data;
      const mean = Array.from({ length: 204 }, (_, k) => {
        const j = Math.floor(k / 3) * 3;
        const d = [raw[j] - tx, 451 - raw[j + 1] - ty, raw[j + 2] - tz];
        return (r[k % 3] * d[0] + r[3 + (k % 3)] * d[1] + r[6 + (k % 3)] * d[2]) / f;
      });
      uprights.push(mean);
      const none = { ...parameters, shape: new Float64Array(199), expression: new Float64Array(29) };
      const rebuilt = rebuildLandmarks(none, { mean, shape: [], expression: [] }, 450);
      expect(largest(rebuilt.points, (await dataset.load(i)).landmarks.points)).toBeLessThan(1e-3);
    }
    const average = uprights[0].map((_, k) =>
      uprights.reduce((sum, face) => sum + face[k] / uprights.length, 0),
    );
    const width = average[16 * 3] - average[0];
    for (const face of uprights) {
      const error = face.reduce((sum, value, k) => sum + Math.abs(value - average[k]), 0) / 204;
      expect(error / Math.abs(width)).toBeLessThan(0.06);
    }
  });

  it('is inspected: counts, ranges, yaw bins and samples spread over it', async () => {
    const done: number[] = [];
    const { ids } = await openDataset(inData('aflw2000-3d'));
    const report = await inspectDataset(inData('aflw2000-3d'), {
      samples: 3,
      onProgress: (n) => done.push(n),
    });
    expect(report).toMatchObject({
      name: 'aflw2000-3d',
      scheme: 'ibug-68',
      dims: 3,
      count: 6,
      broken: [],
      imageWidth: [450, 450],
      yaw: { to30: 4, to60: 1, beyond: 1, unknown: 0 },
    });
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
    expect(report.samples!.map(({ id }) => ids.indexOf(id))).toEqual([1, 3, 5]);
    expect(report.z![0]).toBeLessThan(0);
    expect(report.z![1]).toBeGreaterThan(0);
  });

  it('reads all 2000 published truths with centred depth', async () => {
    const { points68, reannotated, yaw, absoluteYaw } = await readAflw2000Annotations(
      inData('aflw2000-3d/annotations'),
    );
    expect([points68.length, reannotated.length, yaw.length, absoluteYaw.length]).toEqual([
      2000, 2000, 2000, 2000,
    ]);
    const meanDepth = ({ points }: Landmarks<3>): number =>
      points.filter((_, k) => k % 3 === 2).reduce((a, b) => a + b) / 68;
    expect(Math.max(...points68.map((shape) => Math.abs(meanDepth(shape))))).toBeLessThan(1e-3);
    const bins = [0, 0, 0];
    for (const value of absoluteYaw) bins[value <= 30 ? 0 : value <= 60 ? 1 : 2] += 1;
    expect(bins).toEqual([1306, 462, 232]);
  });
});

describe.skipIf(!haveData('aflw2000-3d'))('pitch and roll of AFLW2000-3D', () => {
  it('have the signs of headPose', async () => {
    const dataset = await openAflw20003d(inData('aflw2000-3d'));
    for (let i = 0; i < dataset.length; i++) {
      const { landmarks, attributes } = await dataset.load(i);
      const { pitch, roll } = headPose(landmarks);
      // headPose measures against another mean face: a few degrees of difference in pitch.
      expect(Math.abs(pitch - Number(attributes?.pitch))).toBeLessThan(12);
      expect(Math.abs(roll - Number(attributes?.roll))).toBeLessThan(8);
    }
  });
});
