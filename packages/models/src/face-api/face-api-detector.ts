import { dispose, io, type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { withDefaults } from '@voxface/landmarks';
import {
  createDetector,
  DETECTOR_DEFAULTS,
  type DetectionNetwork,
  type DetectorOptions,
  type FaceDetector,
} from '@voxface/predict';

import { type NamedWeights, type NetworkDescription, tensorOperations } from './network-operations.ts';
import { describeSsd, describeTiny } from './networks.ts';

/** Options of the face-api detector. */
export interface FaceApiDetectorOptions extends DetectorOptions {
  /** `ssd`: SSD MobileNet V1, 5.6 MB, thorough; `tiny`: tiny YOLO v2, 0.2 MB, fast. @default 'ssd' */
  network?: 'ssd' | 'tiny';
  /** Side of the tiny network's input, a multiple of 32; the SSD network always sees 512. @default 416 */
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
 * @internal
 * @throws RangeError for an unknown network; Error when the weights cannot be found.
 */
export async function describeFaceApiNetwork(
  options: FaceApiDetectorOptions = {},
): Promise<NetworkDescription> {
  const { network: kind, inputSize } = withDefaults(FACE_API_DETECTOR_DEFAULTS, options);
  if (kind !== 'ssd' && kind !== 'tiny') {
    throw new RangeError(`createFaceApiDetector: network must be ssd or tiny, got ${kind}`);
  }
  const name = kind === 'ssd' ? 'ssd_mobilenetv1_model' : 'tiny_face_detector_model';
  const weights = await readFaceApiWeights(name, options.modelUrl);
  return kind === 'ssd' ? describeSsd(weights) : describeTiny(weights, inputSize);
}

function runOnTensors(description: NetworkDescription): DetectionNetwork {
  const { head, build } = description;
  return {
    head,
    run: async (picture, width, height) => {
      const outputs = tidy(() =>
        build<Tensor>(tensorOperations, tensor4d(new Float32Array(picture), [1, height, width, 3])),
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

/**
 * Reads the weights of one of `@vladmandic/face-api`'s networks.
 * @param network name of the model file without `-weights_manifest.json`.
 * @param folder address of the package's `model` folder; in Node the installed package when left out.
 * @throws Error when the package or the address is not there.
 */
export async function readFaceApiWeights(network: string, folder?: string | URL): Promise<NamedWeights> {
  const read = folder === undefined ? packageReader() : urlReader(folder);
  const manifest = JSON.parse(
    new TextDecoder().decode(await read(`${network}-weights_manifest.json`)),
  ) as io.WeightsManifestConfig;
  const shards: ArrayBuffer[] = [];
  for (const path of manifest.flatMap((group) => group.paths)) {
    const bytes = await read(path);
    shards.push(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  }
  return io.decodeWeights(
    io.CompositeArrayBuffer.join(shards),
    manifest.flatMap((group) => group.weights),
  );
}

type Reader = (file: string) => Promise<Uint8Array>;

function urlReader(folder: string | URL): Reader {
  const base = `${folder}`.replace(/\/?$/, '/');
  return async (file) => {
    const response = await fetch(`${base}${file}`);
    if (!response.ok) {
      throw new Error(
        `createFaceApiDetector: ${base}${file} must answer with a file, got status ${response.status} (serve the model folder of @vladmandic/face-api)`,
      );
    }
    return new Uint8Array(await response.arrayBuffer());
  };
}

/** Reads from the package in `node_modules`, without an import that bundlers for the browser would follow. */
function packageReader(): Reader {
  const builtin = globalThis.process?.getBuiltinModule;
  if (builtin === undefined) {
    throw new Error(
      'createFaceApiDetector: pass modelUrl outside Node (the address of the model folder of @vladmandic/face-api)',
    );
  }
  const { createRequire } = builtin('node:module');
  const { readFile } = builtin('node:fs/promises');
  const { dirname, join } = builtin('node:path');
  let root: string;
  try {
    root = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));
  } catch {
    throw new Error(
      'createFaceApiDetector: @vladmandic/face-api must be installed, it was not found (npm i @vladmandic/face-api)',
    );
  }
  return (file) => readFile(join(root, 'model', file));
}
