import { createRandom } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import type { CroppedSample, Dataset } from '../src/index.ts';
import { createBatches, createRecordDataset, cropSample, drawAugmentation } from '../src/index.ts';
import { createCropWorkers, createWorkerBatches, decodeImage } from '../src/node.ts';
import { syntheticAnnotation, syntheticJpeg } from './synthetic.ts';

const COUNT = 20;

async function dataset(): Promise<Dataset<2> & { reads: number }> {
  const pictures = await Promise.all(Array.from({ length: COUNT }, (_, i) => syntheticJpeg(i, 160, 120)));
  const counter = { reads: 0 };
  const records = createRecordDataset({
    name: 'synthetic',
    scheme: syntheticAnnotation(0).scheme,
    dims: 2,
    ids: pictures.map((_, i) => `s${i}`),
    annotate: (i) => syntheticAnnotation(i),
    readImage: async (i) => {
      counter.reads += 1;
      return pictures[i].slice();
    },
    decode: decodeImage,
  });
  return Object.assign(counter, records);
}

const flatten = (batches: CroppedSample<2>[][]): unknown =>
  batches.flat().map(({ id, pixels, landmarks, mirrored }) => [id, pixels, landmarks.points, mirrored]);

describe('createCropWorkers', () => {
  it('gives the same batches with 0, 1 and 2 threads, with and without a cache, and after a restart', async () => {
    const options = { size: 48, batchSize: 4, seed: 7, augmentation: {} };
    const plain = createBatches({ dataset: await dataset(), ...options });
    const expected: CroppedSample<2>[][] = [];
    for (let i = 0; i < 7; i++) expected.push(await plain.next());
    const set = await dataset();
    for (const threads of [{ count: 1 }, { count: 2, cacheBytes: 1e9 }]) {
      const workers = createCropWorkers(threads);
      const source = createBatches({ dataset: set, ...options, workers });
      const first: CroppedSample<2>[][] = [];
      for (let i = 0; i < 3; i++) first.push(await source.next());
      const state = JSON.parse(JSON.stringify(source.state()));
      await source.close();
      const resumed = createBatches({ dataset: set, ...options, workers }, state);
      for (let i = 3; i < 7; i++) first.push(await resumed.next());
      await resumed.close();
      await workers.close();
      expect(flatten(first)).toEqual(flatten(expected));
    }
  });

  it('keeps decoded pictures within the budget and reads those no more', async () => {
    const set = await dataset();
    const picture = 160 * 120 * 3;
    const pool = createCropWorkers({ count: 2, cacheBytes: 5.5 * picture });
    const all = (): Promise<unknown> =>
      Promise.all(Array.from({ length: COUNT }, (_, i) => pool.crop(set, i, { size: 16 })));
    await all();
    expect(pool.stats()).toMatchObject({ cached: 5, cachedBytes: 5 * picture });
    expect(set.reads).toBe(COUNT);
    await all();
    expect(set.reads).toBe(2 * COUNT - 5);
    await pool.close();
  });

  it('reads at most 16 samples per thread ahead of the work', async () => {
    const set = await dataset();
    const pool = createCropWorkers({ count: 1 });
    const jobs = Array.from({ length: COUNT }, (_, i) => pool.crop(set, i, { size: 16 }));
    await Promise.resolve();
    expect(pool.stats()).toMatchObject({ busy: Math.min(COUNT, 16), waiting: Math.max(0, COUNT - 16) });
    expect(set.reads).toBeLessThanOrEqual(16);
    await Promise.all(jobs);
    expect(pool.stats()).toMatchObject({ busy: 0, waiting: 0 });
    await pool.close();
    await expect(pool.crop(set, 0, { size: 16 })).rejects.toThrow(/closed/);
  });

  it('names the sample whose picture is damaged, and goes on with the others', async () => {
    const whole = await dataset();
    const broken: Dataset<2> = {
      ...whole,
      loadEncoded: async (i) => {
        const sample = await whole.loadEncoded!(i);
        return i === 3 ? { ...sample, encoded: sample.encoded.slice(0, 400) } : sample;
      },
    };
    const pool = createCropWorkers({ count: 1 });
    await expect(pool.crop(broken, 3, { size: 16 })).rejects.toThrow(/truncated JPEG .*synthetic\/s3/);
    const augmentation = drawAugmentation(createRandom(5));
    const crop = await pool.crop(broken, 4, { size: 16, augmentation });
    expect(crop).toEqual(cropSample(await whole.load(4), { size: 16, augmentation }));
    const problems: string[] = [];
    const source = createBatches({
      dataset: broken,
      size: 16,
      batchSize: COUNT,
      seed: 1,
      workers: pool,
      onProblem: ({ id }) => problems.push(id),
    });
    const batch = await source.next();
    await source.close();
    expect(batch.map(({ id }) => id)).not.toContain('s3');
    expect(new Set(problems)).toEqual(new Set(['s3']));
    await pool.close();
  });

  it('that is closed under a batch blames no sample', async () => {
    const problems: string[] = [];
    const pool = createCropWorkers({ count: 1 });
    const options = { dataset: await dataset(), size: 16, batchSize: COUNT, seed: 1, workers: pool };
    const source = createBatches({ ...options, onProblem: ({ id }) => problems.push(id) });
    const batch = source.next();
    const outcome = expect(batch).rejects.toThrow(/crop: the workers were closed/);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await pool.close();
    await outcome;
    await source.close();
    expect(problems).toEqual([]);
  });

  it('has nothing under way when its batches are closed, also those of a batch that failed', async () => {
    const whole = await dataset();
    const pool = createCropWorkers({ count: 2 });
    const broken: Dataset<2> = {
      ...whole,
      loadEncoded: (i) => (i === 3 ? Promise.reject(new Error('gone')) : whole.loadEncoded!(i)),
    };
    const source = createBatches({ dataset: broken, size: 16, batchSize: COUNT, seed: 1, workers: pool });
    await expect(source.next()).rejects.toThrow('gone');
    await source.close();
    expect(pool.stats()).toMatchObject({ busy: 0, waiting: 0 });
    await pool.close();
  });

  it('is wrapped by createWorkerBatches, which ends its threads', async () => {
    const source = createWorkerBatches({
      dataset: await dataset(),
      size: 8,
      batchSize: 2,
      seed: 3,
      workers: { count: 1 },
    });
    expect((await source.next()).map(({ pixels }) => pixels.length)).toEqual([192, 192]);
    expect(source.epoch()).toBeCloseTo(2 / COUNT);
    await source.close();
    await expect(source.next()).rejects.toThrow(/closed/);
  });
});
