import { readGolden } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import { createRandom, type RandomState, shuffle } from '../src/index.ts';

interface Golden {
  xoshiro: { state: RandomState; outputs: number[] }[];
  seeded: { seed: number; state: RandomState; outputs: number[] }[];
}

const { xoshiro, seeded } = readGolden<Golden>(import.meta.url, 'landmarks');
const bits = (random: { next(): number }, count: number): number[] =>
  Array.from({ length: count }, () => random.next() * 2 ** 32);

describe('createRandom', () => {
  it('repeats the published vector of xoshiro128** 1.1', () => {
    // rand_xoshiro 0.6, made with the authors' C program.
    expect(bits(createRandom([1, 2, 3, 4]), 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('equals the generator in unbounded integers', () => {
    for (const { state, outputs } of xoshiro)
      expect(bits(createRandom(state), outputs.length)).toEqual(outputs);
    for (const { seed, state, outputs } of seeded) {
      expect(createRandom(seed).state()).toEqual(state);
      expect(bits(createRandom(seed), outputs.length)).toEqual(outputs);
    }
  });

  it('continues from a saved state that went through JSON', () => {
    const random = createRandom(5);
    bits(random, 7);
    const saved = JSON.parse(JSON.stringify(random.state()));
    expect(bits(createRandom(saved), 20)).toEqual(bits(random, 20));
  });

  it('forks a generator that differs from its own later draws', () => {
    const random = createRandom(5);
    const fork = random.fork();
    expect(bits(fork, 4)).not.toEqual(bits(random, 4));
  });

  it('draws uniform, integer and normal numbers with the right moments', () => {
    const random = createRandom(11);
    const n = 20000;
    const uniform = Array.from({ length: n }, () => random.uniform(-2, 6));
    const normal = Array.from({ length: n }, () => random.normal());
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...uniform)).toBeLessThan(6);
    expect(mean(uniform)).toBeCloseTo(2, 1);
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((value) => value ** 2))).toBeCloseTo(1, 1);
    const counts = [0, 0, 0];
    for (let i = 0; i < n; i++) counts[random.integer(3)]++;
    for (const count of counts) expect(Math.abs(count - n / 3)).toBeLessThan(300);
  });
});

describe('shuffle', () => {
  it('permutes in place, the same way for the same seed, every order about as often', () => {
    const items = [0, 1, 2, 3, 4, 5];
    expect(shuffle(items, createRandom(1))).toBe(items);
    expect([...items].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(shuffle([0, 1, 2, 3, 4, 5], createRandom(1))).toEqual(items);
    const random = createRandom(2);
    const seen = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffle(['a', 'b', 'c'], random).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});
