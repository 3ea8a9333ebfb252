import {
  type PackedSample,
  parsePackedSample,
  parsePackedSet,
  schemeOfSet,
  unpackSample,
  viewPixels,
} from '../packed-set.ts';
import { createRecordDataset } from '../record-dataset.ts';
import type { Dataset } from '../sample.ts';
import { decodeBlob } from './open-files.ts';

/**
 * Opens a packed set over HTTP. Pictures are fetched one by one with range requests; a server that answers with the
 * whole file is asked once, and the file is kept in memory. Only files of that folder are fetched.
 * @param base address of the folder that holds `set.json`.
 * @throws Error when a file is not there or is damaged.
 */
export async function openPackedSetUrl(base: string | URL): Promise<Dataset> {
  const folder = new URL(base, globalThis.location?.href);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  const setUrl = new URL('set.json', folder);
  const set = parsePackedSet(await (await fetchWell(setUrl)).text(), setUrl.href);
  const scheme = schemeOfSet(set);
  const samples: { sample: PackedSample; images: string }[] =
    set.samples?.map((sample) => ({ sample, images: 'images.bin' })) ?? [];
  for (const { samples: name, images, samplesBytes, count } of set.shards) {
    const url = new URL(name, folder);
    const bytes = (await readBytes(await fetchWell(url))).subarray(0, samplesBytes);
    const lines = new TextDecoder().decode(bytes).split('\n').slice(0, -1);
    if (lines.length !== count) {
      throw new Error(`openPackedSetUrl: ${url.href} must hold ${count} samples, got ${lines.length}`);
    }
    for (const [i, line] of lines.entries()) {
      samples.push({ sample: parsePackedSample(line, set, `line ${i + 1} of ${url.href}`), images });
    }
  }
  const whole = new Map<string, Uint8Array>();
  const readSlice = async (images: string, { file, offset, length }: PackedSample): Promise<Uint8Array> => {
    if (file) return readBytes(await fetchWell(new URL(file, new URL(images, folder))));
    const kept = whole.get(images);
    if (kept) return kept.subarray(offset, offset + length);
    const response = await fetchWell(new URL(images, folder), {
      headers: { range: `bytes=${offset}-${offset + length - 1}` },
    });
    const bytes = await readBytes(response);
    if (response.status === 206) return bytes;
    whole.set(images, bytes);
    return bytes.subarray(offset, offset + length);
  };
  return createRecordDataset({
    name: set.name,
    scheme,
    dims: set.dims,
    ids: samples.map(({ sample }) => sample.id),
    annotate: (index) => unpackSample(samples[index].sample, set, scheme),
    readImage: (index) => readSlice(samples[index].images, samples[index].sample),
    decode: async (bytes, where, options) =>
      viewPixels(bytes, where) ?? decodeBlob(new Blob([bytes as BlobPart]), where, options),
  });
}

async function fetchWell(url: URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`openPackedSetUrl: expected ${url.href}, got status ${response.status}`);
  return response;
}

async function readBytes(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}
