import { afterAll, describe, expect, it } from 'vitest';
import { fuzzReader } from './fuzz/fuzz-reader.ts';
import { createReaders } from './fuzz/readers.ts';

// pnpm fuzz: damaged inputs through every reader. VOXFACE_FUZZ_RUNS (1e5 in all) and VOXFACE_FUZZ_SEED (else the time) choose.

const runs = Number(process.env.VOXFACE_FUZZ_RUNS ?? 1e5);
const seed = Number(process.env.VOXFACE_FUZZ_SEED ?? Date.now() % 2 ** 31);
const { readers, dispose } = await createReaders();
const total = readers.reduce((sum, { weight }) => sum + weight, 0);
afterAll(dispose);

describe(`damaged inputs, seed ${seed}`, () => {
  it.each(readers.map((reader) => [reader.name, reader] as const))('%s', async (name, reader) => {
    const count = Math.ceil((runs * reader.weight) / total);
    const { accepted, refused, slowestMs, faults } = await fuzzReader(reader, count, seed);
    const memory = Math.round(process.resourceUsage().maxRSS / 1024);
    console.log(
      `${name}: ${count} inputs, ${refused} refused, ${accepted} accepted, slowest ${slowestMs.toFixed(0)} ms, peak memory so far ${memory} MB, seed ${seed}`,
    );
    expect(Object.fromEntries(faults)).toEqual({});
    expect(accepted + refused).toBe(count);
    expect(memory).toBeLessThan(1024);
  });
});
