import { type PackedSample, parsePackedSet, schemeOfSet, unpackSample } from '../packed-set.ts';
import { createRecordDataset } from '../record-dataset.ts';
import type { Dataset } from '../sample.ts';
import { decodeBlob } from './open-files.ts';

/**
 * Opens a packed set over HTTP. Pictures are fetched one by one with range requests; a server that answers with the
 * whole `images.bin` is asked once, and the file is kept in memory.
 * @param base address of the folder that holds `set.json`.
 * @throws Error when a file is not there or is damaged.
 */
export async function openPackedSetUrl(base: string | URL): Promise<Dataset> {
  const folder = new URL(base, globalThis.location?.href);
  if (!folder.pathname.endsWith('/')) folder.pathname += '/';
  const setUrl = new URL('set.json', folder);
  const set = parsePackedSet(await (await fetchWell(setUrl)).text(), setUrl.href);
  const scheme = schemeOfSet(set);
  const binUrl = new URL('images.bin', folder);
  let whole: Uint8Array | undefined;
  const readSlice = async ({ file, offset, length }: PackedSample): Promise<Uint8Array> => {
    if (file) return readBytes(await fetchWell(new URL(file, folder)));
    if (whole) return whole.subarray(offset, offset + length);
    const response = await fetchWell(binUrl, {
      headers: { range: `bytes=${offset}-${offset + length - 1}` },
    });
    const bytes = await readBytes(response);
    if (response.status === 206) return bytes;
    whole = bytes;
    return whole.subarray(offset, offset + length);
  };
  return createRecordDataset({
    name: set.name,
    scheme,
    dims: set.dims,
    ids: set.samples.map(({ id }) => id),
    annotate: (index) => unpackSample(set.samples[index], set, scheme),
    readImage: (index) => readSlice(set.samples[index]),
    decode: (bytes, where) => decodeBlob(new Blob([bytes as BlobPart]), where),
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
