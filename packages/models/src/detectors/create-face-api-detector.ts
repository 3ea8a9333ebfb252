import { dispose, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { createDetector, DETECTOR_DEFAULTS, type DetectorOptions } from './create-detector.ts';
import type { DetectionNetwork, NetworkDescription } from './detection-network.ts';
import { readFaceApiWeights } from './face-api-weights.ts';
import type { FaceDetector } from './face-detector.ts';
import { describeSsd } from './ssd-network.ts';
import { tensorOperations } from './tensor-operations.ts';
import { describeTiny } from './tiny-network.ts';

/** Options of the face-api detector. */
export interface FaceApiDetectorOptions extends DetectorOptions {
  /** `ssd`: SSD MobileNet V1, 5.6 MB, thorough; `tiny`: tiny YOLO v2, 0.2 MB, fast. */
  network?: 'ssd' | 'tiny';
  /** Side of the tiny network's input, a multiple of 32; the SSD network always sees 512. */
  inputSize?: number;
  /** Address of the `model` folder of `@vladmandic/face-api`; needed outside Node. */
  modelUrl?: string | URL;
}

/** The thorough network at the confidence that face-api uses. */
export const FACE_API_DETECTOR_DEFAULTS: Required<Omit<FaceApiDetectorOptions, 'modelUrl'>> = {
  ...DETECTOR_DEFAULTS,
  network: 'ssd',
  inputSize: 416,
};

/**
 * Opens a face detector with the weights that ship in `@vladmandic/face-api` (an optional peer). Only its weight
 * files are used: the networks run on the caller's TensorFlow.js and its current backend, so no second copy of
 * TensorFlow.js is loaded. `createOnnxDetector` of `@voxface/onnx` runs the same networks with ONNX Runtime.
 * @throws Error when the weights cannot be found.
 */
export async function createFaceApiDetector(options: FaceApiDetectorOptions = {}): Promise<FaceDetector> {
  return createDetector(runOnTensors(await describeFaceApiNetwork(options)), options);
}

/**
 * Reads one of face-api's detection networks: weights and description. The caller disposes it.
 * @throws RangeError for an unknown network; Error when the weights cannot be found.
 */
export async function describeFaceApiNetwork(
  options: FaceApiDetectorOptions = {},
): Promise<NetworkDescription> {
  const { network: kind, inputSize } = { ...FACE_API_DETECTOR_DEFAULTS, ...options };
  if (kind !== 'ssd' && kind !== 'tiny') {
    throw new RangeError(`createFaceApiDetector: network must be ssd or tiny, got ${kind}`);
  }
  const name = kind === 'ssd' ? 'ssd_mobilenetv1_model' : 'tiny_face_detector_model';
  const weights = await readFaceApiWeights(name, options.modelUrl);
  return kind === 'ssd' ? describeSsd(weights) : describeTiny(weights, inputSize);
}

function runOnTensors(description: NetworkDescription): DetectionNetwork {
  const { head, build } = description;
  const shape: [number, number, number, number] = [1, head.inputSize, head.inputSize, 3];
  return {
    head,
    run: async (picture) => {
      const outputs = tidy(() =>
        build<Tensor>(tensorOperations, tensor4d(Float32Array.from(picture), shape)),
      );
      try {
        return await Promise.all(outputs.map((output) => output.data() as Promise<Float32Array>));
      } finally {
        dispose(outputs);
      }
    },
    dispose: () => description.dispose(),
  };
}
