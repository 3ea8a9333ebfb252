import { createDetector, type DetectorOptions, type FaceDetector } from '@voxface/predict';
import { readDetectorHead } from '../metadata.ts';
import type { RuntimeSession, TensorFactory } from './onnx-predictor.ts';

/** Joins a session of a file that `exportDetector` wrote and the detectors' pre- and post-processing. */
export function createSessionDetector(
  session: RuntimeSession,
  file: Uint8Array,
  createTensor: TensorFactory,
  options: DetectorOptions,
): FaceDetector {
  const head = readDetectorHead(file);
  const size = head.inputSize;
  const { inputNames, outputNames } = session;
  const run = async (picture: Uint8Array): Promise<Float32Array[]> => {
    const feed = createTensor(Float32Array.from(picture), [1, size, size, 3]);
    const outputs = await session.run({ [inputNames[0]]: feed }, outputNames);
    return outputNames.map((name) => outputs[name].data as Float32Array);
  };
  return createDetector({ head, run, dispose: () => void session.release() }, options);
}
