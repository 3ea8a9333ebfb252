import type { FaceShapeModel } from '../face-shape-model.ts';
import { joinBytes } from './encode-network.ts';
import {
  assembleModel,
  decodeModelFile,
  MANIFEST_FILE,
  parseManifest,
  parseModelJson,
  type ReadNetwork,
} from './model-file.ts';

/**
 * Loads a model with `fetch`, in the browser or anywhere else. The caller disposes it.
 * @param url folder that `saveModel` wrote (with or without `voxface.json` at the end), or a `.voxface` file, also behind a
 * `blob:` or `data:` address. Nothing outside that folder is asked for, whatever its files say.
 * @throws Error naming the address that could not be fetched, or the weights that do not fit.
 */
export async function loadModelFromUrl(
  url: string | URL,
  options: { fetch?: typeof fetch } = {},
): Promise<FaceShapeModel> {
  const get = options.fetch ?? fetch;
  const address = absoluteUrl(url);
  if (/^(blob|data):$/.test(address.protocol) || address.pathname.endsWith('.voxface')) {
    return decodeModelFile(await fetchBytes(get, address), address.href);
  }
  const isFile = address.pathname.endsWith('.json');
  const manifestUrl = isFile ? address : within(address, MANIFEST_FILE);
  const manifest = parseManifest(
    new TextDecoder().decode(await fetchBytes(get, manifestUrl)),
    manifestUrl.href,
  );
  const [estimator, regressor] = await Promise.all(
    (['estimator', 'regressor'] as const).map((name) =>
      fetchNetwork(get, new URL(`${manifest.networks[name]}/model.json${manifestUrl.search}`, manifestUrl)),
    ),
  );
  return assembleModel(manifest, { estimator, regressor }, manifestUrl.href);
}

async function fetchNetwork(get: typeof fetch, url: URL): Promise<ReadNetwork> {
  const modelJson = parseModelJson(new TextDecoder().decode(await fetchBytes(get, url)), url.href);
  const paths = modelJson.weightsManifest.flatMap((group) => group.paths);
  const shards = await Promise.all(
    paths.map((path) => fetchBytes(get, new URL(`${path}${url.search}`, url))),
  );
  return { modelJson, weights: joinBytes(shards) };
}

async function fetchBytes(get: typeof fetch, url: URL): Promise<Uint8Array> {
  const response = await get(url.href).catch((error: Error) => {
    const reason = (error.cause as Error | undefined)?.message || error.message;
    throw new Error(
      `loadModelFromUrl: ${url.href} must answer with a file, got no answer: ${reason} (is the server up, does it allow this page?)`,
      { cause: error },
    );
  });
  if (!response.ok) {
    throw new Error(`loadModelFromUrl: ${url.href} must answer with a file, got status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

function absoluteUrl(url: string | URL): URL {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  let address: URL;
  try {
    address = new URL(url, base);
  } catch {
    throw new TypeError(
      `loadModelFromUrl: expected an address such as https://host/model/, got ${describe(url)} (for paths: loadModel of @voxface/models/node)`,
    );
  }
  if (address.protocol === 'file:' && base === undefined) {
    throw new TypeError(
      `loadModelFromUrl: fetch takes no file: address, got ${address.href} (use loadModel of @voxface/models/node)`,
    );
  }
  return address;
}

const describe = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));

function within(folder: URL, file: string): URL {
  const url = new URL(folder);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${file}`;
  return url;
}
