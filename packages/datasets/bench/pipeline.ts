/**
 * Pipeline benchmark: photos decoded, augmented, cropped and encoded as semantic volumes, in samples per second,
 * and memory over three epochs; before that, milliseconds of processor per phase, one sample after the other in one
 * thread. From the repository's root:
 *
 *   node --conditions=voxface-source --import tsx packages/datasets/bench/pipeline.ts [threads] [cacheMiB] [256|128] [photos] [packed set]
 *
 * Decoding and cropping run in threads, encoding in the main thread, as in training. Where other programs use the
 * machine too, the processor time per sample says more than the rate: two cores have 20 ms per sample at 100 samples/s.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandom, type Landmarks } from '@voxface/landmarks';
import { createVolumeEncoder, type VolumeEncoder } from '../../volume/src/index.ts';
import { assembleCrop, cropImage } from '../src/crop-sample.ts';
import {
  concatDatasets,
  createBatches,
  createPlaneDataset,
  cropOf,
  type Dataset,
  drawAugmentation,
  takeSamples,
} from '../src/index.ts';
import { createCropWorkers, decodeImage, open300w, openPackedSet } from '../src/node.ts';

const [threads, cacheMiB, onlySize, photos] = process.argv.slice(2).map(Number);
const data = path.resolve(fileURLToPath(import.meta.url), '../../../../..', 'shared/data/300w');
const MIB = 2 ** 20;

const packed = process.argv[6];
const whole = packed
  ? createPlaneDataset((await openPackedSet(packed)) as Dataset<3>)
  : concatDatasets([
      await open300w(path.join(data, 'afw'), { name: 'afw' }),
      await open300w(path.join(data, 'helen/trainset'), { name: 'helen' }),
    ]);
const used = Math.min(photos || whole.length, whole.length);
const dataset: Dataset<2> = takeSamples(
  whole,
  Array.from({ length: used }, (_, i) => Math.floor((i * whole.length) / used)),
);

for (const { size, volume, goal } of [
  { size: 128, volume: 32, goal: 100 },
  { size: 256, volume: 64, goal: 40 },
]) {
  if (onlySize && onlySize !== size) continue;
  const encoder = createVolumeEncoder(dataset.scheme.count, {
    width: volume,
    height: volume,
    depths: [1, 2, 4, volume],
  });
  await measurePhases(size, encoder);
  const workers = createCropWorkers({ count: threads || 2, cacheBytes: (cacheMiB || 0) * MIB });
  const source = createBatches({ dataset, size, batchSize: 16, seed: 1, augmentation: {}, workers });
  await source.next();
  for (let epoch = 1; epoch <= 3; epoch++) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    let encoding = 0;
    let count = 0;
    while (source.epoch() < epoch) {
      for (const { landmarks } of await source.next()) {
        const begun = performance.now();
        encoder.encode(withDepth(landmarks));
        encoding += performance.now() - begun;
        count += 1;
      }
    }
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    console.log(
      `${size} px, epoch ${epoch}: ${(count / seconds).toFixed(0)} samples/s (goal ${goal}), ${((user + system) / 1000 / count).toFixed(1)} ms of processor each, encoding ${(encoding / count).toFixed(2)} ms; ` +
        `rss ${(rss / MIB).toFixed(0)} MiB, heap ${(heapUsed / MIB).toFixed(0)}, buffers ${(arrayBuffers / MIB).toFixed(0)}, cached ${workers.stats().cached}`,
    );
  }
  await source.close();
  await workers.close();
}

/** Processor time per phase over 100 photos, after 30 to warm up. */
async function measurePhases(size: number, encoder: VolumeEncoder): Promise<void> {
  const random = createRandom(1);
  const spent = { read: 0, decode: 0, crop: 0, encode: 0 };
  const clock = async <T>(phase: keyof typeof spent, work: () => T | Promise<T>): Promise<T> => {
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    spent[phase] += (user + system) / 1000;
    return result;
  };
  const count = Math.min(130, dataset.length);
  for (let i = 0; i < count; i++) {
    if (i === 30) for (const phase of Object.keys(spent)) spent[phase as keyof typeof spent] = 0;
    const sample = await clock('read', () => dataset.loadEncoded!(i));
    const image = await clock('decode', () => decodeImage(sample.encoded, sample.id));
    const options = { size, augmentation: drawAugmentation(random) };
    const crop = await clock('crop', () =>
      assembleCrop(sample, options, cropImage(image, cropOf(sample.box, options), options)),
    );
    await clock('encode', () => encoder.encode(withDepth(crop.landmarks)));
  }
  const figures = Object.entries(spent).map(([phase, ms]) => `${phase} ${(ms / (count - 30)).toFixed(2)}`);
  console.log(`${size} px, ms of processor per sample: ${figures.join(', ')}`);
}

/** A flat face in 3D, so that all slices of the volume are drawn. */
function withDepth({ points }: Landmarks): Landmarks<3> {
  const spatial = new Float32Array((points.length / 2) * 3);
  for (let i = 0; i < points.length / 2; i++) spatial.set(points.subarray(2 * i, 2 * i + 2), 3 * i);
  return { points: spatial, dims: 3 };
}
