import type { Affine } from '@voxface/landmarks';
import type { CropSampleOptions } from '../crop-sample.ts';

/** Decoded RGB pixels that all threads see. */
export interface SharedPicture {
  readonly buffer: SharedArrayBuffer;
  readonly width: number;
  readonly height: number;
}

/** What a worker is asked: one crop out of encoded bytes or out of a shared picture. */
export interface CropJob {
  readonly number: number;
  readonly name: string;
  readonly encoded?: Uint8Array;
  readonly picture?: SharedPicture;
  /** True: send the decoded picture back, to be kept. */
  readonly keep: boolean;
  readonly crop: Affine;
  readonly options: CropSampleOptions;
}

/** What a worker answers. */
export interface CropAnswer {
  readonly number: number;
  readonly error?: string;
  readonly pixels?: Uint8Array;
  readonly width?: number;
  readonly height?: number;
  readonly picture?: SharedPicture;
}
