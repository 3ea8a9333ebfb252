import { boxOf, createRandom, IBUG_68, type Landmarks, type Pixels } from '@voxface/landmarks';
import sharp from 'sharp';
import type { Annotation, Dataset, Sample } from '../src/index.ts';

/** 68 points spread over a picture of 160 x 120, no two nearer than 9 pixels; another jitter for every seed. */
export function syntheticLandmarks(seed: number): Landmarks<2> {
  const random = createRandom(seed + 100);
  const points = new Float32Array(136);
  for (let i = 0; i < 68; i++) {
    points[2 * i] = 14 + 12 * (i % 11) + random.uniform(-1, 1);
    points[2 * i + 1] = 14 + 13 * Math.floor(i / 11) + random.uniform(-1, 1);
  }
  return { points, dims: 2 };
}

export function syntheticAnnotation(seed: number): Annotation<2> {
  const landmarks = syntheticLandmarks(seed);
  return {
    id: `s${seed}`,
    landmarks,
    scheme: IBUG_68,
    box: boxOf(landmarks),
    provenance: { dataset: 'synthetic', files: [], conversions: [] },
  };
}

/** Smooth colours. */
export function syntheticPixels(seed: number, width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data[3 * i] = 128 + 90 * Math.sin(x / 17 + seed);
    data[3 * i + 1] = 128 + 90 * Math.cos(y / 13 + seed);
    data[3 * i + 2] = 128 + 90 * Math.sin((x + y) / 23);
  }
  return { data, width, height, channels: 3 };
}

export async function syntheticJpeg(seed: number, width: number, height: number): Promise<Uint8Array> {
  const { data } = syntheticPixels(seed, width, height);
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toBuffer(),
  );
}

export function syntheticSample(seed: number): Sample<2> {
  return { ...syntheticAnnotation(seed), image: syntheticPixels(seed, 160, 120) };
}

/** A dataset of samples in memory. */
export function syntheticDataset(name: string, samples: readonly Sample<2>[]): Dataset<2> {
  return {
    name,
    scheme: samples[0].scheme,
    dims: 2,
    length: samples.length,
    ids: samples.map(({ id }) => id),
    load: async (i) => samples[i],
  };
}
