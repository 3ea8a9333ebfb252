import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { add, mul, tensor1d } from '@tensorflow/tfjs-core';
import * as backend from '@voxface/backend';
import * as datasets from '@voxface/datasets';
import * as datasetFiles from '@voxface/datasets/node';
import * as facefit from '@voxface/facefit';
import * as landmarks from '@voxface/landmarks';
import * as metrics from '@voxface/metrics';
import * as models from '@voxface/models';
import * as faceApi from '@voxface/models/face-api';
import * as jvcr from '@voxface/models/jvcr';
import * as modelFiles from '@voxface/models/node';
import * as onnxExport from '@voxface/onnx/export';
import * as onnxFiles from '@voxface/onnx/export/node';
import * as onnx from '@voxface/onnx/node';
import * as plots from '@voxface/plots';
import * as predict from '@voxface/predict';
import * as train from '@voxface/train';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AFLW_FACES, AFLW_TABLES, aflwDatabase, aflwImage } from '../../datasets/test/aflw-database.ts';
import {
  syntheticJpeg,
  syntheticLandmarks,
  syntheticPixels,
  syntheticSample,
} from '../../datasets/test/synthetic.ts';
import { writeFolder } from '../../datasets/test/synthetic-folder.ts';
import { writeMat } from '../../datasets/test/write-mat.ts';
import { archive as facefitArchive, openTinyFace } from '../../facefit/test/tiny-face.ts';
import { MICRO, randomCrops, tinyNetworks } from '../../train/test/helpers/tiny-run.ts';
import * as volume from '../../volume/src/index.ts';
import * as voxface from '../src/index.ts';
import { createFixtures } from './photos.ts';

// An option that is given as `undefined` is not given: `f({ size: undefined })` does what `f({})` does. For every public X_DEFAULTS.

const ENTRIES = {
  backend,
  datasets,
  'datasets/node': datasetFiles,
  facefit,
  landmarks,
  metrics,
  models,
  'models/face-api': faceApi,
  'models/jvcr': jvcr,
  'models/node': modelFiles,
  onnx,
  'onnx/export': onnxExport,
  'onnx/export/node': onnxFiles,
  plots,
  predict,
  train,
  volume,
  voxface,
};

/** Takes minutes, or takes no partial options. All go through one helper, which `pnpm house` sees to. */
const ELSEWHERE = ['PROFILED_SET_DEFAULTS', 'POSE_DISTRIBUTION_DEFAULTS'];

let fixtures: Awaited<ReturnType<typeof createFixtures>>;
let folder: string;
beforeAll(async () => {
  fixtures = await createFixtures();
  folder = mkdtempSync(join(tmpdir(), 'voxface-undefined-'));
});
afterAll(() => {
  rmSync(fixtures.root, { recursive: true });
  rmSync(folder, { recursive: true });
});

const three = (): landmarks.Landmarks<3> =>
  landmarks.createLandmarks(
    Array.from({ length: 204 }, (_, i) => (i % 3 === 2 ? (i % 7) - 3 : 20 + ((i * 13) % 60))),
    3,
  ) as landmarks.Landmarks<3>;
const two = syntheticLandmarks(1);
const dataset = (): datasets.Dataset<2> => {
  const samples = [1, 2, 3].map(syntheticSample);
  return {
    name: 'three',
    scheme: landmarks.IBUG_68,
    dims: 2,
    length: 3,
    ids: samples.map(({ id }) => id),
    annotate: async (i) => samples[i],
    load: async (i) => samples[i],
  };
};
const pictures = async (annotation: string, text: string | Uint8Array): Promise<string> =>
  writeFolder({ 'a.jpg': await syntheticJpeg(1, 160, 120), [annotation]: text });
const opened = async (set: Promise<datasets.Dataset>): Promise<unknown> => {
  const { name, ids, scheme, annotate } = await set;
  return { name, ids, scheme: scheme.name, first: (await annotate?.(0))?.landmarks };
};
const runner: predict.CropRunner = {
  inputSize: 16,
  landmarks: 68,
  scheme: 'ibug-68',
  run: async (crops) =>
    crops.flatMap((crop) => Array.from({ length: 204 }, (_, i) => (i % 3 === 2 ? 0 : crop[i] / 255))),
};
const face = { score: 0.9, box: { x: 20, y: 20, width: 80, height: 80 } };
const stillDetector = { detect: async () => [face], dispose: () => {} };
/** Charts number their clip paths throughout the process. */
const withoutIds = (svg: string): string => svg.replace(/(clip|gradient)_?\d+/g, '$1');
const LOG = [1, 2].map((step) => JSON.stringify({ type: 'step', step, losses: { volume: step } })).join('\n');
const sizeOf = (file: string): number => readFileSync(file).length;

const SIDES = { height: 3, width: 4, depth: 2, channels: 3 };
const CUBE = Float32Array.from({ length: 72 }, (_, i) => (i * 7) % 10);
/** 98 points, box, flags and picture. */
const WFLW = `${[...Array.from({ length: 196 }, (_, k) => 20 + ((k * 7) % 90)), 10, 10, 99, 99, 0, 0, 0, 0, 0, 0].join(' ')} a.jpg`;
const JVCR = [
  {
    img_paths: 'a.jpg',
    isValidation: 0,
    landmarks: Array.from({ length: 68 }, (_, i) => [two.points[2 * i], two.points[2 * i + 1], i % 3]),
  },
];
const COCO = {
  images: [{ id: 7, file_name: 'a.jpg' }],
  annotations: [
    {
      id: 1,
      image_id: 7,
      bbox: [5, 6, 80, 70],
      keypoints: [...two.points].flatMap((v, i) => (i % 2 ? [v, 2] : [v])),
    },
  ],
};
const KEYPOINTS = `image,${Array.from({ length: 68 }, (_, i) => `x${i},y${i}`)}\na.jpg,${[...two.points]}`;

// biome-ignore lint/suspicious/noExplicitAny: options of every function.
const CALLS: Record<string, (options: any) => unknown> = {
  PROGRAM_DEFAULTS: (o) => {
    const x = tensor1d([1, 2, 3]);
    const recording = backend.recordProgram([x], () => [mul(add(x, 1), 2)], o);
    return Object.entries(recording).map(([key, value]) => [key, Array.isArray(value) && value.length]);
  },
  AUGMENTATION_DEFAULTS: (o) => datasets.drawAugmentation(landmarks.createRandom(3), o),
  BATCH_DEFAULTS: async (o) => {
    const batches = datasets.createBatches({
      dataset: dataset(),
      batchSize: 2,
      seed: 1,
      size: 16,
      ...o,
    } as never);
    const ids = (await batches.next()).map(({ id }) => id);
    await batches.close?.();
    return ids;
  },
  CACHE_DEFAULTS: async (o) => (await datasets.cacheDataset(dataset(), o).load(0)).id,
  MAT_DEFAULTS: () =>
    datasets.parseMat(writeMat({ a: { shape: [1, 1], data: [1] } }), 'a.mat').variables.size,
  LABEL_FIT_DEFAULTS: async (o) => facefit.fitFace(await openTinyFace(), two, o).pose,
  REFINE_DEFAULTS: (o) => {
    const points = Float32Array.of(0, 0, 1, 30, 20, -1);
    return facefit.refineLandmarks({ points, dims: 3 }, { points: points.map((v) => v * 2), dims: 3 }, o)
      .points;
  },
  PROFILE_FACE_DEFAULTS: async (o) => {
    const model = await openTinyFace();
    const fit = facefit.fitFace(model, two);
    return facefit.profileFace(model, fit, syntheticPixels(1, 160, 120), { yaw: 30 }, o).image.width;
  },
  CROP_DEFAULTS: (o) => landmarks.cropAffine({ x: 1, y: 2, width: 30, height: 40 }, o),
  SMOOTHER_DEFAULTS: (o) => {
    const smoother = landmarks.createLandmarkSmoother(o);
    smoother.smooth(two, 0);
    return smoother.smooth(syntheticLandmarks(2), 0.04);
  },
  GTE_DEFAULTS: (o) => metrics.gte(three(), three(), o),
  BOOTSTRAP_DEFAULTS: (o) => metrics.pairedBootstrap([1, 2, 3, 4], [1, 3, 2, 5], o),
  FACE_SHAPE_MODEL_DEFAULTS: (o) => {
    const model = models.createFaceShapeModel({ ...o, ...MICRO });
    const { options } = model;
    model.dispose();
    return options;
  },
  CED_DEFAULTS: async (o) =>
    withoutIds(await plots.cedSvg([{ name: 'a', errors: [0.01, 0.02, 0.05] }] as never, o)),
  TRAINING_CURVES_DEFAULTS: async (o) =>
    withoutIds(await plots.trainingCurvesSvg(plots.parseTrainingLog(LOG), o)),
  CONTACT_SHEET_DEFAULTS: (o) =>
    plots.contactSheet(
      [{ svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>', label: 'a' }] as never,
      o,
    ),
  OVERLAY_DEFAULTS: (o) =>
    plots.overlaySvg({ href: 'a.jpg', width: 160, height: 120 } as never, [{ landmarks: two }] as never, o),
  VIEW_DEFAULTS: (o) => plots.view3dSvg(three(), o),
  VIEW3D_DEFAULTS: (o) => plots.view3dSvg(three(), o),
  BROWSER_DETECTOR_DEFAULTS: (o) => {
    const made: unknown[] = [];
    const scope = globalThis as { FaceDetector?: unknown };
    scope.FaceDetector = class {
      constructor(native: unknown) {
        made.push(native);
      }
    };
    predict.createBrowserDetector(o);
    delete scope.FaceDetector;
    return made;
  },
  DETECTOR_DEFAULTS: async (o) => {
    const detector = await onnx.createOnnxDetector(
      new URL('../../pretrained/dist/detector-tiny.onnx', import.meta.url).pathname,
      o,
    );
    const found = await detector.detect(syntheticPixels(1, 160, 120));
    detector.dispose();
    return found;
  },
  FACE_TRACKER_DEFAULTS: async (o) => {
    const tracker = predict.createFaceTracker(
      predict.createCropPredictor(runner) as never,
      stillDetector as never,
      o,
    );
    return tracker.track(syntheticPixels(1, 160, 120), 0);
  },
  LOCALIZE_IMAGES_DEFAULTS: async (o) => {
    const located: unknown[] = [];
    const read = async () => syntheticPixels(1, 160, 120);
    const settings = { ...o, read, predictor: predict.createCropPredictor(runner), detector: stillDetector };
    for await (const one of predict.localizeImages(['a', 'b', 'c'], settings as never)) located.push(one);
    return located;
  },
  PREDICTOR_DEFAULTS: (o) =>
    predict.createCropPredictor(runner, o).predict(syntheticPixels(1, 160, 120), face.box),
  REPLICA_DEFAULTS: async (o) => {
    const { networks, encoder } = tinyNetworks();
    const replica = train.createReplica(networks, encoder, o);
    replica.load([{ samples3d: randomCrops(2, 3, 1), samples2d: randomCrops(2, 2, 1) }]);
    return (await replica.compute('volume', 0)).losses;
  },
  BALANCE_DEFAULTS: (o) => train.nextBalance(0.2, 1, 0.5, o),
  SCHEDULE_DEFAULTS: (o) => train.learningRateAt(7, 20, o),
  KERNEL_DEFAULTS: (o) =>
    volume.encodeHeatmap(
      landmarks.createLandmarks([0.4, 0.5], 2),
      { width: 9, height: 8 },
      Float32Array.from([1, 1, 1]),
      o,
    ),
  CLOUD_DEFAULTS: (o) => volume.sampleCloud(CUBE, SIDES, o),
  VOLUME_CLOUD_DEFAULTS: (o) => plots.volumeCloudSvg(CUBE, SIDES, o),
  VIEW3D_PAGE_DEFAULTS: (o) => plots.view3dPage([{ landmarks: three() }] as never, o),
  FIT_FACE_DEFAULTS: async (o) => facefit.fitFace(await openTinyFace(), two, o).pose,
  VOLUME_DEFAULTS: (o) => {
    const encoder = volume.createVolumeEncoder(68, o);
    return { options: encoder.options, colors: encoder.colors };
  },
  LOCALIZE_PHOTOS_DEFAULTS: async (o) => {
    const found: unknown[] = [];
    const settings = { ...o, model: fixtures.model, boxes: [{ x: 12, y: 8, width: 30, height: 28 }] };
    for await (const photo of voxface.localizePhotos([fixtures.at('good.jpg')], settings)) found.push(photo);
    return found.length;
  },
  CROP_WORKERS_DEFAULTS: async (o) => {
    const workers = datasetFiles.createCropWorkers({ ...o, threads: 1 });
    const found = workers.stats();
    await workers.close();
    return found.threads;
  },
  INSPECT_DEFAULTS: async (o) => (await datasetFiles.inspectDataset(dataset(), o)).count,
  THREEDFAW_DEFAULTS: async (o) => {
    const rows = Array.from({ length: 66 }, (_, i) => [
      30 + 3 * (i % 17),
      20 + 12 * Math.floor(i / 17),
      i === 30 ? 50 : 0,
    ]);
    return opened(datasetFiles.open3dfaw(await pictures('a.txt', rows.join('\n')), o));
  },
  COCO_DEFAULTS: async (o) => {
    const root = await pictures('c.json', JSON.stringify(COCO));
    return opened(datasetFiles.openCoco(join(root, 'c.json'), root, o));
  },
  JVCR_JSON_DEFAULTS: async (o) => {
    const root = await pictures('j.json', JSON.stringify(JVCR));
    return opened(datasetFiles.openJvcrJson(join(root, 'j.json'), root, o));
  },
  WFLW_DEFAULTS: async (o) => {
    const root = await pictures('list_98pt_rect_attr_test.txt', WFLW);
    return opened(datasetFiles.openWflw(join(root, 'list_98pt_rect_attr_test.txt'), root, o));
  },
  KEYPOINT_CSV_DEFAULTS: async (o) => {
    const root = await pictures('k.csv', KEYPOINTS);
    return opened(datasetFiles.openKeypointCsv(join(root, 'k.csv'), root, o));
  },
  MERL_RAV_DEFAULTS: async (o) => {
    const pts = datasets.formatPts(two);
    const root = await writeFolder({ 'left/train/a.pts': pts, 'a.jpg': await syntheticJpeg(1, 160, 120) });
    return opened(datasetFiles.openMerlRav(root, root, o));
  },
  AFLW_DEFAULTS: async (o) => {
    const root = await pictures(
      'aflw.sqlite',
      await aflwDatabase(...AFLW_TABLES, aflwImage('a.jpg'), ...AFLW_FACES),
    );
    return opened(datasetFiles.openAflw(join(root, 'aflw.sqlite'), root, o));
  },
  NPZ_DEFAULTS: async (o) => {
    const root = await writeFolder({ 'a.npz': facefitArchive('flame') });
    return [...(await datasetFiles.readNpz(join(root, 'a.npz'), o)).keys()];
  },
  PTS_FOLDER_DEFAULTS: async (o) =>
    opened(datasetFiles.open300w(await pictures('a.pts', datasets.formatPts(two)), o)),
  FACE_PROFILES_DEFAULTS: async (o) => opened(datasetFiles.open300wLp(folder, o)).catch(String),
  PACKED_SET_WRITER_DEFAULTS: async (o) => {
    const target = mkdtempSync(join(folder, 'packed-'));
    await datasetFiles.writePackedSet(target, dataset(), o);
    const set = await datasetFiles.openPackedSet(target);
    return Promise.all(set.ids.map((_, i) => set.load(i)));
  },
  DECODE_IMAGE_DEFAULTS: (o) => datasetFiles.readImage(fixtures.at('good.jpg'), o),
  SAVE_MODEL_DEFAULTS: async (o) => {
    const model = models.createFaceShapeModel(MICRO);
    const target = mkdtempSync(join(folder, 'model-'));
    await modelFiles.saveModel(model, target, o);
    model.dispose();
    return sizeOf(join(target, 'estimator/weights.bin'));
  },
  NODE_SESSION_DEFAULTS: async (o) => CALLS.DETECTOR_DEFAULTS(o),
  EXPORT_NETWORK_DEFAULTS: async (o) => {
    const model = models.createFaceShapeModel(MICRO);
    const bytes = await onnxExport.exportNetwork(model.regressor, o);
    model.dispose();
    return bytes;
  },
  EXPORT_ONNX_DEFAULTS: async (o) => {
    const model = models.createFaceShapeModel({ ...MICRO });
    const bytes = await onnxExport.exportOnnx(model, o);
    model.dispose();
    return bytes;
  },
  SAVE_ONNX_DEFAULTS: async (o) => {
    const model = models.createFaceShapeModel({ ...MICRO });
    const { bytes } = await onnxFiles.saveOnnx(model, join(folder, 'm.onnx'), o);
    model.dispose();
    return bytes;
  },
  FACE_API_DETECTOR_DEFAULTS: async (o) => Object.keys(await faceApi.describeFaceApiNetwork(o)),
  JVCR_IMPORT_DEFAULTS: (o) => {
    const bytes = gunzipSync(
      readFileSync(new URL('../../models/test/golden/jvcr-zip.pth.tar.gz', import.meta.url)),
    );
    return jvcr.importJvcrCheckpoint(bytes, o).catch(String);
  },
};

const named = new Map<string, { entry: string; defaults: object }>();
for (const [entry, names] of Object.entries(ENTRIES)) {
  for (const [name, defaults] of Object.entries(names)) {
    if (name.endsWith('_DEFAULTS')) named.set(name, { entry, defaults: defaults as object });
  }
}

describe('an option given as undefined is not given', () => {
  test.each([...named])('%s', async (name, { defaults }) => {
    if (ELSEWHERE.includes(name)) return;
    expect(Object.keys(CALLS), `a row of ${name}`).toContain(name);
    const nothing = Object.fromEntries(Object.keys(defaults).map((key) => [key, undefined]));
    expect(await CALLS[name](nothing)).toEqual(await CALLS[name]({}));
  });
});
