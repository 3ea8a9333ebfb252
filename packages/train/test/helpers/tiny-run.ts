import type { CroppedSample } from '@voxface/datasets';
import { createRandom } from '@voxface/landmarks';
import {
  createFaceShapeModel,
  createVolumeDiscriminator,
  type FaceShapeModelOptions,
  volumeOptions,
} from '@voxface/models';
import { createVolumeEncoder, type VolumeEncoder } from '@voxface/volume';
import { listNetworks, type TrainedNetworks } from '../../src/networks.ts';

/** Even smaller than the `tiny` preset: the cpu backend runs a step in tens of milliseconds. */
export const MICRO: Partial<FaceShapeModelOptions> = {
  inputSize: 16,
  features: 4,
  depths: [1, 4],
  hourglassDepth: 1,
  regressorChannels: [3, 4],
  landmarks: 5,
};

/** Crops of noise with random landmarks: enough for arithmetic, no face needed. */
export function randomCrops<D extends 2 | 3>(
  count: number,
  dims: D,
  seed: number,
  size = 16,
  landmarks = 5,
): CroppedSample<D>[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, i) => ({
    id: `${dims}d-${i}`,
    size,
    mirrored: false,
    crop: [1, 0, 0, 1, 0, 0] as const,
    pixels: Uint8Array.from({ length: size * size * 3 }, () => random.integer(256)),
    landmarks: {
      dims,
      points: Float32Array.from({ length: landmarks * dims }, (_, k) =>
        k % dims === 2 ? random.uniform(-0.3, 0.3) : random.uniform(0.2, 0.8),
      ),
    },
  }));
}

/** The smallest networks that have everything, on the current backend. */
export function tinyNetworks(shared = true): { networks: TrainedNetworks; encoder: VolumeEncoder } {
  const model = createFaceShapeModel({ ...MICRO, seed: 3 });
  const networks = listNetworks(model, createVolumeDiscriminator(model, { shared }), shared);
  return { networks, encoder: createVolumeEncoder(model.options.landmarks, volumeOptions(model.options)) };
}
