import { CROP_DEFAULTS } from '@voxface/landmarks';
import {
  createCropPredictor,
  createDetector,
  cropsToUnitRange,
  type DetectorOptions,
  type FaceDetector,
  type Predictor,
  type PredictorOptions,
  type RunnerConfidence,
} from '@voxface/predict';
import { type OnnxModelInfo, readDetectorHead } from '../metadata.ts';

/** A tensor as both packages of ONNX Runtime have it. */
export interface RuntimeTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** The part of an ONNX Runtime session that prediction needs. */
export interface RuntimeSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

/** Makes a float tensor of the runtime. */
export type TensorFactory = (data: Float32Array, dims: readonly number[]) => RuntimeTensor;

/** The predictor of `@voxface/predict` over ONNX Runtime, and what only the file knows. */
export interface OnnxPredictor extends Predictor {
  readonly info: OnnxModelInfo;
  /**
   * The last semantic volume of crops [size, size, 3], one [h, w, d, c] each (sizes: `info.volume`).
   * @throws RangeError when the file was exported without its volume.
   */
  estimateVolumes(crops: readonly Uint8Array[]): Promise<Float32Array[]>;
}

/** Joins a session and the crop rule of the house. The session is released with the predictor. */
export function createSessionPredictor(
  session: RuntimeSession,
  info: OnnxModelInfo,
  createTensor: TensorFactory,
  options: PredictorOptions,
): OnnxPredictor {
  const { inputSize, landmarks, scheme, cropScale, volume, confidence: calibration } = info;
  if (cropScale !== CROP_DEFAULTS.scale) {
    throw new RangeError(
      `createOnnxPredictor: this version crops ${CROP_DEFAULTS.scale} times the box, got a model made for ${cropScale}`,
    );
  }
  const fetch = async (crops: readonly Uint8Array[], ...outputs: string[]): Promise<Float32Array[]> => {
    const image = createTensor(cropsToUnitRange(crops, inputSize), [crops.length, inputSize, inputSize, 3]);
    const results = await session.run({ image }, outputs);
    return outputs.map((output) => results[output].data as Float32Array);
  };
  const judge: RunnerConfidence | undefined =
    calibration && volume
      ? {
          calibration,
          size: volume,
          run: async (crops) => {
            const [points, volumes] = await fetch(crops, 'landmarks', 'volume');
            return { points, volumes };
          },
        }
      : undefined;
  const base = createCropPredictor(
    {
      inputSize,
      landmarks,
      scheme,
      run: async (crops) => (await fetch(crops, 'landmarks'))[0],
      confidence: judge,
    },
    options,
  );
  return {
    ...base,
    info,
    async estimateVolumes(crops) {
      if (volume === null) {
        throw new RangeError(
          'estimateVolumes: this model was exported without its volume (export it with `volume: true`)',
        );
      }
      if (crops.length === 0) return [];
      const [all] = await fetch(crops, 'volume');
      const size = all.length / crops.length;
      return crops.map((_, i) => all.slice(i * size, (i + 1) * size));
    },
    dispose() {
      base.dispose();
      void session.release();
    },
  };
}

/** Joins a session of a file that `exportDetector` wrote and the detectors' pre- and post-processing. */
export function createSessionDetector(
  session: RuntimeSession,
  file: Uint8Array,
  createTensor: TensorFactory,
  options: DetectorOptions,
): FaceDetector {
  const { inputNames, outputNames } = session;
  const run = async (picture: Uint8Array, width: number, height: number): Promise<Float32Array[]> => {
    const feed = createTensor(new Float32Array(picture), [1, height, width, 3]);
    const outputs = await session.run({ [inputNames[0]]: feed }, outputNames);
    return outputNames.map((name) => outputs[name].data as Float32Array);
  };
  return createDetector(
    { head: readDetectorHead(file), run, dispose: () => void session.release() },
    options,
  );
}
