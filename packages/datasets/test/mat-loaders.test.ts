import { beforeAll, describe, expect, it } from 'vitest';
import { type LandmarkBasis, rebuildLandmarks } from '../src/index.ts';
import { open300wLp, open300wLpPlane, openAflw20003d, openDataset } from '../src/node.ts';
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
      (_, k) => points[3 * (k % 68) + Math.floor(k / 68)] + 0.5 + shift,
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
    expect(Array.from(points.subarray(0, 2))).toEqual([99.5, 250.5]);
    expect(Array.from(points.subarray(3, 5))).toEqual([99.5, 240.5]);
    expect(Array.from(points.subarray(6, 8))).toEqual([89.5, 250.5]);
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
