import { afterAll, expect, it } from 'vitest';
import { fuzzReader } from './fuzz/fuzz-reader.ts';
import { createReaders } from './fuzz/readers.ts';

// A small sample of `pnpm fuzz` with a fixed seed.

const { readers, dispose } = await createReaders();
afterAll(dispose);

it.each(readers.map((reader) => [reader.name, reader] as const))(
  '%s refuses damaged inputs in words',
  async (_, reader) => {
    const { refused, faults } = await fuzzReader(reader, 10 * reader.weight, 20261127);
    expect(Object.fromEntries(faults)).toEqual({});
    expect(refused).toBeGreaterThan(0);
  },
);
