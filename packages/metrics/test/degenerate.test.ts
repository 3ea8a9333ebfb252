import { AFLW_21, createLandmarks, type Landmarks } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import {
  areaUnderCurve,
  boxSize,
  createAccumulator,
  cumulativeErrors,
  errorThresholds,
  evaluateProtocol,
  fixedNormalizer,
  interocular,
  interPupil,
  nme,
  pairedBootstrap,
  pointErrors,
  summarizeByYaw,
  summarizeErrors,
} from '../src/index.ts';

const target = createLandmarks([0, 0, 8, 0, 8, 2], 2);
const preds = createLandmarks([3, 4, 8, 1, 8, 2], 2);
const normalizer = boxSize;

describe('nme', () => {
  it('is the mean distance over the size of the box, by hand', () => {
    expect(nme(preds, target, { normalizer })).toBeCloseTo((5 + 1 + 0) / 3 / 4, 12);
    expect(nme(preds, target, { normalizer: fixedNormalizer(1), visible: [1, 0, 1] })).toBeCloseTo(2.5, 12);
    expect(nme(preds, target, { normalizer, subset: [1] })).toBeCloseTo(0.25, 12);
  });

  const broken: Landmarks<2> = { points: new Float32Array([0, 0, Number.NaN, 0, 0, 0]), dims: 2 };
  const flat = createLandmarks([1, 1, 2, 1, 3, 1], 2);
  it.each([
    ['NaN', () => nme(broken, target, { normalizer }), 'got an error of NaN at landmark 1'],
    [
      'a truth without size',
      () => nme(preds, flat, { normalizer }),
      'normalizer must be positive and finite, got 0',
    ],
    ['a size of NaN', () => nme(preds, target, { normalizer: fixedNormalizer(Number.NaN) }), 'got NaN'],
    [
      'other counts',
      () => nme(createLandmarks([1, 2], 2), target, { normalizer }),
      'expected 3 preds like target, got 1',
    ],
    ['other dimensions', () => pointErrors(createLandmarks([1, 2, 3], 3), target), 'got 3 (use toPlane)'],
    ['nothing visible', () => nme(preds, target, { normalizer, visible: [0, 0, 0] }), 'got none visible'],
    [
      'too few flags',
      () => nme(preds, target, { normalizer, visible: [1] }),
      'expected 3 visibility flags, got 1',
    ],
    ['a subset outside', () => nme(preds, target, { normalizer, subset: [3] }), 'must be in 0..2, got 3'],
    ['another scheme', () => interocular()(target), 'expected ibug-68 landmarks [68, 2], got [3, 2]'],
    ['a scheme without eyes', () => interPupil({ ...AFLW_21, groups: {} }), 'must have the groups right-eye'],
  ] as [string, () => unknown, string][])('refuses %s', (_, run, message) => {
    expect(run).toThrow(message);
  });
});

describe('sets of errors', () => {
  it('are cut at even thresholds, both ends included', () => {
    expect([...errorThresholds(0.1, 5)].map((v) => Number(v.toFixed(9)))).toEqual([
      0, 0.025, 0.05, 0.075, 0.1,
    ]);
  });
  it('of one size have an area by Simpson as NumPy widens their interval, and none above the limit', () => {
    // The histogram reaches from -0.45 to 0.55, its middle bin holds both: the curve is 1 from 0.05 on.
    expect(areaUnderCurve([0.05, 0.05], 0.1, 'simpson')).toBeCloseTo(0.5, 2);
    expect(areaUnderCurve([0.3, 0.4], 0.1, 'simpson')).toBe(0);
  });
  it('are lists', () => {
    for (const wrong of [undefined, 3, {}, () => {}]) {
      expect(() => summarizeErrors(wrong as never)).toThrow(/expected a list of errors/);
    }
    expect(summarizeErrors([0.1]).std).toBe(0);
    expect(() => summarizeByYaw([0.1], undefined as never)).toThrow(/expected 1 yaws, got undefined/);
  });
  it('by yaw are in bins with their own edges', () => {
    const { bins } = summarizeByYaw([0.1, 0.2, 0.3], [-10, 30, 61]);
    expect(bins.map(({ from, to, count }) => [from, to, count])).toEqual([
      [0, 30, 2],
      [30, 60, 0],
      [60, Infinity, 1],
    ]);
  });
  it.each([
    ['summarizeErrors', () => summarizeErrors([])],
    ['cumulativeErrors', () => cumulativeErrors([], [0.1])],
    ['areaUnderCurve', () => areaUnderCurve([], 0.1)],
    ['summarizeByYaw', () => summarizeByYaw([], [])],
    ['pairedBootstrap', () => pairedBootstrap([], [])],
  ] as [string, () => unknown][])('%s refuses an empty set', (name, run) => {
    expect(run).toThrow(`${name}: expected at least one error, got none`);
  });

  it('refuse NaN, missing yaws, a limit of zero and unknown methods', () => {
    expect(() => summarizeErrors([0.1, Number.NaN])).toThrow('got NaN at index 1');
    expect(() => summarizeErrors([Infinity])).toThrow('got Infinity at index 0');
    expect(() => summarizeByYaw([0.1], [Number.NaN])).toThrow('yaws must be finite, got NaN at index 0');
    expect(() => summarizeByYaw([0.1], [])).toThrow('expected 1 yaws, got 0');
    expect(() => areaUnderCurve([0.1], 0)).toThrow('the limit must be positive and finite, got 0');
    expect(() => areaUnderCurve([Infinity], 0.1, 'simpson')).toThrow('got Infinity');
    expect(() => areaUnderCurve([0.1], 1, 'trapezoid' as 'exact')).toThrow('got trapezoid');
    expect(() => pairedBootstrap([0.1], [0.1, 0.2])).toThrow('expected 1 second errors, got 2');
  });

  it('give null, not a number, for bins without images', () => {
    const { bins, binMean, binStd } = summarizeByYaw([0.1, 0.2], [5, 70]);
    expect(bins.map(({ mean }) => mean)).toEqual([0.1, null, 0.2]);
    expect([binMean, binStd]).toEqual([null, null]);
  });

  it('put values on an edge into the lower bin and 351 degrees into the last', () => {
    const { bins } = summarizeByYaw([1, 1, 1, 1], [30, -60, 60.01, 351]);
    expect(bins.map(({ count }) => count)).toEqual([1, 1, 2]);
  });
});

describe('evaluation', () => {
  const face = createLandmarks(
    Array.from({ length: 136 }, (_, i) => (i * 37) % 101),
    2,
  );

  it('names the face in every error', () => {
    const flatFace = createLandmarks(new Float32Array(136).fill(3), 2);
    expect(() => evaluateProtocol('300w/box/68', [{ id: 'afw/7', preds: face, target: flatFace }])).toThrow(
      'afw/7: nme: the normalizer must be positive and finite, got 0',
    );
    expect(() => evaluateProtocol('300w/box/68', [{ id: 'afw/8', preds: target, target: face }])).toThrow(
      'afw/8: 300w/box/68 needs 68 landmarks, got 3 in preds',
    );
    expect(() => evaluateProtocol('aflw2000-3d/68/3d', [{ id: 'b', preds: face, target: face }])).toThrow(
      'b: aflw2000-3d/68/3d needs 3D landmarks, got 2D in target',
    );
    const visible = { id: 'c', preds: face, target: face };
    expect(() => evaluateProtocol('aflw2000-3d/21-visible', [visible])).toThrow(
      'c: aflw2000-3d/21-visible scores',
    );
    const of21 = {
      id: 'd',
      preds: face,
      target: createLandmarks(new Float32Array(42), 2),
      visible: new Array(21),
    };
    expect(() => evaluateProtocol('aflw2000-3d/21-visible', [of21])).toThrow('got none (pass reference)');
  });

  it('refuses unknown protocols, empty sets, ids seen twice, yaws for some faces only', () => {
    expect(() => createAccumulator('300w')).toThrow(
      'findProtocol: the protocol must be one of aflw2000-3d/68/2d',
    );
    expect(() => evaluateProtocol('300w/box/68', [])).toThrow(
      'at least one face must be scored, got 0 images',
    );
    const twice = { id: 'a', preds: face, target: face };
    expect(() => evaluateProtocol('300w/box/68', [twice, twice])).toThrow('a: ids must be unique');
    const faces = [
      { ...twice, yaw: 3 },
      { ...twice, id: 'b' },
    ];
    expect(() => evaluateProtocol('aflw2000-3d/68/2d', faces)).toThrow(
      'b: yaw must be given for all faces or none',
    );
  });
});
