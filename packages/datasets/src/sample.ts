import type { Affine, Box, LandmarkScheme, Landmarks, Pixels } from '@voxface/landmarks';

/** Where a sample came from, so that it can be found and explained. */
export interface Provenance {
  readonly dataset: string;
  /** Files that the sample was read from, relative to the dataset's root. */
  readonly files: readonly string[];
  /** What was done to the numbers of the file (1-based to 0-based, z sign, ...). */
  readonly conversions: readonly string[];
}

/** What is known of one face without its picture, in canonical form: 0-based pixels, +z away from the camera. */
export interface Annotation<D extends 2 | 3 = 2 | 3> {
  readonly id: string;
  /** [n, D] in image pixels. */
  readonly landmarks: Landmarks<D>;
  readonly scheme: LandmarkScheme;
  /** Tight box of the (visible) landmarks unless the dataset brings its own. */
  readonly box: Box;
  /** [n] 1 = counts, 0 = not annotated (its point is a stand-in at the box's centre) or masked; absent means all. */
  readonly visible?: Uint8Array;
  /** [n] 1 = annotated by a guess, because something hides the point; absent where the dataset does not say. */
  readonly occluded?: Uint8Array;
  /** The points refer to the picture turned upright by its orientation tag; absent: to the stored pixels. */
  readonly upright?: boolean;
  /** Degrees, right-positive; absent where the dataset does not say. */
  readonly yaw?: number;
  /** What else the dataset says of the face (WFLW's flags, ...). */
  readonly attributes?: Readonly<Record<string, boolean | number | string>>;
  readonly provenance: Provenance;
}

/** One face of a photo in canonical form. D = 2 or 3. */
export interface Sample<D extends 2 | 3 = 2 | 3> extends Annotation<D> {
  readonly image: Pixels;
}

/** One face with its picture still encoded: what is sent to a worker that decodes. */
export interface EncodedSample<D extends 2 | 3 = 2 | 3> extends Annotation<D> {
  /** The image file's bytes (JPEG, PNG, ...). */
  readonly encoded: Uint8Array;
}

/** A list of faces, loaded one at a time. */
export interface Dataset<D extends 2 | 3 = 2 | 3> {
  readonly name: string;
  readonly scheme: LandmarkScheme;
  readonly dims: D;
  readonly length: number;
  /** One identifier per sample, unique. */
  readonly ids: readonly string[];
  /**
   * Indices at which a shard begins, ascending from 0: samples of one shard lie side by side in its files, so that reading them together
   * is cheap. Absent: any order is as good.
   */
  readonly shards?: readonly number[];
  /** Reads and decodes sample `index`. */
  load(index: number): Promise<Sample<D>>;
  /** Reads everything but the picture of sample `index`. */
  annotate?(index: number): Promise<Annotation<D>>;
  /** Reads sample `index` without decoding its picture; datasets that have it can be decoded in workers. */
  loadEncoded?(index: number): Promise<EncodedSample<D>>;
}

/** A sample cut to the network's input, in crop unit space. */
export interface CroppedSample<D extends 2 | 3 = 2 | 3> {
  readonly id: string;
  /** RGB bytes [size, size, 3]. */
  readonly pixels: Uint8Array;
  readonly size: number;
  /** [n, D]; x, y in 0..1 across the crop, z in crop sides with zero mean. */
  readonly landmarks: Landmarks<D>;
  readonly visible?: Uint8Array;
  /** Image pixels to crop unit space, before mirroring. */
  readonly crop: Affine;
  readonly mirrored: boolean;
}

/** Formats of datasets, one name each: `kind` of `openDataset`, `format` of a training configuration, `--dataset` and `--kind` of the command. */
export const DATASET_KINDS = [
  'packed',
  '300w',
  '300w-lp',
  'aflw2000-3d',
  'aflw',
  'wflw',
  'keypoint-csv',
  'merl-rav',
  'coco',
  'jvcr-json',
  '3dfaw',
  'webdataset',
] as const;

export type DatasetKind = (typeof DATASET_KINDS)[number];
