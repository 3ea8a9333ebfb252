import { join } from 'node:path';
import { annotationOf } from '@voxface/datasets';
import { openDataset, readImage } from '@voxface/datasets/node';
import type { Box } from '@voxface/landmarks';
import { createFaceApiDetector } from '@voxface/models/face-api';
import { loadModel } from '@voxface/models/node';
import { exportOnnx } from '@voxface/onnx/export';
import { createOnnxDetector, createOnnxPredictor } from '@voxface/onnx/node';
import type { FaceDetector } from '@voxface/predict';
import { localizePhotos } from '../photos/localize-photos.ts';
import { chooseBackend, findModelFolder, readDetectorFile } from '../photos/open-model.ts';
import type { BenchSection, BenchSettings } from './report.ts';
import { spreadOf } from './rounds.ts';

interface Photo {
  readonly file: string;
  readonly boxes: readonly Box[];
}

/** One way to process all photos. */
interface Way {
  readonly name: string;
  /** Share of the photos that it processes; slow ways get fewer. */
  readonly share: number;
  /** Returns the number of faces; `done` is called after every photo. */
  run(photos: readonly Photo[], boxed: boolean, done: () => void): Promise<number>;
}

interface Pass {
  readonly photosPerSecond: number;
  readonly cpuMs: number;
  readonly faces: number;
  /** Resident memory in MiB: after a quarter of the photos, the most after that, and after the last photo. */
  readonly memory: readonly [number, number, number];
}

/** Passes per way, interleaved. */
const PASSES = 2;

/** A folder of photos through all cores and through plain loops, with the detector and with boxes given. */
export async function benchPhotos(settings: BenchSettings): Promise<BenchSection[]> {
  if (settings.photos === undefined) {
    const notes = ['skipped: name a folder of annotated photos (--photos DIR)'];
    return [{ title: 'A folder of photos', notes }];
  }
  const photos = await listPhotos(settings.photos, settings.count);
  const ways = await openWays(settings);
  const sections: BenchSection[] = [];
  for (const boxed of [false, true]) {
    const passes = ways.map((): Pass[] => []);
    for (let pass = 0; pass < PASSES; pass++) {
      for (const [i, way] of ways.entries()) {
        const some = photos.slice(0, Math.ceil(photos.length * (boxed ? 1 : way.share)));
        if (!(boxed && way.share < 1)) passes[i].push(await measure(way, some, boxed));
      }
    }
    const title = `${photos.length} photos, model \`${settings.models[0]}\`, ${boxed ? 'boxes given' : 'with the detector ssd'}`;
    sections.push({ title, rows: table(ways, passes), notes: [] });
  }
  return sections;
}

async function listPhotos(root: string, count: number): Promise<Photo[]> {
  const dataset = await openDataset(root, { kind: '300w' });
  const photos: Photo[] = [];
  for (let i = 0; i < Math.min(count, dataset.length); i++) {
    const { box, provenance } = await annotationOf(dataset, i);
    photos.push({ file: join(root, provenance.files[0]), boxes: [box] });
  }
  return photos;
}

async function openWays(settings: BenchSettings): Promise<Way[]> {
  await chooseBackend('wasm');
  const loaded = await loadModel(findModelFolder(settings.models[0]));
  const model = await exportOnnx(loaded, { volume: false });
  loaded.dispose();
  const loop = async (
    photos: readonly Photo[],
    boxed: boolean,
    done: () => void,
    detector: FaceDetector,
  ): Promise<number> => {
    const predictor = await createOnnxPredictor(model, { threads: settings.threads });
    let faces = 0;
    for (const { file, boxes } of photos) {
      const image = await readImage(file, { orient: true });
      const found = boxed ? boxes.map((box) => ({ box })) : await detector.detect(image);
      for (const face of found) await predictor.predictBatch([{ image, ...face }]);
      faces += found.length;
      done();
    }
    predictor.dispose();
    detector.dispose();
    return faces;
  };
  const threaded = async (photos: readonly Photo[], boxed: boolean, done: () => void): Promise<number> => {
    const requests = photos.map(({ file, boxes }) => (boxed ? { file, boxes } : { file }));
    let faces = 0;
    for await (const result of localizePhotos(requests, {
      model,
      detector: boxed ? false : 'ssd',
      threads: settings.threads,
    })) {
      if (result.error !== undefined) throw new Error(result.error);
      faces += result.faces.length;
      done();
    }
    return faces;
  };
  const { threads } = settings;
  return [
    { name: `localizePhotos, ${threads} threads`, share: 1, run: threaded },
    {
      name: `plain loop, ONNX Runtime on ${threads} threads`,
      share: 1,
      run: async (photos, boxed, done) =>
        loop(photos, boxed, done, await createOnnxDetector(await readDetectorFile('ssd'), { threads })),
    },
    {
      name: 'plain loop, detector on wasm (a fifth of the photos)',
      share: 0.2,
      run: async (photos, boxed, done) => loop(photos, boxed, done, await createFaceApiDetector()),
    },
  ];
}

async function measure(way: Way, photos: readonly Photo[], boxed: boolean): Promise<Pass> {
  const resident: number[] = [];
  const busy = process.cpuUsage();
  const start = performance.now();
  const faces = await way.run(photos, boxed, () => resident.push(process.memoryUsage.rss() / 2 ** 20));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(busy);
  // By photos, not by time: threads take a while to start.
  const later = resident.slice(Math.floor(resident.length / 4));
  return {
    photosPerSecond: photos.length / seconds,
    cpuMs: (user + system) / 1000 / photos.length,
    faces,
    memory: [later[0], Math.max(...later), later[later.length - 1]],
  };
}

function table(ways: readonly Way[], passes: readonly (readonly Pass[])[]): string[][] {
  const median = (list: readonly Pass[], key: 'photosPerSecond' | 'cpuMs'): number =>
    spreadOf(list.map((pass) => pass[key])).median;
  const head = [
    'way',
    'photos/s (each pass)',
    'the first is faster by',
    'processor ms per photo',
    'faces',
    'rss MiB after a quarter of the photos, most after that, after the last',
  ];
  const first = median(passes[0], 'photosPerSecond');
  const rows = ways.map(({ name }, i) => {
    const own = passes[i];
    if (own.length === 0) return null;
    const speeds = own.map(({ photosPerSecond }) => photosPerSecond.toFixed(1)).join(', ');
    return [
      name,
      speeds,
      (first / median(own, 'photosPerSecond')).toFixed(2),
      median(own, 'cpuMs').toFixed(1),
      String(own[0].faces),
      own[own.length - 1].memory.map((size) => size.toFixed(0)).join(', '),
    ];
  });
  return [head, ...rows.filter((row) => row !== null)];
}
