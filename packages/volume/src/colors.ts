import { createRandom, shuffle } from '@voxface/landmarks';

/**
 * Colours laid around the saturated hue wheel in landmark order ("Sorted", Fig. 2e): landmark l has hue l / n.
 * @returns [n, 3] in 0..1, red green blue.
 */
export function sortedColors(count: number): Float32Array {
  const colors = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < 3; channel++) {
      const distance = Math.abs(((6 * i) / count + 6 - 2 * channel) % 6);
      const fromPeak = Math.min(distance, 6 - distance);
      colors[i * 3 + channel] = Math.min(1, Math.max(0, 2 - fromPeak));
    }
  }
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
