import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { setupBackend } from '@voxface/backend';
import { createLandmarks, IBUG_68, type Landmarks } from '@voxface/landmarks';
import { parseTrainingLog } from '@voxface/plots';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { listZip } from '../../../backend/src/setup-node/read-zip.ts';
import { parseKeypointCsv } from '../../../datasets/src/keypoint-csv.ts';
import { openAflw } from '../../../datasets/src/node/open-aflw.ts';
import { openCoco } from '../../../datasets/src/node/open-coco.ts';
import { openJvcrJson } from '../../../datasets/src/node/open-jvcr-json.ts';
import { openMerlRav } from '../../../datasets/src/node/open-merl-rav.ts';
import { openWebDataset } from '../../../datasets/src/node/open-webdataset.ts';
import { openWflw } from '../../../datasets/src/node/open-wflw.ts';
import { decodeImage } from '../../../datasets/src/node/read-image.ts';
import { readNpy, readNpz } from '../../../datasets/src/node/read-npy.ts';
import { parsePackedSample, parsePackedSet } from '../../../datasets/src/packed-set.ts';
import { parseMat } from '../../../datasets/src/parse-mat.ts';
import { formatPts, parsePts } from '../../../datasets/src/parse-pts.ts';
import { AFLW_FACES, AFLW_TABLES, aflwDatabase, aflwImage } from '../../../datasets/test/aflw-database.ts';
import { writeMat } from '../../../datasets/test/write-mat.ts';
import { writeTar } from '../../../datasets/test/write-tar.ts';
import { parseObj } from '../../../facefit/src/open-face-model.ts';
import { createFaceShapeModel } from '../../../models/src/face-shape-model.ts';
import { readCheckpoint } from '../../../models/src/jvcr/read-checkpoint.ts';
import {
  decodeModelFile,
  encodeModelFile,
  parseManifest,
  parseModelJson,
} from '../../../models/src/weights/model-file.ts';
import { readDetectorHead } from '../../../onnx/src/metadata.ts';
import { crc32c, decodeCheckpoint } from '../../../train/src/checkpoint.ts';
import { parseTrainingConfig } from '../../../train/src/parse-config.ts';
import { MICRO } from '../../../train/test/helpers/tiny-run.ts';
import { byteInputs, jsonInputs, textInputs } from './damaged-inputs.ts';
import { must, type Reader } from './fuzz-reader.ts';
import { createOutsideReaders } from './outside-readers.ts';

/** All readers, and what removes their folder. */
export async function createReaders(): Promise<{ readers: Reader[]; dispose(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'voxface-fuzz-'));
  const inFile = (name: string, content: string | Uint8Array): string => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  const points = Array.from({ length: 136 }, (_, i) => 10 + (i % 17) * 5 + i / 10);
  const shape = createLandmarks(points, 2);
  const picture = { width: 24, height: 18, channels: 3 as const, background: '#a86' };
  const jpeg = await sharp({ create: picture }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const png = await sharp({ create: picture }).png().toBuffer();
  writeFileSync(join(folder, 'a.jpg'), jpeg);
  const read = (name: string): Buffer => readFileSync(new URL(`../../../${name}`, import.meta.url));
  const sample = {
    id: 'a',
    offset: 0,
    length: 10,
    width: 50,
    height: 50,
    landmarks: points,
    box: [1, 2, 30, 40],
  };
  const head = { name: 's', dims: 2 as const, scheme: IBUG_68 };
  const npy = (values: number[], count: string): Buffer => {
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}), }`.padEnd(117) + '\n';
    const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
    return Buffer.concat([start, Buffer.from(header), Buffer.from(Float32Array.from(values).buffer)]);
  };
  const sameCount = (arrays: Iterable<{ shape: readonly number[]; data: ArrayLike<number> }>): void => {
    for (const { shape: size, data } of arrays) {
      must(size.reduce((a, b) => a * b, 1) === data.length, `shape ${size} beside ${data.length} numbers`);
    }
  };
  const dataset = async (opened: Promise<{ length: number; annotate?: unknown }>): Promise<void> => {
    const set = (await opened) as { length: number; annotate?(i: number): Promise<{ landmarks: Landmarks }> };
    for (let i = 0; i < set.length; i++) {
      const found = await set.annotate?.(i);
      if (found) must(shapeIsFine(found.landmarks), 'landmarks that are not finite');
    }
  };
  const checkpointHeader = {
    config: {},
    versions: {},
    backend: 'cpu',
    step: 3,
    mu: 0.1,
    networks: { estimator: { signature: 's', adamStep: 3 } },
    arrays: ['parameters', 'statistics', 'first', 'second'].map((n) => ({
      name: `estimator/${n}`,
      length: 2,
    })),
  };
  /** With a checksum that fits, so that what lies behind it is reached. */
  const checkpointOf = (text: string): Uint8Array => {
    const header = Buffer.from(text);
    const bytes = Buffer.concat([Buffer.alloc(16), header, Buffer.from(new Float32Array(8).buffer)]);
    bytes.writeUInt32LE(0x31435856, 0);
    bytes.writeUInt32LE(1, 4);
    bytes.writeUInt32LE(header.length, 8);
    bytes.writeUInt32LE(crc32c(bytes.subarray(16)), 12);
    return new Uint8Array(bytes);
  };
  const manifest = JSON.parse(read('pretrained/models/small/voxface.json').toString('utf8'));
  const modelJson = {
    weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'a', shape: [2, 3], dtype: 'float32' }] }],
  };
  const config = {
    name: 'x',
    output: '/nowhere',
    model: 'tiny',
    batchSize: 2,
    stages: [{ kind: 'pretrain', steps: 3 }],
    data: {
      train3d: [{ format: 'packed', root: 'c' }],
      train2d: [{ format: 'packed', root: 'a' }],
      validation: [{ format: 'packed', root: 'b' }],
    },
  };
  const row = (i: number): string => [`p${i}.jpg`, ...points.slice(0, 10)].join(',');
  const columns = ['image', ...Array.from({ length: 5 }, (_, i) => `x${i},y${i}`)].join(',');
  const wflw = `${[...points, ...points.slice(0, 60), 5, 5, 90, 90, 0, 0, 0, 0, 0, 0].join(' ')} a.jpg\n`;
  const jvcr = [
    {
      img_paths: 'a.jpg',
      isValidation: 0,
      landmarks: Array.from({ length: 68 }, (_, i) => [points[2 * i], points[2 * i + 1], i]),
    },
  ];
  const coco = {
    images: [{ id: 7, file_name: 'a.jpg' }],
    annotations: [
      {
        id: 1,
        image_id: 7,
        bbox: [5, 6, 80, 70],
        keypoints: points.flatMap((v, i) => (i % 2 ? [v, 2] : [v])),
      },
    ],
  };
  const obj =
    Array.from({ length: 9 }, (_, i) => `v ${i} ${i * 2} ${i % 3}`).join('\n') +
    '\nvt 0 1\nf 1/1 2/1 3/1 4/1\n';
  const log = [1, 2, 3]
    .map((step) => JSON.stringify({ type: 'step', step, losses: { volume: 1 / step } }))
    .join('\n');
  await setupBackend('cpu');
  const model = createFaceShapeModel(MICRO);
  const modelFile = await encodeModelFile(model);
  model.dispose();
  const aflw = await aflwDatabase(...AFLW_TABLES, aflwImage('a.jpg'), ...AFLW_FACES);
  const merl = join(folder, 'merl');
  mkdirSync(join(merl, 'left/train'), { recursive: true });
  writeFileSync(join(merl, 'a.jpg'), jpeg);
  const signed = formatPts(
    createLandmarks(
      points.map((v, i) => (i % 14 < 2 ? -1 : i % 10 < 2 ? -v : v)),
      2,
    ),
  );
  const torch = (format: string): Uint8Array =>
    gunzipSync(read(`models/test/golden/jvcr-${format}.pth.tar.gz`));
  const tarPicture = ['a.jpg', jpeg] as const;
  const tarSample = {
    keypoints: pairsOf(points),
    box: [1, 2, 80, 80],
    yaw: 3,
    visible: points.slice(68).map(() => 1),
    smile: true,
  };
  const tar = writeTar([
    tarPicture,
    ['a.json', Buffer.from(JSON.stringify(tarSample))],
    ['b.jpg', jpeg],
    ['b.npy', npy(points, '68, 2')],
  ]);
  const heads = Array.from({ length: tar.length / 512 }, (_, i) => 512 * i).filter(
    (at) => tar.toString('latin1', at + 257, at + 262) === 'ustar',
  );
  /** Checksums that fit, so that what lies behind them is reached. */
  const sumHeaders = (bytes: Uint8Array): Uint8Array => {
    for (const at of heads) {
      const block = bytes.subarray(at, at + 512);
      if (block.length < 512) continue;
      block.fill(32, 148, 156);
      const sum = block.reduce((total, byte) => total + byte, 0);
      block.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0`), 148);
    }
    return bytes;
  };
  const readers: (Omit<Reader, 'read'> & { read(input: string & Uint8Array): unknown })[] = [
    {
      name: 'pts',
      weight: 12,
      inputs: textInputs(formatPts(shape)),
      read: (text) => must(shapeIsFine(parsePts(text)), 'points'),
    },
    {
      name: 'keypoint csv',
      weight: 8,
      inputs: textInputs([columns, row(1), row(2)].join('\n')),
      read: (text) => parseKeypointCsv(text, 5),
    },
    {
      name: 'set.json',
      weight: 8,
      inputs: jsonInputs({ ...head, version: 1, count: 1, samples: [sample] }),
      read: (text) => parsePackedSet(text, 'set.json'),
    },
    {
      name: 'samples.jsonl',
      weight: 8,
      inputs: jsonInputs(sample),
      read: (text) => {
        const { landmarks, offset, length } = parsePackedSample(text, head, 'line');
        must(landmarks.length === 136 && areFinite(landmarks), 'landmarks');
        must(Number.isSafeInteger(offset) && Number.isSafeInteger(length), 'offset or length');
      },
    },
    {
      name: 'voxface.json',
      weight: 6,
      inputs: jsonInputs(manifest),
      read: (text) => parseManifest(text, 'voxface.json'),
    },
    {
      name: 'model.json',
      weight: 6,
      inputs: jsonInputs(modelJson),
      read: (text) => parseModelJson(text, 'model.json'),
    },
    {
      name: 'training configuration',
      weight: 6,
      inputs: jsonInputs(config),
      read: (text) => parseTrainingConfig(JSON.parse(text)),
    },
    { name: 'training log', weight: 5, inputs: textInputs(log), read: (text) => parseTrainingLog(text) },
    { name: 'obj', weight: 5, inputs: textInputs(obj), read: (text) => parseObj(text, 'a.obj') },
    {
      name: 'mat',
      weight: 8,
      inputs: byteInputs(writeMat({ a: { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] } })),
      read: (bytes) => sameCount(parseMat(bytes, 'a.mat').variables.values() as never),
    },
    {
      name: 'npy',
      weight: 6,
      inputs: byteInputs(npy([1, 2, 3, 4, 5, 6], '2, 3')),
      read: async (bytes) => sameCount([await readNpy(inFile('a.npy', bytes))]),
    },
    {
      name: 'npz',
      weight: 4,
      inputs: byteInputs(zipSync({ 'a.npy': npy([1, 2, 3, 4, 5, 6], '2, 3') })),
      read: async (bytes) => sameCount((await readNpz(inFile('a.npz', bytes))).values()),
    },
    {
      name: 'zip',
      weight: 4,
      inputs: byteInputs(zipSync({ 'a/b.txt': Buffer.from('hello'), 'c.h': Buffer.alloc(99) })),
      read: (bytes) => listZip(inFile('a.zip', bytes)),
    },
    ...(['zip', 'legacy'] as const).map((form) => ({
      name: `PyTorch ${form}`,
      weight: 3,
      inputs: byteInputs(torch(form), 9000),
      read: (bytes: Uint8Array) => readCheckpoint(bytes),
    })),
    {
      name: 'checkpoint',
      weight: 6,
      inputs: jsonInputs(checkpointHeader).map(checkpointOf),
      read: (bytes) => {
        const { state } = decodeCheckpoint(bytes, 'a.ckpt');
        for (const { parameters, adam } of Object.values(state.networks)) {
          must(
            parameters.length === adam.first.length && parameters.length === adam.second.length,
            'lengths',
          );
        }
      },
    },
    {
      name: 'onnx metadata',
      weight: 2,
      inputs: byteInputs(read('pretrained/dist/detector-tiny.onnx'), 600),
      read: (bytes) => readDetectorHead(bytes),
    },
    {
      name: 'jpeg and EXIF',
      weight: 2,
      inputs: byteInputs(jpeg),
      read: async (bytes) => must((await decodeImage(bytes, 'a.jpg')).data.length > 0, 'no pixels'),
    },
    {
      name: 'png',
      weight: 2,
      inputs: byteInputs(png),
      read: async (bytes) => must((await decodeImage(bytes, 'a.png')).data.length > 0, 'no pixels'),
    },
    {
      name: 'coco',
      weight: 4,
      inputs: jsonInputs(coco),
      read: (text) => dataset(openCoco(inFile('c.json', text), folder)),
    },
    {
      name: 'jvcr',
      weight: 3,
      inputs: jsonInputs(jvcr),
      read: (text) => dataset(openJvcrJson(inFile('j.json', text), folder)),
    },
    {
      name: 'wflw',
      weight: 3,
      inputs: textInputs(wflw),
      read: (text) => dataset(openWflw(inFile('list_98pt_test.txt', text), folder)),
    },
    {
      name: 'merl-rav .pts',
      weight: 3,
      inputs: textInputs(signed),
      read: (text) => {
        writeFileSync(join(merl, 'left/train/a.pts'), text);
        return dataset(openMerlRav(merl));
      },
    },
    {
      name: 'aflw.sqlite',
      weight: 2,
      inputs: byteInputs(aflw),
      read: (bytes) => dataset(openAflw(inFile('aflw.sqlite', bytes), folder)),
    },
    {
      name: '.voxface',
      weight: 3,
      inputs: byteInputs(modelFile, 4000),
      read: (bytes) => decodeModelFile(bytes).dispose(),
    },
    {
      name: 'webdataset tar',
      weight: 4,
      inputs: byteInputs(tar, 4200).map(sumHeaders),
      read: (bytes) => dataset(openWebDataset(inFile('w.tar', bytes))),
    },
    {
      name: 'webdataset json',
      weight: 4,
      inputs: jsonInputs(tarSample),
      read: (text) =>
        dataset(openWebDataset(inFile('w.tar', writeTar([tarPicture, ['a.json', Buffer.from(text)]])))),
    },
    ...(await createOutsideReaders(folder, { points, columns, sample, head, coco, jvcr, tarSample, jpeg })),
  ];
  return { readers: readers as Reader[], dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

const pairsOf = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]]);

const areFinite = (values: ArrayLike<number>): boolean => Array.from(values).every(Number.isFinite);
const shapeIsFine = ({ points, dims }: Landmarks): boolean =>
  areFinite(points) && points.length > 0 && points.length % dims === 0;
