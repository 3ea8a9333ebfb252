import { createRandom, shuffle } from '@voxface/landmarks';

/**
 * Colours laid around the saturated hue wheel in landmark order ("Sorted", Fig. 2e): landmark l has hue l / n.
 * @returns [n, 3] in 0..1, red green blue.
 */
export function sortedColors(count: number): Float32Array {
  const colors = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) colors.set(hueColor(i / count), i * 3);
  return colors;
}

/**
 * The sorted colours dealt to the landmarks in an order drawn from `seed` ("Random" of Table VII).
 * @returns [n, 3] in 0..1.
 */
export function randomColors(count: number, seed: number): Float32Array {
  const sorted = sortedColors(count);
  const order = shuffle(
    Array.from({ length: count }, (_, i) => i),
    createRandom(seed),
  );
  const colors = new Float32Array(count * 3);
  order.forEach((from, i) => {
    colors.set(sorted.subarray(from * 3, from * 3 + 3), i * 3);
  });
  return colors;
}

/**
 * One channel of ones: the compact volume of the grey case.
 * @returns [n, 1].
 */
export function compactColors(count: number): Float32Array {
  return new Float32Array(count).fill(1);
}

/**
 * One channel for each landmark (the encoding of coarse-to-fine volumetric prediction), for comparison.
 * @returns [n, n], the identity.
 */
export function perLandmarkColors(count: number): Float32Array {
  const colors = new Float32Array(count * count);
  for (let i = 0; i < count; i++) colors[i * count + i] = 1;
  return colors;
}

/** Red, green, blue in 0..1. */
export type Rgb = readonly [number, number, number];

/** Fully saturated colour of a hue in turns; 0 is red, 1/3 green, 2/3 blue. */
export function hueColor(hue: number): Rgb {
  const turn = (offset: number): number => {
    const k = (offset + hue * 6) % 6;
    return 1 - Math.max(0, Math.min(1, k, 4 - k));
  };
  return [turn(5), turn(3), turn(1)];
}

/** `from` at 0, `to` at 1. */
export function mixColors(from: Rgb, to: Rgb, share: number): Rgb {
  const mix = (i: 0 | 1 | 2): number => from[i] + (to[i] - from[i]) * share;
  return [mix(0), mix(1), mix(2)];
}
