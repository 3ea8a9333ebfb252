import { io } from '@tensorflow/tfjs-core';
import type { NamedWeights } from './detection-network.ts';

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
