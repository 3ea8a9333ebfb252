import {
  boxOf,
  IBUG_68,
  type LandmarkScheme,
  type Landmarks,
  type Pixels,
  toPlane,
} from '@voxface/landmarks';
import { annotateKeypointCsv } from '../keypoint-csv.ts';
import { viewPixels } from '../packed-set.ts';
import { parsePts } from '../parse-pts.ts';
import { openAddress, readPackedSet } from '../read-packed-set.ts';
import {
  checkShape,
  collectProblems,
  createRecordDataset,
  type Problem,
  type ProblemHandler,
} from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';

export interface WebFilesOptions {
  /** @default 'files' */
  name?: string;
  /** @default IBUG_68 */
  scheme?: LandmarkScheme;
  /** Coordinate of the top-left pixel's centre in the files; default 1 for `.pts`, 0 for CSV. @default 1 */
  origin?: number;
  /** Called for each broken annotation, which is left out. @default the first one throws */
  onProblem?: ProblemHandler;
}

/**
 * Opens `.pts` files and pictures that the user picked or dropped (`<input type="file" multiple webkitdirectory>`).
 * @throws Error when there is no `.pts`, a picture is missing, or an annotation is broken (see `onProblem`).
 */
export async function openPtsFiles(
  files: readonly File[],
  options: WebFilesOptions = {},
): Promise<Dataset<2>> {
  const { name = 'files', scheme = IBUG_68, origin = 1 } = options;
  const images = new Map(
    files.filter((file) => !/\.pts$/i.test(file.name)).map((file) => [stemOf(pathOf(file)), file]),
  );
  const records: Record2D[] = [];
  const { problems, report } = collectProblems(options.onProblem);
  for (const file of files.filter(({ name }) => /\.pts$/i.test(name) && !name.startsWith('._'))) {
    const id = stemOf(pathOf(file));
    try {
      const image = images.get(id);
      if (!image)
        throw new Error(`openPtsFiles: expected a picture beside ${pathOf(file)}, got none with its stem`);
      const landmarks = shift(toPlane(parsePts(await file.text())), origin);
      records.push(createRecord(id, landmarks, scheme, image, name, pathOf(file), origin));
    } catch (error) {
      report({ id, error: error as Error });
    }
  }
  return openRecords(name, scheme, records, problems);
}

/** Opens a keypoint CSV and its pictures; see `openKeypointCsv` of the node entry. */
export async function openKeypointCsvFiles(
  csv: Blob,
  images: readonly File[],
  options: WebFilesOptions = {},
): Promise<Dataset<2>> {
  const { name = 'keypoint-csv', scheme = IBUG_68, origin = 0 } = options;
  const byName = new Map(images.map((file) => [file.name, file]));
  const { records, problems } = annotateKeypointCsv(
    await csv.text(),
    (file) => byName.get(file),
    'the file',
    {
      ...options,
      name,
      scheme,
      origin,
    },
  );
  return openRecords(name, scheme, records, problems);
}

/**
 * Opens a packed set over HTTP, sample by sample with range requests; a server that answers those with the whole file is asked once per
 * file, and keeps its files in memory where they are small. Only files of that folder are fetched.
 * @param base address of the folder that holds `set.json`.
 * @throws Error when a file is not there or is damaged, or is large and the server sends it whole.
 */
export function openPackedSetUrl(base: string | URL): Promise<Dataset> {
  return readPackedSet(
    openAddress(base),
    async (bytes, where, options) =>
      viewPixels(bytes, where) ?? decodeBlob(new Blob([bytes as BlobPart]), where, options),
  );
}

interface Record2D {
  readonly annotation: Annotation<2>;
  readonly image: File;
}

function createRecord(
  id: string,
  landmarks: Landmarks<2>,
  scheme: LandmarkScheme,
  image: File,
  dataset: string,
  where: string,
  origin: number,
): Record2D {
  checkShape(landmarks, scheme, where);
  const conversions = origin === 0 ? [] : [`${origin}-based to 0-based: x - ${origin}, y - ${origin}`];
  const provenance = { dataset, files: [pathOf(image), where], conversions };
  return { annotation: { id, landmarks, scheme, box: boxOf(landmarks), provenance }, image };
}

function openRecords(
  name: string,
  scheme: LandmarkScheme,
  records: readonly Record2D[],
  problems: readonly Problem[],
): Dataset<2> {
  return createRecordDataset({
    name,
    scheme,
    dims: 2,
    ids: records.map(({ annotation }) => annotation.id),
    annotate: (index) => records[index].annotation,
    readImage: async (index) => new Uint8Array(await records[index].image.arrayBuffer()),
    decode: (bytes, where, options) => decodeBlob(new Blob([bytes as BlobPart]), where, options),
    problems,
  });
}

function shift({ points }: Landmarks<2>, origin: number): Landmarks<2> {
  return { points: points.map((value) => value - origin), dims: 2 };
}

function pathOf(file: File): string {
  return file.webkitRelativePath || file.name;
}

function stemOf(file: string): string {
  return file.replace(/\.[^./]*$/, '');
}

/**
 * Decodes a picture in the browser to RGBA [height, width, 4]. Colours are not converted. The stored pixels are given, to
 * which the points of datasets refer, as in Node; `orient` turns the picture upright by its orientation tag.
 * @param name what to call it in errors.
 * @throws Error naming the picture when it cannot be decoded.
 */
export async function decodeBlob(
  blob: Blob,
  name: string,
  { orient = false }: { orient?: boolean } = {},
): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    const source = orient ? blob : await withoutOrientation(blob);
    bitmap = await createImageBitmap(source, {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    }).catch(() => createImageBitmap(source));
  } catch (error) {
    throw new Error(
      `decodeBlob: expected a whole picture the browser can read, got ${blob.size} bytes of ${blob.type || 'unknown type'} in ${name} (${(error as Error).message})`,
      { cause: error },
    );
  }
  try {
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error(`decodeBlob: expected a 2D canvas, got none for ${name}`);
    context.drawImage(bitmap, 0, 0);
    return { data: context.getImageData(0, 0, width, height).data, width, height, channels: 4 };
  } finally {
    bitmap.close();
  }
}

/** Browsers always apply the tag (HTML has no way to ask for the stored pixels), so a JPEG's is set to 1. */
async function withoutOrientation(blob: Blob): Promise<Blob> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const place = orientationPlace(bytes);
  if (place === undefined) return blob;
  const { at, little } = place;
  new DataView(bytes.buffer).setUint16(at, 1, little);
  return new Blob([bytes], { type: blob.type });
}

/** Where a JPEG keeps its orientation: the value of tag 274 in the first directory of the Exif segment. */
function orientationPlace(bytes: Uint8Array): { at: number; little: boolean } | undefined {
  const view = new DataView(bytes.buffer);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda; ) {
    const [marker, length] = [bytes[at + 1], view.getUint16(at + 2)];
    const tiff = at + 10;
    const isExif = marker === 0xe1 && tiff + 8 <= bytes.length && view.getUint32(at + 4) === 0x45786966;
    if (isExif) {
      const little = view.getUint16(tiff) === 0x4949;
      const directory = tiff + view.getUint32(tiff + 4, little);
      const count = directory + 2 <= bytes.length ? view.getUint16(directory, little) : 0;
      for (let i = 0; i < count; i++) {
        const entry = directory + 2 + 12 * i;
        if (entry + 12 > bytes.length) return undefined;
        if (view.getUint16(entry, little) === 274) return { at: entry + 8, little };
      }
    }
    at += 2 + length;
  }
  return undefined;
}
