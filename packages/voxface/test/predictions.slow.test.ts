import * as tf from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { type Box, createRandom, type Pixels } from '@voxface/landmarks';
import { createFaceShapeModel, createPredictor } from '@voxface/models';
import { exportOnnx } from '@voxface/onnx/export';
import type { FaceShape, Predictor } from '@voxface/predict';
import { describe, expect, test } from 'vitest';
import { openOnnxRuntime } from '../src/photos/onnx-runtime.ts';

// Many predictions on each runtime, one after the other and several at once: the same landmarks every time, in flat memory.
// VOXFACE_PREDICTIONS=10000 for the figures of docs/performance.md; VOXFACE_BACKENDS=wasm,node chooses.

const COUNT = Number(process.env.VOXFACE_PREDICTIONS ?? 700);
const CHOSEN = process.env.VOXFACE_BACKENDS?.split(',');
/** Faces at once. */
const WIDTH = 7;

/** The smallest network there is: 10 000 of the cpu backend's predictions take minutes, not hours. */
const MICRO = { inputSize: 16, features: 4, depths: [1, 4], hourglassDepth: 1, regressorChannels: [3, 4] };

interface Opened {
  readonly predictor: Predictor;
  dispose(): void;
}

async function openTensorFlow(
  backend: string,
  options: Parameters<typeof createFaceShapeModel>[0],
): Promise<Opened> {
  await setupBackend(backend as 'wasm');
  expect(tf.getBackend()).toBe(backend === 'node' ? 'tensorflow' : backend);
  const model = createFaceShapeModel(options);
  const predictor = createPredictor(model);
  return {
    predictor,
    dispose() {
      predictor.dispose();
      model.dispose();
    },
  };
}

async function openOnnx(name: 'onnxruntime-node' | 'onnxruntime-web'): Promise<Opened> {
  await setupBackend('cpu');
  const model = createFaceShapeModel('tiny');
  const file = await exportOnnx(model);
  model.dispose();
  const runtime = await openOnnxRuntime(name);
  const predictor = await runtime.createPredictor(file, {}, 1);
  return { predictor, dispose: () => predictor.dispose() };
}

const RUNTIMES: Readonly<Record<string, () => Promise<Opened>>> = {
  cpu: () => openTensorFlow('cpu', MICRO),
  wasm: () => openTensorFlow('wasm', 'tiny'),
  node: () => openTensorFlow('node', 'tiny'),
  'onnxruntime-node': () => openOnnx('onnxruntime-node'),
  'onnxruntime-web': () => openOnnx('onnxruntime-web'),
};

const random = createRandom(3);
const photo: Pixels = {
  data: Uint8Array.from({ length: 90 * 70 * 3 }, () => random.integer(256)),
  width: 90,
  height: 70,
  channels: 3,
};
const boxes = Array.from(
  { length: WIDTH },
  (_, i): Box => ({ x: 5 + 6 * i, y: 4 + i, width: 38, height: 33 }),
);

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

describe(`${COUNT} predictions`, () => {
  test.each(Object.keys(RUNTIMES).filter((name) => CHOSEN === undefined || CHOSEN.includes(name)))(
    'on %s: memory level, several at once as one after the other',
    async (name) => {
      let opened: Opened;
      try {
        opened = await RUNTIMES[name]();
      } catch (error) {
        // The native backend and runtime are not everywhere.
        if (CHOSEN === undefined && /^(node|onnxruntime-node)$/.test(name)) {
          console.log(`${name} skipped: ${(error as Error).message.split('\n')[0]}`);
          return;
        }
        throw error;
      }
      const { predictor } = opened;
      const expected: Float32Array[] = [];
      for (const box of boxes) expected.push((await predictor.predict(photo, box)).landmarks.points);
      const tensors = new Set<string>();
      const resident: number[] = [];
      const begin = process.cpuUsage();
      for (let done = 0, round = 0; done < COUNT; done += WIDTH, round++) {
        const found: FaceShape[] = [];
        if (round % 2 === 0) {
          for (const box of boxes) found.push(await predictor.predict(photo, box));
        } else {
          found.push(...(await Promise.all(boxes.map((box) => predictor.predict(photo, box)))));
        }
        const wrong = found.filter(({ landmarks }, i) =>
          landmarks.points.some((value, k) => value !== expected[i][k]),
        );
        expect(wrong).toHaveLength(0);
        const { numTensors, numBytes } = tf.memory();
        // The first round may record.
        if (round > 1) tensors.add(`${numTensors} tensors of ${numBytes} bytes`);
        resident.push(process.memoryUsage().rss / 2 ** 20);
      }
      const { user, system } = process.cpuUsage(begin);
      // Past the first fifth, in which heaps find their size.
      const settled = resident.slice(Math.floor(resident.length / 5));
      const quarter = Math.max(1, settled.length >> 2);
      const [early, late] = [median(settled.slice(0, quarter)), median(settled.slice(-quarter))];
      console.log(
        `${name}: ${COUNT} predictions, ${((user + system) / 1000 / COUNT).toFixed(2)} ms of processor each; ${early.toFixed(0)} MB early, ${late.toFixed(0)} MB late, ${Math.max(...resident).toFixed(0)} MB at most; ${[...tensors].join(', ')}`,
      );
      expect(tensors.size).toBe(1);
      expect(late - early).toBeLessThan(40);
      opened.dispose();
    },
    600_000 + 200 * COUNT,
  );
});
