/** The generator's whole state: four unsigned 32-bit words, safe to keep in JSON. */
export type RandomState = readonly [number, number, number, number];

/** A seeded generator of uniform numbers whose state can be saved and restored. */
export interface Random {
  /** Uniform in [0, 1) with 32 random bits. */
  next(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Integer in 0..count-1. */
  integer(count: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** A new generator, independent of this one's later draws. */
  fork(): Random;
  /** A copy of the state; `createRandom(state)` continues from it. */
  state(): RandomState;
}

/**
 * xoshiro128** 1.1 of Blackman and Vigna, seeded through splitmix32.
 * @param seed an integer, or a saved state.
 * @example
 * ```js
 * import { createRandom } from '@voxface/landmarks';
 *
 * const random = createRandom(7);
 * const state = random.state();
 * console.log(random.next() === createRandom(state).next()); // => true
 * ```
 */
export function createRandom(seed: number | RandomState): Random {
  if (typeof seed === 'number' ? !Number.isFinite(seed) : seed?.length !== 4) {
    throw new TypeError(`createRandom: expected a number or a saved state of four, got ${seed}`);
  }
  const s = typeof seed === 'number' ? expandSeed(seed) : Uint32Array.from(seed);
  const bits = (): number => {
    const x = Math.imul(s[1], 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  };
  const next = (): number => bits() / 4294967296;
  return {
    next,
    uniform: (low, high) => low + (high - low) * next(),
    integer: (count) => Math.floor(next() * count),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    fork: () => createRandom(bits()),
    state: () => [s[0], s[1], s[2], s[3]],
  };
}

/** Fisher-Yates shuffle in place. */
export function shuffle<T>(items: T[], random: Random): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

function expandSeed(seed: number): Uint32Array {
  const words = new Uint32Array(4);
  let state = seed >>> 0;
  for (let i = 0; i < 4; i++) {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    words[i] = z ^ (z >>> 15);
  }
  return words;
}
