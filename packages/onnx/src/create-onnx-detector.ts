import type { FaceDetector } from '@voxface/models';
import {
  buildDetectionLayers,
  createDetector,
  type DetectionHead,
  type DetectorOptions,
  describeFaceApiNetwork,
  type FaceApiDetectorOptions,
} from '@voxface/models/face-api';
import { exportNetwork } from './export-network.ts';
import { type NodeSessionOptions, openNodeSession } from './node-runtime.ts';

export interface OnnxDetectorOptions extends FaceApiDetectorOptions, NodeSessionOptions {}

/** A detector's network as an ONNX file, and what it takes to read its outputs. Plain data. */
export interface ExportedDetector {
  readonly head: DetectionHead;
  readonly file: Uint8Array;
}

/**
 * The detectors of `createFaceApiDetector` on onnxruntime-node: the same networks and weights, several times as
 * fast as on wasm.
 * @throws RangeError for an unknown network; Error when the weights or onnxruntime-node are not installed.
 */
export async function createOnnxDetector(options: OnnxDetectorOptions = {}): Promise<FaceDetector> {
  return openDetector(await exportDetector(options), options);
}

/** Reads a detector's weights and writes its network as ONNX: `picture` [b, size, size, 3] in 0..255. */
export async function exportDetector(options: FaceApiDetectorOptions = {}): Promise<ExportedDetector> {
  const description = await describeFaceApiNetwork(options);
  const layers = buildDetectionLayers(description);
  try {
    return { head: description.head, file: await exportNetwork(layers) };
  } finally {
    layers.dispose();
    description.dispose();
  }
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
