import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { flipLandmarks, SCHEMES, toPlane } from '@voxface/landmarks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cropSample, formatPts, matVariable, NO_AUGMENTATION, parseMat, type Sample } from '../src/index.ts';
import { open300w, openAflw20003d } from '../src/node.ts';
import { DATA, haveData } from './data-folder.ts';
import { syntheticLandmarks, syntheticSample } from './synthetic.ts';

function largest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
}

describe.skipIf(!haveData('aflw2000-3d'))('pixel convention', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'voxface-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('the same points written as .pts and in a .mat load to the same pixels', async () => {
    const source = await openAflw20003d(path.join(DATA, 'aflw2000-3d'));
    for (const id of source.ids) {
      const file = path.join(DATA, 'aflw2000-3d', `${id}.mat`);
      const { data } = matVariable(parseMat(await readFile(file), file), 'pt3d_68', file, [3, 68]);
      const points = Float32Array.from({ length: 136 }, (_, k) => data[3 * (k >> 1) + (k % 2)] + 0.5);
      // From the picture's corner in the .mat, from 1 in the .pts.
      await writeFile(path.join(folder, `${id}.pts`), formatPts({ points, dims: 2 }));
      await writeFile(path.join(folder, `${id}.jpg`), await readFile(file.replace(/mat$/, 'jpg')));
    }
    const written = await open300w(folder);
    expect(written.ids).toEqual(source.ids);
    for (let i = 0; i < source.length; i++) {
      const [a, b] = [await source.load(i), await written.load(i)];
      expect(largest(toPlane(a.landmarks).points, b.landmarks.points)).toBeLessThan(1e-3);
      expect(largest(Object.values(a.box), Object.values(b.box))).toBeLessThan(1e-3);
      expect(Buffer.from(a.image.data).equals(Buffer.from(b.image.data))).toBe(true);
    }
  });
});

describe('flips are involutions', () => {
  it.each(Object.values(SCHEMES))('of the landmarks of $name', (scheme) => {
    const { points } = syntheticLandmarks(2);
    const shape = { points: points.slice(0, 2 * Math.min(scheme.count, 68)), dims: 2 as const };
    if (scheme.count > 68)
      shape.points = Float32Array.from({ length: 2 * scheme.count }, (_, k) => points[k % 136] + k);
    const once = flipLandmarks(shape, scheme, 160);
    expect(largest(once.points, shape.points)).toBeGreaterThan(1);
    expect(largest(flipLandmarks(once, scheme, 160).points, shape.points)).toBeLessThan(1e-4);
  });

  it('of picture, landmarks and visibility together: a mirrored crop, taken as a picture and mirrored, is the plain crop', () => {
    const size = 64;
    const source: Sample<2> = {
      ...syntheticSample(4),
      visible: Uint8Array.from({ length: 68 }, (_, i) => i % 3 && 1),
    };
    const mirrored = { ...NO_AUGMENTATION, mirrored: true };
    const plain = cropSample(source, { size });
    const once = cropSample(source, { size, augmentation: mirrored });
    const points = once.landmarks.points.map((value) => value * size - 0.5);
    // A box whose crop is the whole picture.
    const side = size / 1.25;
    const box = { x: (size - side) / 2 - 0.5, y: (size - side) / 2 - 0.5, width: side, height: side };
    const image = { data: once.pixels, width: size, height: size, channels: 3 as const };
    const again = { ...source, image, landmarks: { points, dims: 2 as const }, box, visible: once.visible };
    const twice = cropSample(again, { size, augmentation: mirrored });
    expect(largest(twice.pixels, plain.pixels)).toBeLessThanOrEqual(1);
    expect(largest(twice.landmarks.points, plain.landmarks.points)).toBeLessThan(1e-5);
    expect(twice.visible).toEqual(plain.visible);
    expect(once.visible).not.toEqual(plain.visible);
  });
});
