import { createLandmarks, INNER_51_OF_68, type Landmarks, toPlane } from '@voxface/landmarks';
import { expectClose } from '@voxface/test-utils';
import { readGolden } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import {
  areaUnderCurve,
  boxDiagonal,
  boxSize,
  cumulativeErrors,
  cvgtce,
  failureRate,
  gte,
  interocular,
  interPupil,
  nme,
  summarizeByYaw,
  summarizeErrors,
} from '../src/index.ts';

interface Face {
  target: number[];
  preds: number[];
  visible: number[];
  nme2d: Record<'boxSize' | 'boxDiagonal' | 'interocular2d' | 'interocular3d' | 'interPupil2d', number>;
  nmeVisible: number;
  nmeInner: number;
  nme3d: Record<'none' | 'mean' | 'min', number>;
  gte: number;
  cvgtce: number;
}

interface Curve {
  errors: number[];
  limit: number;
  thresholds: number[];
  ced: number[];
  failureRate: number;
  exact: number;
  fan: number;
  simpson: number;
}

interface Yaw {
  errors: number[];
  yaws: number[];
  counts: number[];
  means: number[];
  binMean: number;
  binStd: number;
  mean: number;
  median: number;
  std: number;
}

const golden = readGolden<{ faces: Face[]; curves: Curve[]; yaw: Yaw }>(import.meta.url, 'metrics');
const double = { absolute: 1e-12, relative: 1e-7 };

describe.each(golden.faces)('face %# against NumPy and SciPy', (face) => {
  const target = createLandmarks(face.target, 3);
  const preds = createLandmarks(face.preds, 3);
  const [flatTarget, flatPreds] = [toPlane(target), toPlane(preds)];

  it('NME by every normalizer', () => {
    const sizes = [boxSize, boxDiagonal, interocular(), interocular(undefined, 3), interPupil()];
    const actual = sizes.map((normalizer) => nme(flatPreds, flatTarget, { normalizer, reference: target }));
    const { nme2d } = face;
    expectClose(
      actual,
      [nme2d.boxSize, nme2d.boxDiagonal, nme2d.interocular2d, nme2d.interocular3d, nme2d.interPupil2d],
      double,
    );
  });

  it('NME of visible and of inner landmarks', () => {
    const options = { normalizer: boxSize };
    const visible = nme(flatPreds, flatTarget, { ...options, visible: face.visible });
    const inner = nme(flatPreds, flatTarget, { ...options, subset: INNER_51_OF_68 });
    expectClose([visible, inner], [face.nmeVisible, face.nmeInner], double);
  });

  it('3D NME by depth alignment', () => {
    const of = (alignDepth: 'none' | 'mean' | 'min'): number =>
      nme(preds, target, { normalizer: boxSize, alignDepth });
    expectClose(
      [of('none'), of('mean'), of('min')],
      [face.nme3d.none, face.nme3d.mean, face.nme3d.min],
      double,
    );
  });

  it('GTE and CVGTCE (Eq. 15 to 17)', () => {
    expectClose([gte(preds, target)], [face.gte], double);
    // The aligned prediction is rounded to single precision once.
    expectClose([cvgtce(preds, target)], [face.cvgtce], { relative: 1e-5 });
  });
});

describe.each(golden.curves)('curve %# against SciPy', (curve) => {
  it('CED and failure rate', () => {
    expectClose(cumulativeErrors(curve.errors, curve.thresholds), curve.ced, double);
    expect(failureRate(curve.errors, curve.limit)).toBeCloseTo(curve.failureRate, 12);
  });

  it('AUC exact, as FAN and as SPIGA compute it', () => {
    expect(areaUnderCurve(curve.errors, curve.limit)).toBeCloseTo(curve.exact, 5);
    expect(areaUnderCurve(curve.errors, curve.limit, 'fan')).toBeCloseTo(curve.fan, 10);
    expect(areaUnderCurve(curve.errors, curve.limit, 'simpson')).toBeCloseTo(curve.simpson, 10);
  });
});

describe('yaw bins and summary against NumPy', () => {
  const { yaw } = golden;

  it('bins, unweighted mean and sample standard deviation', () => {
    const summary = summarizeByYaw(yaw.errors, yaw.yaws);
    expect(summary.bins.map(({ count }) => count)).toEqual(yaw.counts);
    const means = summary.bins.map(({ mean }) => mean ?? Number.NaN);
    expectClose(
      [...means, summary.binMean ?? 0, summary.binStd ?? 0],
      [...yaw.means, yaw.binMean, yaw.binStd],
      double,
    );
  });

  it('mean, median, standard deviation', () => {
    const { mean, median, std } = summarizeErrors(yaw.errors);
    expectClose([mean, median, std], [yaw.mean, yaw.median, yaw.std], double);
  });
});

describe('cvgtce', () => {
  it('is zero for a similar shape and does not accept a mirrored one', () => {
    const [face] = golden.faces;
    const target = createLandmarks(face.target, 3);
    const similar: Landmarks<3> = {
      points: target.points.map((value, i) => (i % 3 === 0 ? 3 * value + 7 : 3 * value - 2)),
      dims: 3,
    };
    expect(cvgtce(similar, target)).toBeLessThan(1e-6);
    const mirrored: Landmarks<3> = {
      points: target.points.map((value, i) => (i % 3 === 0 ? -value : value)),
      dims: 3,
    };
    expect(cvgtce(mirrored, target)).toBeGreaterThan(0.1);
  });
});
