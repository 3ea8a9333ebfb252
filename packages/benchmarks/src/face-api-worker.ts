import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is told when it starts. */
export interface FaceApiSetup {
  /** The library's build for Node with wasm, the folder of its models, and the folder of the wasm files. */
  readonly library: string;
  readonly models: string;
  readonly wasm: string;
  /** RGB bytes [size, size, 3] each. */
  readonly crops: readonly Uint8Array[];
  readonly size: number;
  /** Whether photos will come, for which its detector is loaded as well. */
  readonly photos?: boolean;
}

/** What is used of face-api and of the TensorFlow.js that it brings along. */
interface FaceApi {
  tf: {
    setWasmPaths(path: string): void;
    setBackend(name: string): Promise<boolean>;
    ready(): Promise<void>;
    tensor3d(values: Uint8Array, shape: readonly number[], type: 'int32'): { dispose(): void };
  };
  nets: {
    ssdMobilenetv1: { loadFromDisk(folder: string): Promise<void> };
    faceLandmark68Net: {
      loadFromDisk(folder: string): Promise<void>;
      detectLandmarks(inputs: readonly object[]): Promise<unknown>;
    };
  };
  SsdMobilenetv1Options: new (options: { minConfidence: number }) => object;
  detectAllFaces(
    input: object,
    options: object,
  ): {
    withFaceLandmarks(): Promise<{ landmarks: { positions: { x: number; y: number }[] } }[]>;
  };
}

/** `run`: the landmark network once over all crops. A photo: its faces' 68 points each, in pixels. */
export type FaceApiOrder =
  | 'run'
  | { readonly data: Uint8Array; readonly width: number; readonly height: number };

/**
 * Runs face-api's landmark network, or its detector as well, once for every message and answers it. A thread of its own, because the
 * TensorFlow.js inside face-api would take over the engine of every other one in the same global scope.
 */
const { library, models, wasm, crops, size, photos } = workerData as FaceApiSetup;
const { tf, nets, SsdMobilenetv1Options, detectAllFaces } = createRequire(library)(library) as FaceApi;
tf.setWasmPaths(wasm);
await tf.setBackend('wasm');
await tf.ready();
await nets.faceLandmark68Net.loadFromDisk(models);
if (photos) await nets.ssdMobilenetv1.loadFromDisk(models);

async function timeCrops(): Promise<void> {
  const inputs = crops.map((crop) => tf.tensor3d(crop, [size, size, 3], 'int32'));
  await nets.faceLandmark68Net.detectLandmarks(inputs);
  for (const input of inputs) input.dispose();
}

async function findFaces({
  data,
  width,
  height,
}: Exclude<FaceApiOrder, 'run'>): Promise<[number, number][][]> {
  const input = tf.tensor3d(data, [height, width, 3], 'int32');
  const faces = await detectAllFaces(
    input,
    new SsdMobilenetv1Options({ minConfidence: 0.3 }),
  ).withFaceLandmarks();
  input.dispose();
  return faces.map(({ landmarks }) => landmarks.positions.map(({ x, y }) => [x, y]));
}

parentPort!.on('message', async (order: FaceApiOrder) => {
  parentPort!.postMessage(order === 'run' ? await timeCrops() : await findFaces(order));
});
parentPort!.postMessage('ready');
