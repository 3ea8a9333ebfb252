export {
  applySimilarity,
  fitSimilarity,
  type Similarity,
} from '@voxface/landmarks';
export { type AreaMethod, areaUnderCurve } from './area-under-curve.ts';
export {
  type Accumulator,
  type AccumulatorState,
  createAccumulator,
  type Evaluation,
  type EvaluationSummary,
  type ImageError,
} from './create-accumulator.ts';
export { cumulativeErrors, errorThresholds, failureRate } from './cumulative-errors.ts';
export { evaluateProtocol } from './evaluate-protocol.ts';
export {
  formatEvaluation,
  formatReport,
  type ReportJson,
  type ReportReference,
  type ReportRow,
  type ReportSummary,
  toReportJson,
} from './format-report.ts';
export { cvgtce, GTE_DEFAULTS, type GteOptions, gte } from './gte.ts';
export { type NmeOptions, nme } from './nme.ts';
export {
  boxDiagonal,
  boxSize,
  fixedNormalizer,
  interocular,
  interPupil,
  type Normalizer,
} from './normalizers.ts';
export {
  BOOTSTRAP_DEFAULTS,
  type BootstrapOptions,
  type BootstrapResult,
  pairedBootstrap,
} from './paired-bootstrap.ts';
export { type DepthAlignment, pointErrors } from './point-errors.ts';
export { findProtocol, PROTOCOLS, type Protocol } from './protocols.ts';
export { type ScoredFace, scoreFace } from './score-face.ts';
export {
  summarizeBins,
  summarizeByYaw,
  YAW_EDGES,
  type YawBin,
  type YawSummary,
} from './summarize-by-yaw.ts';
export { type ErrorSummary, summarizeErrors } from './summarize-errors.ts';
