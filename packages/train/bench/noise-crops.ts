import type { CroppedSample } from '@voxface/datasets';
import { createRandom } from '@voxface/landmarks';

/** Crops of noise with random landmarks, for timing. */
export function noiseCrops(count: number, size: number, landmarks: number): CroppedSample<3>[] {
  const random = createRandom(1);
  return Array.from({ length: count }, (_, i) => ({
    id: String(i),
    size,
    mirrored: false,
    crop: [1, 0, 0, 1, 0, 0] as const,
    pixels: Uint8Array.from({ length: size * size * 3 }, () => random.integer(256)),
    landmarks: {
      dims: 3 as const,
      points: Float32Array.from({ length: landmarks * 3 }, (_, k) =>
        k % 3 === 2 ? random.uniform(-0.3, 0.3) : random.uniform(0.1, 0.9),
      ),
    },
  }));
}
