import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rotationOfPose } from '@voxface/landmarks';
import { afterAll, describe, expect, it } from 'vitest';
import { type FaceModel, fitFace } from '../src/index.ts';
import { openFaceModel, openLinearBasis } from '../src/node.ts';
import golden from './golden/linear-basis.json' with { type: 'json' };
import { archive, openTinyFace } from './tiny-face.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'voxface-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: Uint8Array | string): string {
  writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
}

/** y and z change sign on the way to head axes. */
const turned = (values: readonly number[]): number[] =>
  values.map((value, i) => (i % 3 === 0 ? value : -value));

function expectGolden(model: FaceModel): void {
  const close = (found: ArrayLike<number>, wanted: readonly number[]): void => {
    expect(found.length).toBe(wanted.length);
    for (let i = 0; i < wanted.length; i++) expect(Math.abs(found[i] - wanted[i])).toBeLessThan(1e-4);
  };
  close(model.mean, turned(golden.mean));
  close(model.identity.offsets, golden.identity.flatMap(turned));
  close(model.expression.offsets, golden.expression.flatMap(turned));
  expect([...model.landmarks]).toEqual(golden.landmarks);
  expect([...model.triangles]).toEqual(golden.triangles);
  expect([model.identity.count, model.expression.count]).toEqual([3, 2]);
}

describe('openLinearBasis reads what SciPy and NumPy wrote', () => {
  it('BFM 2009: deviations, mean of the expressions, landmarks from the list beside the file', async () => {
    const file = write('bfm.mat', archive('bfm'));
    write('bfm.landmarks.json', JSON.stringify(golden.landmarks));
    expectGolden(await openFaceModel(file));
  });

  it('Deep3D: the file names its own landmarks, counted from 1', async () => {
    const model = await openFaceModel(write('front.mat', archive('deep3d')));
    expectGolden(model);
    expect(model.name).toBe('front');
  });

  it('FLAME-like .npz, and given landmarks go before those of the file', async () => {
    const file = write('flame.npz', archive('flame'));
    expectGolden(await openFaceModel(file));
    const landmarks = golden.landmarks.with(40, golden.landmarks[41]);
    expect((await openFaceModel(file, { landmarks })).landmarks[40]).toBe(golden.landmarks[41]);
  });

  it.each([0, 35, -50])('and fits with it at yaw %d, with no expression modes either', async (yaw) => {
    const model = await openTinyFace();
    const rotation = rotationOfPose({ yaw, pitch: 5, roll: -4 });
    const points = new Float32Array(136);
    model.landmarks.forEach((vertex, i) => {
      const at = [0, 1, 2].map(
        (axis) => model.mean[3 * vertex + axis] + model.identity.offsets[3 * vertex + axis],
      );
      for (let axis = 0; axis < 2; axis++) {
        const row = rotation.slice(3 * axis, 3 * axis + 3);
        points[2 * i + axis] = 90 * (row[0] * at[0] + row[1] * at[1] + row[2] * at[2]) + 128;
      }
    });
    const rigid = {
      ...model,
      expression: {
        count: 0,
        names: [],
        offsets: new Float32Array(0),
        deviation: new Float32Array(0),
        bounds: new Float32Array(0),
      },
    };
    for (const face of [model, rigid]) {
      const fit = fitFace(face, { points, dims: 2 }, { jaw: 'vertices' });
      expect(Math.abs(fit.pose.yaw - yaw)).toBeLessThan(3);
      expect(fit.error.inner).toBeLessThan(0.01);
    }
  });
});

describe('openFaceModel names what is wrong', () => {
  it.each([
    [
      'a struct',
      'struct.mat',
      () => archive('struct'),
      /expected mean under one of the names .* got model \(a struct: save its fields as variables\) in .*struct\.mat/,
    ],
    [
      'no landmarks',
      'bare.mat',
      () => archive('bfm'),
      /expected the 68 landmark vertices of .*bare\.mat, got none .*bare\.landmarks\.json/,
    ],
    ['a truncated .mat', 'cut.mat', () => archive('bfm').slice(0, 900), /cut\.mat \(truncated\?\)/],
    [
      'a truncated .npz',
      'cut.npz',
      () => archive('flame').slice(0, 900),
      /expected a whole \.npz file, got .* in .*cut\.npz/,
    ],
    [
      'a pickle',
      'flame.pkl',
      () => 'x',
      /expected a \.mat or \.npz file or a folder of \.npy files, got .*flame\.pkl \(BFM 2017 is HDF5 and FLAME a pickle/,
    ],
    ['HDF5', 'hdf.mat', () => 'MATLAB 7.3 MAT-file'.padEnd(200), /level 7\.3 \(HDF5\)/],
  ])('%s', async (_, name, content, message) => {
    await expect(openFaceModel(write(name, content()))).rejects.toThrow(message);
  });

  it('lists of landmarks that do not fit', async () => {
    const file = write('list.npz', archive('flame'));
    const { landmarks } = golden;
    await expect(openLinearBasis(file, { landmarks: landmarks.slice(1) })).rejects.toThrow(
      /expected 68 landmark vertices in iBUG order, got 67/,
    );
    await expect(openLinearBasis(file, { landmarks: landmarks.with(3, 5000) })).rejects.toThrow(
      /must be in 0\.\.\d+, got 5000/,
    );
    await expect(
      openLinearBasis(file, { landmarks: landmarks.with(36, landmarks[45]).with(45, landmarks[36]) }),
    ).rejects.toThrow(/expected landmark 36 \(right eye\) left of 45/);
    await expect(openLinearBasis(file, { axes: 'down' })).rejects.toThrow(
      /expected landmark 8 \(chin\) below 27.*other axes\?/,
    );
    write('list.landmarks.json', '{"a":1}');
    await expect(openLinearBasis(file)).rejects.toThrow(
      /expected a JSON list of vertex numbers in .*list\.landmarks\.json/,
    );
  });

  it('places without a model', async () => {
    await expect(openFaceModel(path.join(folder, 'nothing'))).rejects.toThrow(/got nothing at .*nothing/);
    const empty = mkdtempSync(path.join(folder, 'empty-'));
    await expect(openFaceModel(empty)).rejects.toThrow(/got 0 other files in/);
    writeFileSync(path.join(empty, 'facekit.json'), '{');
    await expect(openFaceModel(empty)).rejects.toThrow(
      /expected ICT-FaceKit's list of modes, got .* in .*facekit\.json/,
    );
    writeFileSync(path.join(empty, 'facekit.json'), '{"identity":[],"expression":[]}');
    await expect(openFaceModel(empty)).rejects.toThrow(/expected the array neutral\.npy, got ENOENT/);
  });
});
