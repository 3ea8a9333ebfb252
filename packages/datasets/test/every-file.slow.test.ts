import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DatasetReport, inspectDataset, readNpy } from '../src/node.ts';
import { DATA, haveData } from './data-folder.ts';

/** Every picture decoded, every annotation read; what is expected of the counts and ranges. */
const SETS: readonly [target: string, count: number, check: (report: DatasetReport) => void][] = [
  ['300w/afw', 337, ({ imageWidth }) => expect(imageWidth[1]).toBeLessThanOrEqual(384)],
  ['300w/helen/trainset', 870, ({ imageHeight }) => expect(imageHeight[1]).toBeLessThanOrEqual(384)],
  ['300w/helen/testset', 165, ({ dims }) => expect(dims).toBe(2)],
  ['youtube-keypoints/training_frames_keypoints.csv', 3462, ({ scheme }) => expect(scheme).toBe('ibug-68')],
  [
    'youtube-keypoints/test_frames_keypoints.csv',
    511,
    ({ imageWidth }) => expect(imageWidth[1]).toBeLessThanOrEqual(224),
  ],
  ['aflw2000-3d', 6, ({ yaw }) => expect(yaw.unknown).toBe(0)],
];

describe('every file of the development data loads', () => {
  for (const [target, count, check] of SETS) {
    it.skipIf(!haveData(target))(target, async () => {
      const report = await inspectDataset(path.join(DATA, target));
      expect(report.broken).toEqual([]);
      expect(report.count).toBe(count);
      expect(report.boxSide[0]).toBeGreaterThan(20);
      check(report);
    });
  }

  for (const folder of ['aflw2000-3d/annotations', 'ict-facekit']) {
    it.skipIf(!haveData(folder))(`arrays of ${folder}`, async () => {
      const names = readdirSync(path.join(DATA, folder)).filter((name) => name.endsWith('.npy'));
      expect(names).toHaveLength(folder === 'ict-facekit' ? 7 : 6);
      for (const name of names) {
        const { shape, data } = await readNpy(path.join(DATA, folder, name));
        expect([name, data.length]).toEqual([name, shape.reduce((product, n) => product * n, 1)]);
        expect(data.every(Number.isFinite)).toBe(true);
      }
    });
  }
});
