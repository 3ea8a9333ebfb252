import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { concatDatasets, createBatches, takeSamples } from '../src/index.ts';
import { open300w, openKeypointCsv, openPackedSet, writePackedSet } from '../src/node.ts';
import { DATA, haveData } from './data-folder.ts';

describe.skipIf(!haveData('300w'))('real files', () => {
  it('opens every 300W folder and video frame, and batches them', async () => {
    const afw = await open300w(path.join(DATA, '300w/afw'), { name: 'afw' });
    const helen = await open300w(path.join(DATA, '300w/helen/trainset'), { name: 'helen' });
    const frames = await openKeypointCsv(
      path.join(DATA, 'youtube-keypoints/training_frames_keypoints.csv'),
      path.join(DATA, 'youtube-keypoints/training'),
    );
    expect([afw.length, helen.length, frames.length]).toEqual([337, 870, 3462]);
    const dataset = concatDatasets([afw, helen]);
    const source = createBatches({ dataset, size: 128, batchSize: 8, seed: 1, augmentation: {} });
    const t0 = performance.now();
    for (let i = 0; i < 10; i++) await source.next();
    console.log('per sample ms', (performance.now() - t0) / 80);
    const dir = await mkdtemp(path.join(tmpdir(), 'voxface-'));
    const few = takeSamples(dataset, [0, 5, 400]);
    await writePackedSet(dir, few);
    const again = await openPackedSet(dir);
    for (let i = 0; i < 3; i++) {
      const [a, b] = [await few.load(i), await again.load(i)];
      expect(b.image.data).toEqual(a.image.data);
      expect(Math.max(...a.landmarks.points.map((v, k) => Math.abs(v - b.landmarks.points[k])))).toBeLessThan(
        1e-4,
      );
    }
    await source.close();
    await rm(dir, { recursive: true });
  });
});
