export {
  CROP_WORKERS_DEFAULTS,
  type CropWorkers,
  type CropWorkersOptions,
  createCropWorkers,
} from './node/crop-workers.ts';
export { decodeImage, readImage } from './node/decode-image.ts';
export {
  open300w,
  type ProblemHandler,
  PTS_FOLDER_DEFAULTS,
  type PtsFolderOptions,
} from './node/open-300w.ts';
export {
  KEYPOINT_CSV_DEFAULTS,
  type KeypointCsvOptions,
  openKeypointCsv,
} from './node/open-keypoint-csv.ts';
export { openPackedSet, openVoxfaceDataset } from './node/open-packed-set.ts';
export {
  createPackedSetWriter,
  PACKED_SET_WRITER_DEFAULTS,
  type PackedSetHead,
  type PackedSetWriter,
  type PackedSetWriterOptions,
  writePackedSet,
} from './node/packed-set-writer.ts';
export { createWorkerBatches } from './node/worker-batches.ts';
