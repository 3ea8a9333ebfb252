import { cropAffine, cropPixels, invertAffine, type Pixels, transformLandmarks } from '@voxface/landmarks';
import type { Annotation, Dataset } from '../sample.ts';
import { type OpenDatasetOptions, openDataset } from './open-dataset.ts';
import { createPackedSetWriter, type PackedSetWriterOptions } from './packed-set-writer.ts';

export interface ConvertOptions extends OpenDatasetOptions, PackedSetWriterOptions {
  /**
   * Store only the face, `scale` times the longer side of its box, at `size` x `size` pixels: smaller and faster to
   * read, but training then resamples a second time.
   * @default pictures are stored as they are
   */
  face?: { scale: number; size: number };
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** What a conversion did. */
export interface ConvertReport {
  /** Samples in the packed set. */
  readonly count: number;
  readonly broken: readonly { id: string; problem: string }[];
}

/**
 * Writes a dataset in our own format. Broken samples are left out and reported. An interrupted conversion goes on
 * where it was with `resume: true`.
 * @param target a folder or annotation file (opened by `openDataset`), or an opened dataset.
 * @throws Error when the dataset cannot be opened, or the folder already holds a set and `resume` is not set.
 * @example
 * ```js
 * import { takeSamples } from '@voxface/datasets';
 * import { convertDataset, open300w, openPackedSet } from '@voxface/datasets/node';
 *
 * const afw = takeSamples(await open300w('300w/afw'), [0, 1, 2]);
 * await convertDataset(afw, 'packed/afw', { face: { scale: 2, size: 192 } });
 * console.log((await openPackedSet('packed/afw')).length); // => 3
 * ```
 */
export async function convertDataset(
  target: string | Dataset,
  outDir: string,
  options: ConvertOptions = {},
): Promise<ConvertReport> {
  const broken: { id: string; problem: string }[] = [];
  const report = (problem: { id: string; error: Error }): void => {
    broken.push({ id: problem.id, problem: problem.error.message });
    options.onProblem?.(problem);
  };
  const dataset =
    typeof target === 'string' ? await openDataset(target, { ...options, onProblem: report }) : target;
  const { name, dims, scheme } = dataset;
  const writer = await createPackedSetWriter(outDir, { name, dims, scheme }, options);
  try {
    for (let i = 0; i < dataset.length; i++) {
      options.signal?.throwIfAborted();
      if (!writer.ids.has(dataset.ids[i])) {
        let read: [Annotation, Uint8Array | Pixels] | undefined;
        try {
          read = await readForWriting(dataset, i, options);
        } catch (error) {
          report({ id: dataset.ids[i], error: error as Error });
        }
        if (read) await writer.add(...read);
      }
      options.onProgress?.(i + 1, dataset.length);
    }
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  await writer.close();
  return { count: writer.ids.size, broken };
}

/** Decodes every picture, so that no broken one gets into the set; keeps the original bytes where it can. */
async function readForWriting(
  dataset: Dataset,
  index: number,
  { face, decoded }: ConvertOptions,
): Promise<[Annotation, Uint8Array | Pixels]> {
  const { image, ...annotation } = await dataset.load(index);
  if (face) return cutFace(annotation, image, face);
  if (decoded || !dataset.loadEncoded) return [annotation, image];
  return [annotation, (await dataset.loadEncoded(index)).encoded];
}

function cutFace(
  annotation: Annotation,
  image: Pixels,
  { scale, size }: { scale: number; size: number },
): [Annotation, Pixels] {
  const crop = cropAffine(annotation.box, { scale });
  const side = 1 / crop[0];
  const [, , , , x, y] = invertAffine(crop);
  const factor = size / side;
  const landmarks = transformLandmarks(annotation.landmarks, [
    factor,
    0,
    0,
    factor,
    -factor * x - 0.5,
    -factor * y - 0.5,
  ]);
  const { box, provenance } = annotation;
  return [
    {
      ...annotation,
      landmarks,
      box: {
        x: factor * (box.x - x) - 0.5,
        y: factor * (box.y - y) - 0.5,
        width: box.width * factor,
        height: box.height * factor,
      },
      provenance: {
        ...provenance,
        conversions: [...provenance.conversions, `cut to ${scale} x box at ${size} x ${size} pixels`],
      },
    },
    { data: cropPixels(image, crop, size), width: size, height: size, channels: 3 },
  ];
}
