import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Contestant } from './rounds.ts';

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

/** Side of the pictures that its landmark network sees. */
const INPUT_SIZE = 112;

/**
 * The 68-point network of `@vladmandic/face-api` on wasm, fed with crops of the size that it wants, as one batch.
 * @param folder where it is installed together with @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm.
 * @throws Error saying how to install it.
 */
export async function openFaceApi(
  folder: string | undefined,
  cropsOf: (size: number) => readonly Uint8Array[],
): Promise<Contestant> {
  if (folder === undefined) {
    throw new Error(
      'face-api: skipped (npm install @vladmandic/face-api @tensorflow/tfjs @tensorflow/tfjs-backend-wasm in a folder, then --peers FOLDER)',
    );
  }
  const require = createRequire(join(folder, 'package.json'));
  let root: string;
  let wasm: string;
  try {
    root = dirname(require.resolve('@vladmandic/face-api/package.json'));
    wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  } catch {
    throw new Error(`face-api: skipped, it and @tensorflow/tfjs-backend-wasm are not in ${folder}`);
  }
  const { tf, nets } = require(join(root, 'dist/face-api.node-wasm.js')) as FaceApi;
  tf.setWasmPaths(`${join(wasm, 'dist')}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  await nets.faceLandmark68Net.loadFromDisk(join(root, 'model'));
  const crops = cropsOf(INPUT_SIZE);
  return {
    name: '@vladmandic/face-api, 68-point net, wasm, one batch',
    async run() {
      const shape = [INPUT_SIZE, INPUT_SIZE, 3];
      const inputs = crops.map((crop) => tf.tensor3d(crop, shape, 'int32'));
      await nets.faceLandmark68Net.detectLandmarks(inputs);
      for (const input of inputs) input.dispose();
      return undefined;
    },
    close: () => {},
  };
}
