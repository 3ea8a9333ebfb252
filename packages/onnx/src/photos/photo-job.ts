import type { Box } from '@voxface/landmarks';
import type { LocatedFace, PredictorOptions } from '@voxface/models';
import type { DetectorOptions } from '@voxface/models/face-api';
import type { ExportedDetector } from '../create-onnx-detector.ts';

/** What every thread is told when it starts. */
export interface ThreadSetup {
  /** The model as an ONNX file, in shared memory. */
  readonly model: Uint8Array;
  readonly detector: ExportedDetector | null;
  readonly detectorOptions: DetectorOptions;
  readonly predictorOptions: PredictorOptions;
  readonly orient: boolean;
}

export interface PhotoRequest {
  readonly file: string;
  /** Known face boxes; absent: the detector looks. */
  readonly boxes?: readonly Box[];
}

/** Some photos for one thread. */
export interface PhotoJob {
  readonly photos: readonly { readonly index: number; readonly request: PhotoRequest }[];
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
  /** The last photo of its job. */
  readonly last: boolean;
}
