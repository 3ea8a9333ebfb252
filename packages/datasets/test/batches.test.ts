import { describe, expect, it } from 'vitest';
import {
  cacheDataset,
  concatDatasets,
  createBatches,
  type Dataset,
  filterDataset,
  mixSeed,
  pairBatches,
  repeatDataset,
  takeSamples,
} from '../src/index.ts';
import { syntheticDataset, syntheticSample } from './synthetic.ts';

function memoryDataset(name: string, count: number, first = 0): Dataset<2> & { loads: number[] } {
  const samples = Array.from({ length: count }, (_, i) => ({ ...syntheticSample(first + i), yaw: i * 10 }));
  const loads: number[] = [];
  return {
    ...syntheticDataset(name, samples),
    loads,
    load: async (i) => {
      loads.push(i);
      return samples[i];
    },
  };
}

describe('dataset views', () => {
  it('takes, filters, repeats and joins', async () => {
    const a = memoryDataset('a', 5);
    const b = memoryDataset('b', 3, 5);
    expect(takeSamples(a, [4, 1]).ids).toEqual(['s4', 's1']);
    expect((await takeSamples(a, [4, 1]).load(0)).id).toBe('s4');
    expect((await filterDataset(a, ({ yaw }) => yaw! > 15)).ids).toEqual(['s2', 's3', 's4']);
    expect(repeatDataset(b, 2.4).ids).toEqual(['s5', 's6', 's7', 's5@2', 's6@2', 's7@2', 's7@3']);
    expect(repeatDataset(a, 0.4).ids).toEqual(['s2', 's4']);
    const both = concatDatasets([a, b]);
    expect([both.name, both.length, both.ids[5]]).toEqual(['a+b', 8, 's5']);
    expect((await both.load(6)).id).toBe('s6');
    expect(concatDatasets([a, memoryDataset('c', 1)]).ids.slice(4)).toEqual(['a/s4', 'c/s0']);
  });

  it('refuses what is not there', async () => {
    const a = memoryDataset('a', 3);
    expect(() => takeSamples(a, [3])).toThrow(/index must be in 0..2 of a, got 3/);
    expect(() => takeSamples(a, [1, 1])).toThrow(/must be unique.*repeatDataset/);
    expect(() => repeatDataset(a, 0)).toThrow(/positive and finite, got 0/);
    expect(() => concatDatasets([])).toThrow(/at least one dataset/);
    expect(() => concatDatasets([a, a])).toThrow(/the same dataset twice/);
    expect(() => concatDatasets<2 | 3>([a, { ...a, dims: 3 } as unknown as Dataset<3>])).toThrow(
      /scheme and dimensions of a/,
    );
    await expect(concatDatasets([a, memoryDataset('b', 1)]).load(4)).rejects.toThrow(/index must be in 0..3/);
  });

  it('caches decoded pictures up to the budget', async () => {
    const a = memoryDataset('a', 4);
    const cached = cacheDataset(a, { bytes: 2.5 * 160 * 120 * 3 });
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 4; i++) expect((await cached.load(i)).id).toBe(`s${i}`);
    const pictures = a.loads.length;
    expect(pictures).toBe(4 + 2 + 2);
  });
});

describe('createBatches', () => {
  const inShards = (count: number, shards: number[]) => ({ ...memoryDataset('a', count), shards });

  it('reads shard by shard through a buffer: each sample once, none far ahead of its neighbours', async () => {
    const starts = [0, 30, 70, 70, 100];
    const dataset = inShards(120, starts);
    const source = createBatches({ dataset, size: 8, batchSize: 120, seed: 5, shuffle: { buffer: 8 } });
    const epochs = [await source.next(), await source.next()].map((crops) =>
      crops.map(({ id }) => Number(id.slice(1))),
    );
    for (const order of epochs) {
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i));
      // What was read up to a place and not yet handed out fits the buffer.
      const shardOf = (i: number): number => starts.findLastIndex((start) => start <= i);
      const shards = [...new Set(order.map(shardOf))];
      const reading = shards.flatMap((k) => order.filter((i) => shardOf(i) === k).sort((a, b) => a - b));
      const place = new Map(reading.map((sample, k) => [sample, k]));
      expect(order.every((sample, k) => place.get(sample)! <= k + 8)).toBe(true);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(() => createBatches({ dataset, size: 8, batchSize: 5, seed: 3, shuffle: { buffer: 0 } })).toThrow(
      /buffer of a shuffle must be a positive integer, got 0/,
    );
  });

  it('goes on from a saved position of such a shuffle with the samples that an uninterrupted one gives', async () => {
    const dataset = inShards(50, [0, 20, 40]);
    const options = { dataset, size: 8, batchSize: 7, seed: 5, shuffle: { buffer: 6 }, augmentation: {} };
    const source = createBatches(options);
    const all = [];
    for (let i = 0; i < 12; i++) all.push(await source.next());
    for (const cut of [1, 7, 8]) {
      const state = { ...source.state(), batches: cut };
      const resumed = createBatches(options, JSON.parse(JSON.stringify(state)));
      for (let i = cut; i < 12; i++) expect(await resumed.next()).toEqual(all[i]);
    }
  });

  it('knows the shards of views', () => {
    const a = inShards(10, [0, 4, 4, 8]);
    const b = memoryDataset('b', 3, 10);
    expect(concatDatasets([a, b]).shards).toEqual([0, 4, 8, 10]);
    expect(takeSamples(a, [1, 3, 5, 9]).shards).toEqual([0, 2, 3]);
    expect(repeatDataset(a, 1.5).shards).toEqual([0, 4, 8, 10, 12, 14]);
    expect(cacheDataset(a).shards).toEqual(a.shards);
    expect(takeSamples(b, [1]).shards).toBeUndefined();
  });

  it('visits every sample once per epoch, in another order each', async () => {
    const dataset = memoryDataset('a', 10);
    const source = createBatches({ dataset, size: 8, batchSize: 5, seed: 3 });
    const epochs: string[][] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      const ids = [...(await source.next()), ...(await source.next())].map(({ id }) => id);
      expect(new Set(ids).size).toBe(10);
      epochs.push(ids);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(source.epoch()).toBe(3);
    await source.close();
    const fixed = createBatches({ dataset, size: 8, batchSize: 3, seed: 3, shuffle: false });
    expect((await fixed.next()).map(({ id }) => id)).toEqual(['s0', 's1', 's2']);
    await fixed.close();
  });

  it('continues from a saved state with the very same samples', async () => {
    const options = { dataset: memoryDataset('a', 7), size: 8, batchSize: 3, seed: 5, augmentation: {} };
    const source = createBatches(options);
    for (let i = 0; i < 4; i++) await source.next();
    const state = JSON.parse(JSON.stringify(source.state()));
    const expected = [await source.next(), await source.next()];
    const resumed = createBatches(options, state);
    expect([await resumed.next(), await resumed.next()]).toEqual(expected);
    expect(() => createBatches({ ...options, seed: 6 }, state)).toThrow(
      /seed must be that of the saved state, 5, got 6/,
    );
    expect(() => createBatches({ ...options, batchSize: 2 }, state)).toThrow(/batchSize/);
  });

  it('hands out the parts of every batch to several processes, and loads nothing else', async () => {
    const options = { size: 8, batchSize: 4, seed: 5, augmentation: {}, prefetch: 0 };
    const whole = createBatches({ ...options, dataset: memoryDataset('a', 7) });
    const datasets = [0, 1].map(() => memoryDataset('a', 7));
    const parts = datasets.map((dataset, index) =>
      createBatches({ ...options, dataset, part: { index, count: 2 } }),
    );
    for (let i = 0; i < 3; i++) {
      const [first, second] = [await parts[0].next(), await parts[1].next()];
      expect([...first, ...second]).toEqual(await whole.next());
      expect(first).toHaveLength(2);
    }
    expect(datasets.map(({ loads }) => loads.length)).toEqual([6, 6]);
    expect(parts[1].state()).toEqual(whole.state());
  });

  it('depends on the seed and refuses nonsense', async () => {
    const dataset = memoryDataset('a', 7);
    const ids = async (seed: number): Promise<string[]> =>
      (await createBatches({ dataset, size: 8, batchSize: 7, seed }).next()).map(({ id }) => id);
    expect(await ids(1)).not.toEqual(await ids(2));
    expect(await ids(1)).toEqual(await ids(1));
    expect(() => createBatches({ dataset, size: 8, batchSize: 0, seed: 1 })).toThrow(
      /positive integer, got 0/,
    );
    const empty: Dataset<2> = { ...dataset, length: 0, ids: [] };
    expect(() => createBatches({ dataset: empty, size: 8, batchSize: 1, seed: 1 })).toThrow(/got none in a/);
    expect(new Set(Array.from({ length: 1000 }, (_, i) => mixSeed(1, i))).size).toBe(1000);
  });

  it('rejects with the sample error unless told where to report it', async () => {
    const whole = memoryDataset('a', 3);
    const dataset: Dataset<2> = {
      ...whole,
      load: (i) => (i === 1 ? Promise.reject(new Error('broken picture s1')) : whole.load(i)),
    };
    const options = { dataset, size: 8, batchSize: 3, seed: 1, prefetch: 0 };
    await expect(createBatches(options).next()).rejects.toThrow('broken picture s1');
    const problems: string[] = [];
    const source = createBatches({ ...options, onProblem: ({ id }) => problems.push(id) });
    expect((await source.next()).every(({ id }) => id !== 's1')).toBe(true);
    expect(problems).toEqual(['s1']);
  });
});

describe('pairBatches', () => {
  it('mixes kinds evenly and resumes', async () => {
    const source = (name: string, seed: number): ReturnType<typeof createBatches<2>> =>
      createBatches({ dataset: memoryDataset(name, 4), size: 8, batchSize: 1, seed });
    const kinds = async (ratio: number, count: number): Promise<string> => {
      const pairs = pairBatches(source('s', 1) as never, source('p', 2), ratio);
      let text = '';
      for (let i = 0; i < count; i++) text += (await pairs.next()).kind[0];
      await pairs.close();
      return text;
    };
    expect(await kinds(1, 6)).toBe('323232');
    expect(await kinds(0.5, 6)).toBe('332332');
    expect(await kinds(0, 3)).toBe('333');
    expect(await kinds(3, 8)).toBe('32223222');
    const plane = source('p', 2);
    const spatial = source('s', 1);
    const pairs = pairBatches(spatial as never, plane, 1);
    for (let i = 0; i < 3; i++) await pairs.next();
    const state = pairs.state();
    expect(() => pairBatches(source('s', 1) as never, source('p', 2), 1, state)).toThrow(
      /stand at batch 2 \(3D\) and 1/,
    );
    const next = (await pairs.next()).samples[0].id;
    const resumed = pairBatches(
      createBatches(
        { dataset: memoryDataset('s', 4), size: 8, batchSize: 1, seed: 1 },
        state.spatial,
      ) as never,
      createBatches({ dataset: memoryDataset('p', 4), size: 8, batchSize: 1, seed: 2 }, state.plane),
      1,
      state,
    );
    const again = await resumed.next();
    expect([again.kind, again.samples[0].id]).toEqual(['2d', next]);
    expect(() => pairBatches(spatial as never, plane, -1)).toThrow(/finite and >= 0, got -1/);
  });
});
