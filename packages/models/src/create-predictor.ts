import { dispose, getBackend, type Tensor, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { isRecordingFaster, type Program, recordProgram } from '@voxface/backend';
import {
  type CropRunner,
  createCropPredictor,
  cropsToUnitRange,
  type Predictor,
  type PredictorOptions,
} from '@voxface/predict';
import { estimateFlatVolumes, type FaceShapeModel, regressCoordinates } from './face-shape-model.ts';

/**
 * A predictor that runs G and P on the current TensorFlow.js backend.
 * The model stays the caller's: dispose it after the predictor.
 * @throws RangeError as `createCropPredictor`.
 * @example
 * ```js
 * import { setupBackend } from '@voxface/backend';
 * import { createPredictor, presetOptions, createFaceShapeModel } from '@voxface/models';
 *
 * await setupBackend('wasm');
 * const model = createFaceShapeModel({ ...presetOptions('tiny'), seed: 1 });
 * const predictor = createPredictor(model);
 * const image = { data: new Uint8Array(320 * 240 * 3), width: 320, height: 240, channels: 3 };
 * const { landmarks } = await predictor.predict(image, { x: 100, y: 60, width: 80, height: 100 });
 * console.log(landmarks.points.length); // => 204
 * predictor.dispose();
 * model.dispose();
 * ```
 */
export function createPredictor(model: FaceShapeModel, options: PredictorOptions = {}): Predictor {
  return createCropPredictor(createNetworkRunner(model), options);
}

/** A recording is good for these weights on this backend alone. */
interface RecordedRun {
  readonly program: Program;
  readonly weights: readonly object[];
  readonly backend: string;
}

/**
 * Runs G and P on crops. Where TensorFlow.js' overhead matters, every number of crops is recorded once and runs as a
 * list of kernels from then on; new weights make a new recording.
 */
function createNetworkRunner(model: FaceShapeModel): CropRunner {
  const { inputSize, landmarks, scheme, volumeSize, depths, channels } = model.options;
  const recorded = new Map<number, RecordedRun>();
  /** Coordinates, and the last volume where the model has what it takes to judge it. */
  const run = (images: Tensor4D): Tensor[] =>
    tidy(() => {
      const volumes = estimateFlatVolumes(model, images);
      const points = regressCoordinates(model, volumes, images);
      return model.confidence ? [points, volumes[volumes.length - 1]] : [points];
    });
  const forget = (count: number): void => {
    recorded.get(count)?.program.dispose();
    recorded.delete(count);
  };

  function runRecorded(images: Tensor4D): Tensor[] {
    const [count] = images.shape;
    const weights = weightsOf(model);
    const known = recorded.get(count);
    if (known?.backend === getBackend() && known.weights.every((dataId, i) => dataId === weights[i])) {
      return known.program.run([images]);
    }
    forget(count);
    const { program, outputs } = recordProgram([images], () => run(images), { fold: true });
    recorded.set(count, { program, weights, backend: getBackend() });
    // Folded weights round differently: the first prediction is to equal the later ones.
    dispose(outputs);
    return program.run([images]);
  }

  /** The first `count` of what `run` gives; the others stay where they are. */
  async function runCrops(crops: readonly Uint8Array[], count: number): Promise<Float32Array[]> {
    const images = tensor4d(cropsToUnitRange(crops, inputSize), [crops.length, inputSize, inputSize, 3]);
    const outputs = isRecordingFaster() ? runRecorded(images) : run(images);
    images.dispose();
    try {
      return await Promise.all(outputs.slice(0, count).map((output) => output.data<'float32'>()));
    } finally {
      dispose(outputs);
    }
  }

  const { confidence: calibration } = model;
  return {
    inputSize,
    landmarks,
    scheme,
    run: async (crops) => (await runCrops(crops, 1))[0],
    ...(calibration && {
      confidence: {
        calibration,
        size: [volumeSize, volumeSize, depths[depths.length - 1], channels],
        run: async (crops) => {
          const [points, volumes] = await runCrops(crops, 2);
          return { points, volumes };
        },
      },
    }),
    dispose() {
      for (const count of [...recorded.keys()]) forget(count);
    },
  };
}

function weightsOf({ estimator, regressor }: FaceShapeModel): object[] {
  return [...estimator.weights, ...regressor.weights].map((weight) => weight.read().dataId);
}
