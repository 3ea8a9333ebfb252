import { findData, readNpy } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import {
  areaUnderCurve,
  boxDiagonal,
  evaluateProtocol,
  interocular,
  interPupil,
  type Normalizer,
  PROTOCOLS,
  type ScoredFace,
} from '../src/index.ts';

const folder = findData('aflw2000-3d/annotations');

/** All faces [n, dims] from arrays [2000, dims, n]; z turned to the house's axes. */
function readShapes(file: string): ScoredFace['target'][] {
  const { data, shape } = readNpy(`${folder}/${file}`);
  const [count, dims, n] = shape;
  return Array.from({ length: count }, (_, face) => ({
    points: Float32Array.from({ length: n * dims }, (_, i) => {
      const value = data[face * n * dims + (i % dims) * n + Math.floor(i / dims)];
      return i % dims === 2 ? -value : value;
    }),
    dims: dims as 2 | 3,
  }));
}

/** The numbers of ecosystem.md section 3.5: re-annotated labels scored as predictions of the original ones. */
describe.skipIf(!folder)(`AFLW2000-3D labels as predictions${folder ? '' : ' (data set absent)'}`, () => {
  const load = (pose: string): ScoredFace[] => {
    const target = readShapes('AFLW2000-3D.pts68.npy');
    const preds = readShapes('AFLW2000-3D-Reannotated.pts68.npy');
    const yaws = readNpy(`${folder}/${pose}`).data;
    return target.map((shape, i) => ({
      id: String(i).padStart(4, '0'),
      target: shape,
      preds: preds[i],
      yaw: yaws[i],
    }));
  };
  const percent = (value: number | null): number => Math.round(1e4 * (value ?? Number.NaN)) / 100;

  it('2D NME 3.09 %, by fitted pose 1312/383/305: 2.81, 3.23, 4.10 with mean 3.38', () => {
    const result = evaluateProtocol('aflw2000-3d/68/2d', load('AFLW2000-3D.pose.npy'));
    expect(result.count).toBe(2000);
    expect(percent(result.nme.mean)).toBe(3.09);
    expect(result.bins.map(({ count }) => count)).toEqual([1312, 383, 305]);
    expect(result.bins.map(({ mean }) => percent(mean))).toEqual([2.81, 3.23, 4.1]);
    expect(percent(result.binMean)).toBe(3.38);
  });

  it('by AFLW pose 1306/462/232: mean 3.45', () => {
    const result = evaluateProtocol('aflw2000-3d/68/2d', load('AFLW2000-3D-new.pose.npy'));
    expect(result.bins.map(({ count }) => count)).toEqual([1306, 462, 232]);
    expect(result.bins.map(({ mean }) => percent(mean))).toEqual([2.81, 3.29, 4.24]);
    expect(percent(result.binMean)).toBe(3.45);
  });

  it('other normalizers: 2.18, 4.93, 9.19, 12.48', () => {
    const faces = load('AFLW2000-3D.pose.npy');
    const by = (normalizer: Normalizer): number =>
      percent(evaluateProtocol({ ...PROTOCOLS['aflw2000-3d/68/2d'], normalizer }, faces).nme.mean);
    const sizes = [boxDiagonal, interocular(undefined, 3), interocular(), interPupil()];
    expect(sizes.map(by)).toEqual([2.18, 4.93, 9.19, 12.48]);
  });

  it('AUC at 7 %: 55.79 as FAN counts, 56.45 exactly', () => {
    const { perImage } = evaluateProtocol('aflw2000-3d/68/2d', load('AFLW2000-3D.pose.npy'));
    const errors = perImage.map(({ nme }) => nme as number);
    expect(percent(areaUnderCurve(errors, 0.07, 'fan'))).toBe(55.79);
    expect(percent(areaUnderCurve(errors, 0.07))).toBe(56.45);
  });

  it('the 68 labels against the 21 of AFLW, visible points: 2.55, 3.01, 2.96, overall 2.71', () => {
    const target = readShapes('AFLW2000-3D.pts21.npy');
    const faces = load('AFLW2000-3D-new.pose.npy').map((face, i) => ({
      ...face,
      preds: face.target,
      target: target[i],
      reference: face.target,
      // Missing points are (-1, 452).
      visible: Array.from({ length: 21 }, (_, n) => (target[i].points[2 * n] === -1 ? 0 : 1)),
    }));
    const result = evaluateProtocol('aflw2000-3d/21-visible', faces);
    expect(percent(result.nme.mean)).toBe(2.71);
    expect(result.bins.map(({ mean }) => percent(mean))).toEqual([2.55, 3.01, 2.96]);
  });
});
