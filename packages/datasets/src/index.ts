export { annotationOf, concatDatasets, filterDataset, repeatDataset, takeSamples } from './arrange.ts';
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
} from './batches.ts';
export { CACHE_DEFAULTS, type CacheOptions, cacheDataset } from './cache-dataset.ts';
export { applyGains, type CropSampleOptions, cropOf, cropSample } from './crop-sample.ts';
export { createMappedDataset, createPlaneDataset, REDUCTIONS } from './dataset-views.ts';
export {
  type FaceParameters,
  type LandmarkBasis,
  readFaceParameters,
  rebuildLandmarks,
  rotationOfParameters,
  yawOfParameters,
} from './face-parameters.ts';
export { mixSeed } from './mix-seed.ts';
export { type PackedSample, type PackedSet, parsePackedSet } from './packed-set.ts';
export { type KindOfBatch, type PairedBatches, type PairState, pairBatches } from './pair-batches.ts';
export { type KeypointRow, parseKeypointCsv } from './parse-keypoint-csv.ts';
export { type MatArray, type MatFile, matVariable, parseMat } from './parse-mat.ts';
export { formatPts, parsePts } from './parse-pts.ts';
export { createRecordDataset, type OccludedRule, type RecordSource } from './record-dataset.ts';
export type {
  Annotation,
  CroppedSample,
  Dataset,
  EncodedSample,
  Provenance,
  Sample,
} from './sample.ts';
