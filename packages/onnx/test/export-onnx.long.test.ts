import '@tensorflow/tfjs-backend-cpu';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { createRandom, MEAN_FACE_68 } from '@voxface/landmarks';
import { createFaceShapeModel, createPredictor, type FaceShapeModel, PRESETS } from '@voxface/models';
import type { ConfidenceCalibration } from '@voxface/predict';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from '../src/export.ts';
import { checkOnnx, saveOnnx } from '../src/export-node.ts';
import { readMetadata, readModelInfo } from '../src/index.ts';
import { createOnnxPredictor } from '../src/node.ts';
import { operatorsOf, randomizeWeights } from './run-both.ts';

const random = createRandom(5);
const crop = (size: number): Uint8Array =>
  Uint8Array.from({ length: size * size * 3 }, () => random.integer(256));

let tiny: FaceShapeModel;
beforeAll(() => {
  tiny = createFaceShapeModel('tiny');
  randomizeStatistics(tiny);
});
afterAll(() => tiny.dispose());

/** Normalisations that do something; kernels keep their initial scale so that coordinates stay near 1. */
function randomizeStatistics(model: FaceShapeModel): void {
  for (const network of [model.estimator, model.regressor]) {
    for (const layer of network.layers) {
      if (layer.getClassName() === 'BatchNormalization') {
        randomizeWeights({ layers: [layer] } as never, layer.name.length);
      }
    }
  }
}

describe('exportOnnx', () => {
  it.each([
    ['tiny', {}],
    ['one stage, last volume only, no image', { depths: [8], regressorInput: 'last', regressorImage: false }],
    ['three stages', { depths: [1, 2, 8] }],
    ['four stages', { depths: [1, 2, 4, 8] }],
    ['compact volumes, stages of one depth', { depths: [8, 8], volume: { colors: 'compact' } }],
  ] as const)('agrees with TensorFlow.js to 1e-4: %s', async (_, changes) => {
    const model = createFaceShapeModel({ ...PRESETS.tiny, ...changes } as never);
    randomizeStatistics(model);
    const check = await checkOnnx(await exportOnnx(model), model);
    expect(check.landmarks).toBeLessThan(1e-4);
    expect(check.volume).toBeLessThan(1e-4);
    model.dispose();
  });

  it('convolves repeated slices once where they are most of the input', async () => {
    const namesOf = async (changes: object): Promise<string> => {
      const model = createFaceShapeModel({ ...PRESETS.tiny, ...changes } as never);
      const file = await exportOnnx(model);
      model.dispose();
      return Buffer.from(file).toString('latin1');
    };
    expect(await namesOf({ depths: [1, 2, 4, 8] })).toContain('encoder_conv1_varying');
    expect(await namesOf({ depths: [8, 8] })).not.toContain('encoder_conv1_varying');
  });

  it('feeds features and volume back in one convolution', async () => {
    const text = Buffer.from(await exportOnnx(tiny)).toString('latin1');
    expect(text).toContain('stack1_feedback_stack1_head_feedback_kernel');
    expect(text).not.toContain('stack1_sum_part1');
  });

  it('stays close in half precision: 0.2 px of a 256-px crop', async () => {
    const { landmarks } = await checkOnnx(await exportOnnx(tiny, { precision: 'float16' }), tiny);
    expect(landmarks).toBeGreaterThan(0);
    expect(landmarks * 256).toBeLessThan(0.2);
  });

  it('moves no data between its ends but to lay stretched volumes side by side', async () => {
    const operators = operatorsOf(await exportOnnx(tiny, { volume: false }));
    expect(operators.filter((type) => type === 'Transpose')).toHaveLength(1);
    expect(operators.filter((type) => type === 'Mul')).toHaveLength(0);
  });

  it('says what it is: metadata, names, dynamic batch', async () => {
    const card = { data: 'none', note: 'ünïcode' };
    const file = await exportOnnx(tiny, { card });
    const info = readModelInfo(file);
    expect(info).toMatchObject({
      inputSize: 32,
      landmarks: 68,
      scheme: 'ibug-68',
      cropScale: 1.25,
      volume: [8, 8, 8, 3],
      card,
    });
    expect(info.options).toEqual(tiny.options);
    expect(readMetadata(file)['voxface.axes']).toContain('positive away from the camera');
    const session = await ort.InferenceSession.create(file);
    expect(session.inputMetadata[0]).toMatchObject({ name: 'image', shape: ['batch', 32, 32, 3] });
    expect(session.outputMetadata.map((o) => [o.name, 'shape' in o && o.shape])).toEqual([
      ['landmarks', ['batch', 68, 3]],
      ['volume', ['batch', 8, 8, 8, 3]],
    ]);
    await session.release();
    expect(readModelInfo(await exportOnnx(tiny, { volume: false })).volume).toBeNull();
  });

  it('carries the confidence calibration, and the predictor tells what createPredictor tells', async () => {
    const models = (features: number) =>
      Array.from({ length: 68 }, (_, i) => ({
        bias: i / 100,
        weights: new Array<number>(features).fill(0.01),
      }));
    const confidence: ConfidenceCalibration = {
      version: 1,
      colors: Array.from({ length: 68 * 3 }, (_, i) => 0.1 + (i % 3)),
      shape: Array.from(MEAN_FACE_68.points),
      face: { bias: 0.3, weights: new Array<number>(20).fill(0.01) },
      accurate: models(5),
      visible: models(5),
    };
    const judged: FaceShapeModel = { ...tiny, confidence };
    const file = await exportOnnx(judged);
    expect(readModelInfo(file).confidence).toEqual(confidence);
    expect(readModelInfo(await exportOnnx(tiny)).confidence).toBeNull();
    const image = { data: new Uint8Array(40 * 44 * 3).fill(90), width: 40, height: 44, channels: 3 } as const;
    const box = { x: 5, y: 6, width: 24, height: 27 };
    const options = { upright: false, quarterTurns: false } as const;
    const [ours, theirs] = [await createOnnxPredictor(file, options), createPredictor(judged, options)];
    const [a, b] = [await ours.predict(image, box), await theirs.predict(image, box)];
    expect(a.confidence).toBeCloseTo(b.confidence!, 4);
    expect(a.confidence).toBeGreaterThan(0);
    a.visibility!.forEach((value, i) => {
      expect(value).toBeCloseTo(b.visibility![i], 4);
    });
    const plain = await createOnnxPredictor(file, { ...options, confidence: false });
    expect((await plain.predict(image, box)).confidence).toBeUndefined();
    for (const predictor of [ours, theirs, plain]) predictor.dispose();
  });

  it('leaves no tensor behind', async () => {
    await checkOnnx(await exportOnnx(tiny), tiny);
    const before = memory().numTensors;
    await checkOnnx(await exportOnnx(tiny), tiny);
    expect(memory().numTensors).toBe(before);
  });
});

describe('saveOnnx', () => {
  it('checks before it writes', async () => {
    const file = join(tmpdir(), `voxface-${process.pid}.onnx`);
    const { bytes, check } = await saveOnnx(tiny, file, { check: true });
    expect((await readFile(file)).length).toBe(bytes);
    expect(check!.landmarks).toBeLessThan(1e-4);
    await rm(file);
    await expect(
      saveOnnx(tiny, file, { check: true, precision: 'float16', tolerance: 1e-12 }),
    ).rejects.toThrow(/must agree to 1e-12, got a difference of .* \(nothing was written\)/);
    await expect(readFile(file)).rejects.toThrow(/ENOENT/);
  });
});

describe('createOnnxPredictor', () => {
  it('predicts what createPredictor predicts, on photos, in batches, mirrored', async () => {
    const image = { data: crop(80), width: 80, height: 80, channels: 3 as const };
    const items = [0, 1, 2].map((i) => ({ image, box: { x: 5 + 9 * i, y: 12, width: 40, height: 30 } }));
    for (const options of [{}, { flip: true, batchSize: 2 }, { refine: true }]) {
      const reference = createPredictor(tiny, options);
      const predictor = await createOnnxPredictor(await exportOnnx(tiny), { ...options, threads: 1 });
      const [wanted, got] = [await reference.predictBatch(items), await predictor.predictBatch(items)];
      got.forEach((face, i) => {
        face.landmarks.points.forEach((v, k) => {
          expect(Math.abs(v - wanted[i].landmarks.points[k])).toBeLessThan(5e-3);
        });
        expect(face.box.width).toBeCloseTo(wanted[i].box.width, 1);
      });
      predictor.dispose();
    }
  });

  it('gives the semantic volume of each crop', async () => {
    const predictor = await createOnnxPredictor(await exportOnnx(tiny));
    const crops = [crop(32), crop(32)];
    const volumes = await predictor.estimateVolumes(crops);
    expect(volumes.map((v) => v.length)).toEqual([8 * 8 * 8 * 3, 8 * 8 * 8 * 3]);
    const alone = await predictor.estimateVolumes([crops[1]]);
    volumes[1].forEach((v, i) => {
      expect(Math.abs(v - alone[0][i])).toBeLessThan(1e-5);
    });
    predictor.dispose();
    const bare = await createOnnxPredictor(await exportOnnx(tiny, { volume: false }));
    await expect(bare.estimateVolumes(crops)).rejects.toThrow(/exported without its volume/);
    bare.dispose();
  });

  it('refuses what is no voxface model and crops of another size', async () => {
    await expect(createOnnxPredictor(Uint8Array.of(1, 2, 3))).rejects.toThrow(/expected an ONNX model/);
    await expect(createOnnxPredictor('no-such-file.onnx')).rejects.toThrow(/ENOENT/);
    const { exportNetwork } = await import('../src/export.ts');
    await expect(createOnnxPredictor(await exportNetwork(tiny.estimator))).rejects.toThrow(
      /expected a model written by exportOnnx, got an ONNX file without voxface metadata/,
    );
    const file = await exportOnnx(tiny);
    await expect(createOnnxPredictor(file.slice(0, file.length / 2))).rejects.toThrow(/cut off/);
    const predictor = await createOnnxPredictor(file);
    await expect(predictor.predictUnit([new Uint8Array(5)])).rejects.toThrow(
      /expected 32 x 32 x 3 bytes, got 5 at crop 0/,
    );
    predictor.dispose();
    await expect(predictor.predictUnit([crop(32)])).rejects.toThrow(/disposed/);
  });
});
