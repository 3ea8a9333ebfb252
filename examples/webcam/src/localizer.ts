import { dispose, div, scalar, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { boxOf, type Landmarks } from '@voxface/landmarks';
import { createPredictor, estimateVolumes, type FaceShapeModel, loadModelFromUrl } from '@voxface/models';
import { createFaceApiDetector } from '@voxface/models/face-api';
import type { FaceDetector, FaceShape, ImageSource, Predictor } from '@voxface/predict';

export type PageBackend = 'webgl' | 'webgpu' | 'wasm' | 'onnx';

/** A semantic volume: values [height, width, depth, channels]. */
export interface SemanticVolume {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** Everything that lives on one backend. */
export interface Localizer {
  readonly backend: string;
  /** Side of the crops in pixels. */
  readonly inputSize: number;
  /** What the networks see in a crop of RGB bytes [inputSize, inputSize, 3]. */
  estimateVolume(crop: Uint8Array): Promise<SemanticVolume>;
  /** Faces of a picture by the detector. */
  detect(image: ImageSource): Promise<FaceShape[]>;
  /** Faces again, around where they were: no detector, much faster. */
  track(image: ImageSource, previous: readonly FaceShape[]): Promise<FaceShape[]>;
  dispose(): void;
}

/** The networks of the shipped model on one backend. */
interface Networks {
  readonly backend: string;
  readonly predictor: Predictor;
  readonly estimateVolume: Localizer['estimateVolume'];
  dispose(): void;
}

/** Prepares a backend, the shipped model and the detector. */
export async function createLocalizer(name: PageBackend): Promise<Localizer> {
  // With ONNX Runtime the detector runs on TensorFlow.js's WebAssembly.
  const { name: backend } = await setupBackend(name === 'onnx' ? 'wasm' : name);
  const model = await loadModelFromUrl(new URL('models/small/', document.baseURI));
  const networks = name === 'onnx' ? await openOnnx(model) : openTensorflow(model, backend);
  const { predictor } = networks;
  const detector: FaceDetector = await createFaceApiDetector({
    network: 'tiny',
    modelUrl: new URL('face-api/', document.baseURI),
  });
  return {
    backend: networks.backend,
    inputSize: predictor.inputSize,
    estimateVolume: networks.estimateVolume,
    detect: async (image) => {
      const found = await detector.detect(image);
      return predictor.predictBatch(found.map((face) => ({ image, ...face })));
    },
    track: (image, previous) =>
      predictor.predictBatch(previous.map(({ landmarks }) => ({ image, box: boxOf(landmarks) }))),
    dispose() {
      networks.dispose();
      detector.dispose();
    },
  };
}

function openTensorflow(model: FaceShapeModel, backend: string): Networks {
  const predictor = createPredictor(model);
  const size = model.options.inputSize;
  return {
    backend,
    predictor,
    async estimateVolume(crop) {
      const volume = tidy(() => {
        const input = div(tensor4d(Float32Array.from(crop), [1, size, size, 3]), scalar(255)) as Tensor4D;
        return estimateVolumes(model, input).at(-1)!;
      });
      const values = (await volume.data()) as Float32Array;
      dispose(volume);
      return { values, shape: volume.shape.slice(1) };
    },
    dispose() {
      predictor.dispose();
      model.dispose();
    },
  };
}

/** Exports the model in memory. ONNX Runtime, 14 MB of WebAssembly, is loaded only here. */
async function openOnnx(model: FaceShapeModel): Promise<Networks> {
  const { exportOnnx } = await import('@voxface/onnx/export');
  const { createOnnxPredictor } = await import('@voxface/onnx/web');
  const predictor = await createOnnxPredictor(await exportOnnx(model));
  model.dispose();
  return {
    backend: 'onnx',
    predictor,
    estimateVolume: async (crop) => ({
      values: (await predictor.estimateVolumes([crop]))[0],
      shape: predictor.info.volume!,
    }),
    dispose: () => predictor.dispose(),
  };
}

/** Whether landmarks still look like a face: a box of sensible size with its centre in the picture. */
export function isPlausible(landmarks: Landmarks<3>, width: number, height: number): boolean {
  const box = boxOf(landmarks);
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const ratio = box.width / box.height;
  return box.width > 16 && x > 0 && y > 0 && x < width && y < height && ratio > 0.4 && ratio < 2;
}
