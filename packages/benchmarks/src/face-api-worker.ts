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
    faceLandmark68Net: {
      loadFromDisk(folder: string): Promise<void>;
      detectLandmarks(inputs: readonly object[]): Promise<unknown>;
    };
  };
}

/**
 * Runs face-api's landmark network once for every message and answers it. A thread of its own, because the
 * TensorFlow.js inside face-api would take over the engine of every other one in the same global scope.
 */
const { library, models, wasm, crops, size } = workerData as FaceApiSetup;
const { tf, nets } = createRequire(library)(library) as FaceApi;
tf.setWasmPaths(wasm);
await tf.setBackend('wasm');
await tf.ready();
await nets.faceLandmark68Net.loadFromDisk(models);

parentPort!.on('message', async () => {
  const inputs = crops.map((crop) => tf.tensor3d(crop, [size, size, 3], 'int32'));
  await nets.faceLandmark68Net.detectLandmarks(inputs);
  for (const input of inputs) input.dispose();
  parentPort!.postMessage('done');
});
parentPort!.postMessage('ready');
