import {
  buildDetectionLayers,
  describeFaceApiNetwork,
  type FaceApiDetectorOptions,
} from '@voxface/models/face-api';
import type { FaceDetector } from '@voxface/predict';
import { exportNetwork } from './export-network.ts';
import type { NodeSessionOptions } from './node-runtime.ts';
import { type ExportedDetector, openDetector } from './open-onnx-detector.ts';

export interface OnnxDetectorOptions extends FaceApiDetectorOptions, NodeSessionOptions {}

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
