import type { Dataset } from '../sample.ts';
import { createPackedSetWriter, type PackedSetWriterOptions } from './packed-set-writer.ts';

/**
 * Writes a whole dataset as a packed set. Encoded pictures go in as they are where the dataset offers them.
 * @param onProgress told the number of samples done.
 */
export async function writePackedSet(
  dir: string,
  dataset: Dataset,
  options: PackedSetWriterOptions & {
    onProgress?: (done: number, total: number) => void;
    /** Absent: the first sample that cannot be read throws. */
    onProblem?: (problem: { id: string; error: Error }) => void;
  } = {},
): Promise<void> {
  const { name, dims, scheme } = dataset;
  const writer = await createPackedSetWriter(dir, { name, dims, scheme }, options);
  for (let i = 0; i < dataset.length; i++) {
    if (!writer.ids.has(dataset.ids[i])) {
      try {
        if (dataset.loadEncoded) {
          const { encoded, ...annotation } = await dataset.loadEncoded(i);
          await writer.add(annotation, encoded);
        } else {
          const { image, ...annotation } = await dataset.load(i);
          await writer.add(annotation, image);
        }
      } catch (error) {
        if (!options.onProblem) throw error;
        options.onProblem({ id: dataset.ids[i], error: error as Error });
      }
    }
    options.onProgress?.(i + 1, dataset.length);
  }
  await writer.close();
}
