import type { Annotation, Dataset } from '@voxface/datasets';
import { toPlane } from '@voxface/landmarks';

/** A view of a 3D dataset with x and y only: what a 2D set of the same photos would be. */
export function createPlaneDataset(dataset: Dataset<3>): Dataset<2> {
  const flatten = <T extends Annotation<3>>(item: T) => ({ ...item, landmarks: toPlane(item.landmarks) });
  const { annotate, loadEncoded } = dataset;
  return {
    name: dataset.name,
    scheme: dataset.scheme,
    dims: 2,
    length: dataset.length,
    ids: dataset.ids,
    load: async (index) => flatten(await dataset.load(index)),
    ...(annotate && { annotate: async (index: number) => flatten(await annotate(index)) }),
    ...(loadEncoded && { loadEncoded: async (index: number) => flatten(await loadEncoded(index)) }),
  };
}
