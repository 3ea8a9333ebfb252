import type { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { createRecordDataset } from '../src/index.ts';
import { createCropWorkers, decodeImage } from '../src/node.ts';
import { syntheticAnnotation, syntheticJpeg } from './synthetic.ts';

const threads: Worker[] = vi.hoisted(() => []);
vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class Watched extends actual.Worker {
    constructor(...args: ConstructorParameters<typeof actual.Worker>) {
      super(...args);
      threads.push(this);
    }
  }
  return { ...actual, Worker: Watched };
});

describe('createCropWorkers', () => {
  it('fails the jobs of a thread that ends, replaces it and goes on', async () => {
    const jpeg = await syntheticJpeg(1, 160, 120);
    const dataset = createRecordDataset({
      name: 'synthetic',
      scheme: syntheticAnnotation(0).scheme,
      dims: 2,
      ids: ['s0', 's1'],
      annotate: (i) => syntheticAnnotation(i),
      readImage: async () => jpeg.slice(),
      decode: decodeImage,
    });
    const workers = createCropWorkers({ count: 1 });
    expect((await workers.crop(dataset, 0, { size: 32 })).id).toBe('s0');
    // As a crash of native code looks from outside.
    const lost = workers.crop(dataset, 1, { size: 32 });
    const outcome = expect(lost).rejects.toThrow(/crop: a thread ended with code 1/);
    await vi.waitFor(() => expect(workers.stats().busy).toBe(1));
    await threads[0].terminate();
    await outcome;
    expect(threads).toHaveLength(2);
    expect((await workers.crop(dataset, 1, { size: 32 })).id).toBe('s1');
    await workers.close();
    expect(threads).toHaveLength(2);
  });
});
