import {
  createDetector,
  type DetectionHead,
  type DetectorOptions,
  type FaceDetector,
} from '@voxface/predict';
import { type NodeSessionOptions, openNodeSession } from './node-runtime.ts';

/** A detector's network as an ONNX file, and what it takes to read its outputs. Plain data. */
export interface ExportedDetector {
  readonly head: DetectionHead;
  readonly file: Uint8Array;
}

/** Opens an exported detector with onnxruntime-node. */
export async function openDetector(
  { head, file }: ExportedDetector,
  options: DetectorOptions & NodeSessionOptions = {},
): Promise<FaceDetector> {
  const { runtime, session } = await openNodeSession(file, options);
  const size = head.inputSize;
  const run = async (picture: Uint8Array): Promise<Float32Array[]> => {
    const feed = new runtime.Tensor('float32', Float32Array.from(picture), [1, size, size, 3]);
    const outputs = await session.run({ [session.inputNames[0]]: feed });
    return session.outputNames.map((name) => outputs[name].data as Float32Array);
  };
  return createDetector({ head, run, dispose: () => void session.release() }, options);
}
