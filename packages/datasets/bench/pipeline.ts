/**
 * Pipeline benchmark: photos decoded, augmented, cropped and encoded as semantic volumes, in samples per second,
 * and memory over three epochs. From the repository's root:
 *
 *   npx tsx --conditions=voxface-source packages/datasets/bench/pipeline.ts [threads] [cacheMiB] [256|128]
 *
 * Decoding and cropping run in threads, encoding in the main thread, as in training.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVolumeEncoder } from '../../volume/src/index.ts';
import { concatDatasets, createBatches } from '../src/index.ts';
import { createCropWorkers, open300w } from '../src/node.ts';

const [threads, cacheMiB, onlySize] = process.argv.slice(2).map(Number);
const data = path.resolve(fileURLToPath(import.meta.url), '../../../../..', 'shared/data/300w');
const MIB = 2 ** 20;

const dataset = concatDatasets([
  await open300w(path.join(data, 'afw'), { name: 'afw' }),
  await open300w(path.join(data, 'helen/trainset'), { name: 'helen' }),
]);

for (const { size, volume, goal } of [
  { size: 128, volume: 32, goal: 100 },
  { size: 256, volume: 64, goal: 40 },
]) {
  if (onlySize && onlySize !== size) continue;
  const workers = createCropWorkers({ count: threads || 2, cacheBytes: (cacheMiB || 0) * MIB });
  const source = createBatches({ dataset, size, batchSize: 16, seed: 1, augmentation: {}, workers });
  const encoder = createVolumeEncoder(dataset.scheme.count, {
    width: volume,
    height: volume,
    depths: [1, 2, 4, volume],
  });
  await source.next();
  for (let epoch = 1; epoch <= 3; epoch++) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    let encoding = 0;
    let count = 0;
    while (source.epoch() < epoch) {
      for (const { landmarks } of await source.next()) {
        const begun = performance.now();
        const spatial = new Float32Array(dataset.scheme.count * 3);
        for (let i = 0; i < dataset.scheme.count; i++) {
          spatial.set(landmarks.points.subarray(2 * i, 2 * i + 2), 3 * i);
        }
        encoder.encode({ points: spatial, dims: 3 });
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
