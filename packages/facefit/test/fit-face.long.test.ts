import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parsePts } from '@voxface/datasets';
import { boxOf, createRandom, type Landmarks, rotationOfPose } from '@voxface/landmarks';
import { parse } from 'npyjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FaceModel, fitFace, profileFace } from '../src/index.ts';
import { openFaceModel } from '../src/node.ts';
import { openFaceKitObj } from '../src/open-face-model.ts';

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const have = existsSync(data) || Boolean(process.env.VOXFACE_REQUIRE_DATA);
const SIX = [28, 55, 150, 258, 286, 311];

/** Skipped where the development data is absent; VOXFACE_REQUIRE_DATA makes its absence a failure. */
describe.skipIf(!have)('fitFace on real data', () => {
  let model: FaceModel;
  beforeAll(async () => {
    model = await openFaceModel(`${data}ict-facekit`);
  });

  /** A face out of the model itself. */
  function synthesize(yaw: number, seed: number): { given: Landmarks<2>; truth: Float32Array } {
    const random = createRandom(seed);
    const weights = Array.from({ length: 20 }, () => 0.7 * random.normal());
    const jawOpen = model.expression.names.indexOf('jawOpen');
    const rotation = rotationOfPose({ yaw, pitch: 8, roll: -6 });
    const given = new Float32Array(136);
    const truth = new Float32Array(68);
    model.landmarks.forEach((vertex, i) => {
      const point = [0, 1, 2].map((axis) => {
        let value = model.mean[3 * vertex + axis] + model.landmarkOffsets[3 * i + axis];
        weights.forEach((weight, mode) => {
          value += weight * model.identity.offsets[mode * model.mean.length + 3 * vertex + axis];
        });
        return value + 0.4 * model.expression.offsets[jawOpen * model.mean.length + 3 * vertex + axis];
      });
      const turn = (row: number): number =>
        9 *
        (rotation[3 * row] * point[0] + rotation[3 * row + 1] * point[1] + rotation[3 * row + 2] * point[2]);
      given[2 * i] = turn(0) + 100;
      given[2 * i + 1] = turn(1) + 120;
      truth[i] = turn(2);
    });
    const mean = truth.reduce((sum, z) => sum + z) / 68;
    return { given: { points: given, dims: 2 }, truth: truth.map((z) => z - mean) };
  }

  it.each([0, -35, 60])('recovers pose and depth of a synthetic face at yaw %d', (yaw) => {
    const { given, truth } = synthesize(yaw, 3);
    const fit = fitFace(model, given, { jaw: 'vertices' });
    const { width, height } = boxOf(given);
    let error = 0;
    for (let i = 0; i < 68; i++) error += Math.abs(fit.landmarks.points[3 * i + 2] - truth[i]) / 68;
    expect(error / Math.sqrt(width * height)).toBeLessThan(0.025);
    expect(Math.abs(fit.pose.yaw - yaw)).toBeLessThan(3);
    expect(fit.error.inner).toBeLessThan(0.008);
  });

  it('keeps weights in their bounds, inner x and y on the photo, z zero-mean, and repeats itself exactly', () => {
    const { given } = synthesize(20, 9);
    given.points[2 * 57 + 1] += 40;
    const fit = fitFace(model, given);
    for (const weight of fit.expression) expect(weight >= 0 && weight <= 1).toBe(true);
    for (const weight of fit.identity) expect(Math.abs(weight)).toBeLessThanOrEqual(3);
    for (let i = 17; i < 68; i++) expect(fit.landmarks.points[3 * i]).toBe(given.points[2 * i]);
    let sum = 0;
    for (let i = 0; i < 68; i++) sum += fit.landmarks.points[3 * i + 2];
    expect(Math.abs(sum / 68)).toBeLessThan(1e-3);
    expect(fitFace(model, given).landmarks.points).toEqual(fit.landmarks.points);
  });

  it('refuses 67 landmarks, NaN, too few points and an empty box', () => {
    const points = new Float32Array(136).fill(3);
    expect(() => fitFace(model, { points: points.slice(2), dims: 2 })).toThrow(/68 landmarks/);
    expect(() => fitFace(model, { points, dims: 2 })).toThrow(/span a box/);
    const visible = Uint8Array.from({ length: 68 }, (_, i) => (i < 11 ? 1 : 0));
    expect(() => fitFace(model, { points, dims: 2 }, { visible })).toThrow(/at least 12 annotated/);
    expect(() => fitFace(model, { points: points.fill(Number.NaN), dims: 2 })).toThrow(/must be finite/);
  });

  it('fits AFW, HELEN and LFPW within 1.6 % (inner) and 3 % (jaw) in the median, none inside out', () => {
    const fits = ['300w/afw', '300w/helen/trainset', '300w-lfpw/trainset'].flatMap((folder) =>
      readdirSync(`${data}${folder}`)
        .filter((name) => name.endsWith('.pts'))
        .filter((_, i) => i % 24 === 0)
        .map((name) => fitFace(model, parsePts(readFileSync(`${data}${folder}/${name}`, 'utf8')))),
    );
    const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];
    expect(fits.length).toBeGreaterThan(30);
    expect(median(fits.map((fit) => fit.error.inner))).toBeLessThan(0.016);
    expect(median(fits.map((fit) => fit.error.jaw))).toBeLessThan(0.03);
    for (const fit of fits) expect(fit.rotation[8]).toBeGreaterThan(0);
  });

  it('gives yaw within 3 degrees and z within 3 % on the six AFLW2000-3D samples', () => {
    const read = (name: string): Float32Array => {
      const bytes = readFileSync(`${data}aflw2000-3d/annotations/${name}`);
      return parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer)
        .data as Float32Array;
    };
    const all = read('AFLW2000-3D.pts68.npy');
    const yaws = read('AFLW2000-3D.pose.npy');
    let depthError = 0;
    let yawError = 0;
    for (const k of SIX) {
      const row = all.subarray(k * 204, (k + 1) * 204);
      const points = Float32Array.from({ length: 136 }, (_, i) => row[(i % 2) * 68 + (i >> 1)]);
      const mean = row.subarray(136).reduce((sum, z) => sum + z) / 68;
      const fit = fitFace(model, { points, dims: 2 }, { jaw: 'vertices' });
      const { width, height } = boxOf({ points, dims: 2 });
      for (let i = 0; i < 68; i++) {
        const z = mean - row[136 + i];
        depthError += Math.abs(fit.landmarks.points[3 * i + 2] - z) / Math.sqrt(width * height) / 68 / 6;
      }
      yawError += Math.abs(fit.pose.yaw + yaws[k]) / 6;
    }
    expect(yawError).toBeLessThan(3);
    expect(depthError).toBeLessThan(0.03);
  });

  it('profiles deterministically, with the landmarks at the asked yaw inside the picture', () => {
    const { given } = synthesize(5, 3);
    const fit = fitFace(model, given, { jaw: 'vertices' });
    const photo = {
      data: Uint8Array.from({ length: 220 * 240 * 3 }, (_, i) => (i * 7) % 251),
      width: 220,
      height: 240,
      channels: 3 as const,
    };
    const profile = profileFace(model, fit, photo, { yaw: 75 }, { size: 96 });
    expect(profile.image.data).toEqual(profileFace(model, fit, photo, { yaw: 75 }, { size: 96 }).image.data);
    for (const value of profile.landmarks.points.filter((_, i) => i % 3 < 2)) {
      expect(value > 0 && value < 96).toBe(true);
    }
    const again = fitFace(model, profile.landmarks, { jaw: 'vertices' });
    expect(Math.abs(again.pose.yaw - 75)).toBeLessThan(4);
    expect(() => profileFace(model, fit, photo, { yaw: 91 })).toThrow(/-90..90/);
  });

  it('reads the original .obj files into the same numbers as the packed arrays', async () => {
    const original = await openFaceKitObj(`${data}ict-facekit/obj-sample`);
    expect(original.identity.names).toEqual(['identity000']);
    expect(original.expression.names).toEqual(['jawOpen']);
    for (let i = 0; i < original.mean.length; i += 997) {
      expect(original.mean[i]).toBeCloseTo(model.mean[i], 4);
      expect(original.identity.offsets[i]).toBeCloseTo(model.identity.offsets[i], 4);
    }
  });
});
