import {
  IBUG_68_TO_3DFAW_66,
  IBUG_68_TO_AFLW_21,
  IBUG_68_TO_FIVE_POINTS,
  IBUG_68_TO_INNER_51,
  type LandmarkMap,
  mapLandmarks,
  toPlane,
} from '@voxface/landmarks';
import type { Annotation, Dataset } from './sample.ts';

/** Landmark sets that 68-point annotation can be reduced to (Table VI of the paper), by name of the scheme. */
export const REDUCTIONS: Readonly<Record<string, LandmarkMap>> = Object.fromEntries(
  [IBUG_68_TO_FIVE_POINTS, IBUG_68_TO_AFLW_21, IBUG_68_TO_INNER_51, IBUG_68_TO_3DFAW_66].map((map) => [
    map.to.name,
    map,
  ]),
);

/**
 * A view of a dataset in another annotation scheme. Boxes stay those of all landmarks: crops and normalisation are
 * the same for every subset.
 * @throws RangeError when the dataset is not of the map's source scheme.
 */
export function createMappedDataset<D extends 2 | 3>(dataset: Dataset<D>, map: LandmarkMap): Dataset<D> {
  if (dataset.scheme.name !== map.from.name) {
    throw new RangeError(
      `createMappedDataset: expected landmarks of ${map.from.name}, got ${dataset.scheme.name} in ${dataset.name}`,
    );
  }
  const reduce = <T extends Annotation<D>>(item: T): T => {
    const { visible } = item;
    const shown = visible && {
      visible: Uint8Array.from(map.sources, (sources) => Number(sources.every((n) => visible[n] !== 0))),
    };
    return { ...item, landmarks: mapLandmarks(item.landmarks, map), scheme: map.to, ...shown };
  };
  const { annotate, loadEncoded } = dataset;
  return {
    name: dataset.name,
    scheme: map.to,
    dims: dataset.dims,
    length: dataset.length,
    ids: dataset.ids,
    load: async (index) => reduce(await dataset.load(index)),
    ...(annotate && { annotate: async (index: number) => reduce(await annotate(index)) }),
    ...(loadEncoded && { loadEncoded: async (index: number) => reduce(await loadEncoded(index)) }),
  };
}

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
