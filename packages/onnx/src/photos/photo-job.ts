import type { Box } from '@voxface/landmarks';
import type { DetectorOptions, LocatedFace, PredictorOptions } from '@voxface/predict';

/** What every thread is told when it starts. */
export interface ThreadSetup {
  /** The model as an ONNX file, in shared memory. */
  readonly model: Uint8Array;
  /** The detector as an ONNX file, in shared memory; null when photos come with boxes. */
  readonly detector: Uint8Array | null;
  readonly detectorOptions: DetectorOptions;
  readonly predictorOptions: PredictorOptions;
  readonly orient: boolean;
}

export interface PhotoRequest {
  readonly file: string;
  /** Known face boxes; absent: the detector looks. */
  readonly boxes?: readonly Box[];
}

/** A photo for one thread, in place `index` of the list. */
export interface PhotoJob {
  readonly index: number;
  readonly request: PhotoRequest;
}

/** What came of one photo, in place `index` of the list. */
export interface PhotoAnswer {
  readonly index: number;
  readonly found?: {
    readonly width: number;
    readonly height: number;
    readonly faces: readonly LocatedFace[];
  };
  readonly error?: string;
}
