export {
  AUGMENTATION_DEFAULTS,
  type Augmentation,
  type AugmentationOptions,
  drawAugmentation,
  NO_AUGMENTATION,
} from './augmentation.ts';
export {
  BATCH_DEFAULTS,
  type BatchOptions,
  type BatchSource,
  type BatchState,
  type CropPool,
  createBatches,
  type KindOfBatch,
  mixSeed,
  type PairedBatches,
  type PairState,
  pairBatches,
} from './batches.ts';
export { applyGains, type CropSampleOptions, cropOf, cropSample } from './crop-sample.ts';
export {
  annotationOf,
  CACHE_DEFAULTS,
  type CacheOptions,
  cacheDataset,
  concatDatasets,
  createMappedDataset,
  createPlaneDataset,
  filterDataset,
  REDUCTIONS,
  repeatDataset,
  takeSamples,
} from './dataset-views.ts';
export {
  type FaceParameters,
  type LandmarkBasis,
  readFaceParameters,
  rebuildLandmarks,
  rotationOfParameters,
  yawOfParameters,
} from './face-parameters.ts';
export { type KeypointRow, parseKeypointCsv } from './keypoint-csv.ts';
export {
  type PackedSample,
  type PackedSet,
  type PackedSetHead,
  type PackedShard,
  parsePackedSet,
} from './packed-set.ts';
export {
  MAT_DEFAULTS,
  type MatArray,
  type MatFile,
  type MatOptions,
  matVariable,
  parseMat,
} from './parse-mat.ts';
export { formatPts, parsePts } from './parse-pts.ts';
export {
  createRecordDataset,
  type OccludedRule,
  type Problem,
  type ProblemHandler,
  type RecordSource,
} from './record-dataset.ts';
export {
  type Annotation,
  type CroppedSample,
  DATASET_KINDS,
  type Dataset,
  type DatasetKind,
  type EncodedSample,
  type Provenance,
  type Sample,
} from './sample.ts';
export { type Shard, shardFolder, shardIndices, shardOf } from './shard.ts';
