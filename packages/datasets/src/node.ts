export { KEYPOINT_CSV_DEFAULTS, type KeypointCsvOptions } from './keypoint-csv.ts';
export { type ConvertOptions, type ConvertReport, convertDataset } from './node/convert-dataset.ts';
export {
  CROP_WORKERS_DEFAULTS,
  type CropWorkers,
  type CropWorkersOptions,
  createCropWorkers,
  createWorkerBatches,
  startWorker,
} from './node/crop-workers.ts';
export { keepSettings, LOCK_FILE, lockFolder, type Unlock } from './node/folder-lock.ts';
export {
  type DatasetReport,
  INSPECT_DEFAULTS,
  type InspectOptions,
  inspectDataset,
  mergeReports,
  type Range,
} from './node/inspect-dataset.ts';
export {
  type BoxOrder,
  open3dfaw,
  THREEDFAW_DEFAULTS,
  type ThreeDfawOptions,
} from './node/open-3dfaw.ts';
export {
  open300w,
  PTS_FOLDER_DEFAULTS,
  type PtsFolderOptions,
} from './node/open-300w.ts';
export {
  FACE_PROFILES_DEFAULTS,
  type FaceProfilesOptions,
  open300wLp,
  open300wLpPlane,
  type ProfilePoints,
} from './node/open-300w-lp.ts';
export { AFLW_DEFAULTS, type AflwOptions, openAflw } from './node/open-aflw.ts';
export {
  type Aflw2000Annotations,
  type Aflw20003dOptions,
  convertPoints68,
  openAflw2000Reannotated,
  openAflw2000Visible21,
  openAflw20003d,
  readAflw2000Annotations,
} from './node/open-aflw2000-3d.ts';
export { COCO_DEFAULTS, type CocoOptions, openCoco } from './node/open-coco.ts';
export { type OpenDatasetOptions, openDataset, recognizeDataset } from './node/open-dataset.ts';
export { JVCR_JSON_DEFAULTS, type JvcrJsonOptions, openJvcrJson } from './node/open-jvcr-json.ts';
export { openKeypointCsv } from './node/open-keypoint-csv.ts';
export { MERL_RAV_DEFAULTS, type MerlRavOptions, openMerlRav } from './node/open-merl-rav.ts';
export { joinPackedSet, openPackedSet } from './node/open-packed-set.ts';
export { openWebDataset } from './node/open-webdataset.ts';
export { openWflw, WFLW_ATTRIBUTES, WFLW_DEFAULTS, type WflwOptions } from './node/open-wflw.ts';
export {
  createPackedSetWriter,
  PACKED_SET_WRITER_DEFAULTS,
  type PackedSetWriter,
  type PackedSetWriterOptions,
  readLines,
  writePackedSet,
} from './node/packed-set-writer.ts';
export {
  DECODE_IMAGE_DEFAULTS,
  type DecodeImageOptions,
  decodeImage,
  IMAGE_EXTENSIONS,
  isTurnedPicture,
  readImage,
} from './node/read-image.ts';
export { NPZ_DEFAULTS, type NpyArray, type NpzOptions, readNpy, readNpz } from './node/read-npy.ts';
