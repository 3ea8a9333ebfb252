import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRecordDataset } from '../src/index.ts';
import { createCropWorkers, decodeImage, writePackedSet } from '../src/node.ts';
import { syntheticAnnotation, syntheticJpeg, syntheticSample } from './synthetic.ts';

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

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'voxface-crops-'));
  const samples = [0, 1, 2, 3, 4, 5].map(syntheticSample);
  await writePackedSet(path.join(folder, 'set'), {
    name: 'six',
    scheme: samples[0].scheme,
    dims: 2,
    length: samples.length,
    ids: samples.map(({ id }) => id),
    annotate: async (i) => samples[i],
    load: async (i) => samples[i],
  });
  folder = path.join(folder, 'set');
});
afterAll(() => rmSync(path.dirname(folder), { recursive: true }));

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

  it('closed while crops are under way settles all of them, and lets the process say so', () => {
    const source = new URL('../src/node.ts', import.meta.url).href;
    // A process that nothing else keeps alive: it would end in the middle of a wait, with 13 and no word.
    const program = `
      import { createCropWorkers, openPackedSet } from '${source}';
      const set = await openPackedSet(process.argv[1]);
      for (let round = 0; round < 12; round++) {
        const workers = createCropWorkers({ count: 2 });
        const crops = [0, 1, 2, 3, 4, 5].map((i) => workers.crop(set, i, { size: 16 }));
        if (round % 2) await Promise.race(crops);
        const settled = Promise.allSettled(crops);
        await workers.close();
        for (const { reason } of await settled) if (reason && !/closed/.test(reason.message)) throw reason;
      }
      console.log('all settled');`;
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--conditions=voxface-source', '--import', 'tsx', '--input-type=module', '-e', program, folder],
      { encoding: 'utf8', cwd: fileURLToPath(new URL('..', import.meta.url)) },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('all settled\n');
    expect(status).toBe(0);
  });
});
