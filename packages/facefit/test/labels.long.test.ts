import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { matVariable, parseMat } from '@voxface/datasets';
import {
  applySimilarity,
  boxOf,
  centerDepth,
  createRandom,
  type HeadPose,
  IBUG_68,
  type Landmarks,
  rotationOfPose,
} from '@voxface/landmarks';
import { findData } from '@voxface/test-utils/node';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  conformLandmarks,
  createConformedDataset,
  createRefinedDataset,
  type FaceModel,
  fitFace,
  liftLandmarks,
  POSE_DISTRIBUTION_DEFAULTS,
  profileFace,
  profilePoses,
  refineLandmarks,
} from '../src/index.ts';
import { fitLabels } from '../src/lift-landmarks.ts';
import { openBfm68, openFaceModel } from '../src/node.ts';
import { openTinyFace } from './tiny-face.ts';

const bfm = findData('bfm-68');
const kit = findData('ict-facekit');
const lp = findData('300w-lp-sample/landmarks/IBUG');

describe('fits with missing points', () => {
  let model: FaceModel;
  beforeAll(async () => {
    model = await openTinyFace();
  });

  it('completes what was not annotated, whatever stands in its place', () => {
    const points = Float32Array.from({ length: 136 }, (_, k) => {
      const vertex = model.landmarks[k >> 1];
      return 50 * model.mean[3 * vertex + (k % 2)] + 70;
    });
    const whole = fitFace(model, { points, dims: 2 }, { jaw: 'vertices' }).landmarks.points;
    const visible = Uint8Array.from({ length: 68 }, (_, i) => (i % 5 === 2 ? 0 : 1));
    const fits = [Number.NaN, -1, 1e6].map((stand) => {
      const gappy = points.map((value, k) => (visible[k >> 1] ? value : stand));
      return fitFace(model, { points: gappy, dims: 2 }, { jaw: 'vertices', visible }).landmarks.points;
    });
    expect(fits[1]).toEqual(fits[0]);
    expect(fits[2]).toEqual(fits[0]);
    // The points lie exactly on the mean face: what is missing has one place.
    fits[0].forEach((value, k) => {
      expect(Math.abs(value - whole[k])).toBeLessThan(0.5);
    });
  });
});

describe('profilePoses', () => {
  it('draws pitch from a triangular distribution whose peak is the face its own', () => {
    const random = createRandom(3);
    const drawn = Array.from({ length: 1200 }, () =>
      profilePoses({ yaw: 4, pitch: 11, roll: -2 }, { ...POSE_DISTRIBUTION_DEFAULTS, yaws: [30] }, random),
    ).map(([pose]) => pose.pitch!);
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    // Mean and variance of the triangular distribution on [a, b] with mode c: (a + b + c) / 3 and (a a + b b + c c - a b - a c - b c) / 18.
    expect(Math.abs(mean - (-40 + 50 + 11) / 3)).toBeLessThan(1.5);
    const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
    expect(variance / ((1600 + 2500 + 121 + 2000 + 440 - 550) / 18)).toBeCloseTo(1, 0);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-40);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(50);
  });

  it('keeps pitch and roll that are not asked for', () => {
    const [pose] = profilePoses(
      { yaw: 4, pitch: 11, roll: -2 },
      { yaws: [55], maximumYaw: 90, pitch: null, roll: null },
      createRandom(1),
    );
    expect(pose).toEqual({ yaw: 55 });
  });
});

describe('profileFace in pitch and roll', () => {
  it('turns the landmarks by the rotation from pose to pose', async () => {
    const model = await openTinyFace();
    const points = Float32Array.from({ length: 136 }, (_, k) => {
      const vertex = model.landmarks[k >> 1];
      return 30 * model.mean[3 * vertex + (k % 2)] + [75, 60][k % 2];
    });
    const fit = fitFace(model, { points, dims: 2 }, { jaw: 'vertices' });
    const image = {
      data: new Uint8Array(150 * 130 * 3).fill(90),
      width: 150,
      height: 130,
      channels: 3 as const,
    };
    const { landmarks, pose } = profileFace(model, fit, image, { pitch: 24, roll: 9 }, { size: 48 });
    const refit = fitFace(model, landmarks, { jaw: 'vertices' });
    expect(Math.abs(refit.pose.pitch - 24)).toBeLessThan(1);
    expect(Math.abs(refit.pose.roll - 9)).toBeLessThan(1);
    expect(Math.abs(refit.pose.yaw - fit.pose.yaw)).toBeLessThan(1);
    expect(pose).toEqual({ ...fit.pose, pitch: 24, roll: 9 });
    expect(() => profileFace(model, fit, image, { pitch: 61 })).toThrow(/pitch must be in -60..60/);
  });
});

describe('refineLandmarks', () => {
  // Box 40 x 10 pixels: sqrt(width x height) is 20, and 0.06 of it 1.2.
  const label = {
    points: Float32Array.of(0, 0, 3, 40, 2, -1, 10, 10, 2, 25, 7, -4, 31, 5, 0),
    dims: 3 as const,
  };
  const shifted = (dx: number, dz = 0) => ({
    points: label.points.map((value, k) => value + [dx, 0, dz][k % 3]),
    dims: 3 as const,
  });

  it('gives the label less weight the farther the prediction lies', () => {
    for (const [dx, weight] of [
      [0, 0.7],
      [1.2, 0.35],
      [-3.6, 0.07],
      [12, 0.7 / 101],
    ]) {
      const { points } = refineLandmarks(label, shifted(dx, 9));
      label.points.forEach((value, k) => {
        expect(points[k]).toBeCloseTo(value + (k % 3 === 0 ? (1 - weight) * dx : 0), 4);
      });
    }
    const { points } = refineLandmarks(label, shifted(1.2), { share: 1, distance: Infinity });
    expect(points).toEqual(label.points);
  });

  it('says what does not go together', () => {
    const four = { points: label.points.subarray(3), dims: 3 as const };
    expect(() => refineLandmarks(label, four)).toThrow(/as many predicted as labelled.*got 4 and 5/);
    const flat = { points: label.points.map((value, k) => (k % 3 === 1 ? 4 : value)), dims: 3 as const };
    expect(() => refineLandmarks(flat, label)).toThrow(/must span a box, got 40 x 0 pixels/);
  });

  it('makes a dataset whose pictures, encoded or not, go with the refined landmarks', async () => {
    const image = { data: new Uint8Array(6), width: 2, height: 1, channels: 3 as const };
    const encoded = Uint8Array.of(7);
    const annotation = {
      id: 'a',
      scheme: IBUG_68,
      landmarks: label,
      box: { x: 0, y: 0, width: 2, height: 1 },
      provenance: { dataset: 'one', files: [], conversions: ['one'] },
    };
    const refined = createRefinedDataset(
      {
        name: 'one',
        scheme: IBUG_68,
        dims: 3,
        length: 1,
        ids: ['a'],
        load: async () => ({ ...annotation, image }),
        loadEncoded: async () => ({ ...annotation, encoded }),
      },
      async (sample) => (sample.image === image ? shifted(1.2) : shifted(100)),
      'a model',
    );
    const [loaded, kept] = [await refined.load(0), await refined.loadEncoded!(0)];
    expect(loaded.image).toBe(image);
    expect(kept.encoded).toBe(encoded);
    for (const sample of [loaded, kept]) {
      expect(sample.landmarks.points[0]).toBeCloseTo(0.65 * 1.2, 5);
      expect(sample.provenance.conversions).toEqual([
        'one',
        'landmarks moved toward the predictions of a model',
      ]);
    }
  });
});

describe('openBfm68', () => {
  it('names the file that is missing or too short', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'voxface-'));
    await expect(openBfm68(folder)).rejects.toThrow(/u_base\.txt is not readable/);
    writeFileSync(path.join(folder, 'u_base.txt'), '1 2 3');
    await expect(openBfm68(folder)).rejects.toThrow(/expected 204 numbers, got 3 in .*u_base\.txt/);
    rmSync(folder, { recursive: true });
  });

  it.skipIf(!bfm)('opens a face that looks at the camera', async () => {
    const { mean, identity, expression, landmarks } = await openBfm68(bfm!);
    expect([landmarks.length, identity.count, expression.count]).toEqual([68, 40, 10]);
    const at = (i: number) => mean.subarray(3 * i, 3 * i + 3);
    expect(at(36)[0]).toBeLessThan(at(45)[0]); // x to the picture's right
    expect(at(8)[1]).toBeGreaterThan(at(27)[1]); // y down
    expect(at(30)[2]).toBeLessThan(at(0)[2]); // z into the head
  });
});

describe.skipIf(!bfm)('conformLandmarks of landmarks in space', () => {
  /** [68, 3] pixels: a face of the model with random weights, in a pose. */
  function faceOf(labels: FaceModel, seed: number, pose: HeadPose): Landmarks<3> {
    const random = createRandom(seed);
    const { identity, expression } = labels;
    const points = Float32Array.from(labels.mean);
    for (const { count, offsets } of [identity, expression]) {
      for (let mode = 0; mode < count; mode++) {
        const weight = random.normal();
        for (let k = 0; k < 204; k++) points[k] += weight * offsets[mode * 204 + k];
      }
    }
    const scale = 200 / Math.max(...points.map(Math.abs));
    const rotation = [...rotationOfPose(pose)];
    return centerDepth(
      applySimilarity({ points, dims: 3 }, { scale, rotation, translation: [150, 130, 40] }),
    );
  }
  const away = (one: Landmarks<3>, other: Landmarks<3>): number =>
    Math.max(...one.points.map((value, k) => Math.abs(value - other.points[k])));

  it('finds the shape again, and turns with the landmarks that it is given', async () => {
    const labels = await openBfm68(bfm!);
    for (const seed of [3, 4]) {
      const face = faceOf(labels, seed, { yaw: 0, pitch: 0, roll: 0 });
      const { width, height } = boxOf(face);
      const size = Math.sqrt(width * height);
      const fitted = conformLandmarks(labels, face);
      expect(away(fitted, face) / size).toBeLessThan(0.03);
      const pose = { yaw: 74, pitch: -21, roll: 12 };
      const turn = { scale: 1.3, rotation: [...rotationOfPose(pose)], translation: [20, -7, 3] };
      const turned = conformLandmarks(labels, centerDepth(applySimilarity(face, turn)));
      expect(away(turned, centerDepth(applySimilarity(fitted, turn))) / size).toBeLessThan(0.01);
    }
  });

  it('refuses what is not a face in space', async () => {
    const labels = await openBfm68(bfm!);
    expect(() => conformLandmarks(labels, { points: new Float32Array(201), dims: 3 })).toThrow(
      /\[68, 3\], got 201|got 201/,
    );
    expect(() => conformLandmarks(labels, { points: new Float32Array(204), dims: 3 })).toThrow(
      /must span a box/,
    );
  });
});

describe.skipIf(!bfm || !kit)('fitLabels with a head', () => {
  /** [68, 2]: what annotators mark on the mean head of the kit in a pose, jaw points on the outline of the face. */
  function annotate(head: FaceModel, pose: HeadPose): Landmarks<2> {
    const rotation = rotationOfPose(pose);
    const project = (vertex: number, offset: ArrayLike<number> = [0, 0, 0]): [number, number] => {
      const [x, y, z] = [0, 1, 2].map((axis) => head.mean[3 * vertex + axis] + offset[axis]);
      const at = (axis: number) =>
        rotation[3 * axis] * x + rotation[3 * axis + 1] * y + rotation[3 * axis + 2] * z;
      return [12 * at(0) + 150, 12 * at(1) + 140];
    };
    const points = new Float32Array(136);
    head.landmarks.forEach((vertex, i) => {
      points.set(project(vertex, head.landmarkOffsets.subarray(3 * i, 3 * i + 3)), 2 * i);
    });
    // Away from the middle of the face, nothing of the skin lies farther out than the outline.
    const middle = [points[60], points[61]];
    for (let i = 0; i < 17; i++) {
      const away = [points[2 * i] - middle[0], points[2 * i + 1] - middle[1]];
      const out = ([x, y]: [number, number]) => (x - middle[0]) * away[0] + (y - middle[1]) * away[1];
      for (const vertex of head.contourPaths[i]) {
        const place = project(vertex);
        if (out(place) > out([points[2 * i], points[2 * i + 1]])) points.set(place, 2 * i);
      }
    }
    return { points, dims: 2 };
  }

  it('does not turn heads back whose far jaw line is hidden behind the cheek', async () => {
    const [labels, head] = [await openBfm68(bfm!), await openFaceModel(kit!)];
    const front = fitLabels(labels, annotate(head, { yaw: 0, pitch: 0, roll: 0 }), { head });
    for (const yaw of [-38, -24, 24, 38]) {
      const marked = annotate(head, { yaw, pitch: 0, roll: 0 });
      const withHead = fitLabels(labels, marked, { head }).pose.yaw - front.pose.yaw;
      const without = fitLabels(labels, marked).pose.yaw;
      expect(Math.abs(withHead - yaw)).toBeLessThan(1.5);
      expect(Math.abs(yaw) - Math.abs(without)).toBeGreaterThan(1);
    }
  });

  it('counts only what was annotated', async () => {
    const [labels, head] = [await openBfm68(bfm!), await openFaceModel(kit!)];
    const marked = annotate(head, { yaw: 61, pitch: 5, roll: 0 });
    const visible = Uint8Array.from({ length: 68 }, (_, i) => (i > 8 && i < 17 ? 0 : 1));
    const stray = Float32Array.from(marked.points, (value, k) => (visible[k >> 1] ? value : -1));
    const { points } = liftLandmarks(labels, { points: stray, dims: 2 }, { head, visible });
    expect(points).toEqual(liftLandmarks(labels, marked, { head, visible }).points);
    expect(points.subarray(3 * 17, 3 * 17 + 2)).toEqual(marked.points.subarray(34, 36));
  });
});

describe.skipIf(!bfm || !lp)('liftLandmarks on 300W-LP', () => {
  // `pts_2d` are contour points as annotators mark them, `pts_3d` the projected points of the fit (x and y only).
  const faces = (lp ? readdirSync(lp) : []).map((name) => {
    const mat = parseMat(readFileSync(path.join(lp!, name)), name);
    const pairs = (key: string): Float32Array => {
      const { data } = matVariable(mat, key, name, [68, 2]);
      return Float32Array.from({ length: 136 }, (_, k) => data[68 * (k % 2) + (k >> 1)]);
    };
    return { contour: pairs('pts_2d'), true3d: pairs('pts_3d') };
  });

  it('finds the jaw line of the head behind the contour', async () => {
    const labels = await openBfm68(bfm!);
    const errors = { near: 0, far: 0, contour: 0 };
    for (const { contour, true3d } of faces) {
      const { pose } = fitFace(labels, { points: contour, dims: 2 }, { jaw: 'ignore' });
      const { points } = liftLandmarks(labels, { points: contour, dims: 2 });
      const { width, height } = boxOf({ points: true3d, dims: 2 });
      for (let i = 0; i < 17; i++) {
        const distance = (values: Float32Array, stride: number): number =>
          Math.hypot(values[stride * i] - true3d[2 * i], values[stride * i + 1] - true3d[2 * i + 1]) /
          Math.sqrt(width * height) /
          faces.length;
        const isFar = pose.yaw > 0 ? i > 8 : i < 8;
        if (isFar) errors.contour += distance(contour, 2) / 8;
        errors[isFar ? 'far' : 'near'] += distance(points, 3) / (isFar ? 8 : 9);
      }
    }
    expect(faces.length).toBeGreaterThan(30);
    expect(errors.near).toBeLessThan(0.025);
    expect(errors.far).toBeLessThan(0.035);
    expect(errors.contour).toBeGreaterThan(0.1);
  });

  it('leaves the published points where they are, and moves displaced ones toward them', async () => {
    const labels = await openBfm68(bfm!);
    const random = createRandom(4);
    const errors = { published: 0, displaced: 0, conformed: 0 };
    for (const { true3d } of faces) {
      const { width, height } = boxOf({ points: true3d, dims: 2 });
      const size = Math.sqrt(width * height);
      const displaced = true3d.map((value) => value + 0.03 * size * (random.next() * 2 - 1));
      const error = (values: Float32Array, stride: number): number => {
        let sum = 0;
        for (let i = 0; i < 68; i++) {
          sum += Math.hypot(values[stride * i] - true3d[2 * i], values[stride * i + 1] - true3d[2 * i + 1]);
        }
        return sum / 68 / size / faces.length;
      };
      // Depth is not published: that of a close fit to the published points, displaced as well.
      const close = fitFace(
        labels,
        { points: true3d, dims: 2 },
        { jaw: 'vertices', noise: 0.003, jawNoise: [0.003, 0.003] },
      );
      const inSpace = (pairs: Float32Array, noise: number) => ({
        points: close.modelLandmarks.points.map((value, k) =>
          k % 3 < 2 ? pairs[2 * Math.floor(k / 3) + (k % 3)] : value + noise * size * (random.next() * 2 - 1),
        ),
        dims: 3 as const,
      });
      errors.published += error(conformLandmarks(labels, inSpace(true3d, 0)).points, 3);
      errors.displaced += error(displaced, 2);
      errors.conformed += error(conformLandmarks(labels, inSpace(displaced, 0.03)).points, 3);
    }
    expect(errors.published).toBeLessThan(0.006);
    expect(errors.displaced).toBeGreaterThan(0.02);
    expect(errors.conformed).toBeLessThan(0.7 * errors.displaced);
  });

  it('conforms a dataset, picture and names untouched', async () => {
    const labels = await openBfm68(bfm!);
    const landmarks = { points: faces[3].contour, dims: 2 as const };
    const image = { data: new Uint8Array(6), width: 2, height: 1, channels: 3 as const };
    const provenance = { dataset: 'one', files: [], conversions: ['one'] };
    const conformed = createConformedDataset(
      {
        name: 'one',
        scheme: IBUG_68,
        dims: 2,
        length: 1,
        ids: ['a'],
        load: async () => ({
          id: 'a',
          image,
          landmarks,
          provenance,
          scheme: IBUG_68,
          box: { x: 0, y: 0, width: 2, height: 1 },
        }),
      },
      labels,
    );
    const sample = await conformed.load(0);
    expect(conformed.dims).toBe(3);
    expect(sample.image).toBe(image);
    expect(sample.landmarks.points).toEqual(conformLandmarks(labels, landmarks).points);
    expect(sample.provenance.conversions).toEqual(['one', 'all landmarks from a fit of bfm-68']);
  });
});
