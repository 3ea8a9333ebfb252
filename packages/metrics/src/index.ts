export {
  applySimilarity,
  fitSimilarity,
  type Similarity,
} from '@voxface/landmarks';
export {
  type Accumulator,
  type AccumulatorState,
  createAccumulator,
  type Evaluation,
  type EvaluationSummary,
  evaluateProtocol,
  type ImageError,
} from './create-accumulator.ts';
export {
  type AreaMethod,
  areaUnderCurve,
  cumulativeErrors,
  errorThresholds,
  failureRate,
} from './cumulative-errors.ts';
export {
  formatEvaluation,
  formatReport,
  type ReportJson,
  type ReportReference,
  type ReportRow,
  type ReportSummary,
  toReportJson,
} from './format-report.ts';
export {
  boxDiagonal,
  boxSize,
  cvgtce,
  type DepthAlignment,
  fixedNormalizer,
  GTE_DEFAULTS,
  type GteOptions,
  gte,
  interocular,
  interPupil,
  type NmeOptions,
  type Normalizer,
  nme,
  pointErrors,
} from './nme.ts';
export {
  BOOTSTRAP_DEFAULTS,
  type BootstrapOptions,
  type BootstrapResult,
  pairedBootstrap,
} from './paired-bootstrap.ts';
export { findProtocol, PROTOCOLS, type Protocol } from './protocols.ts';
export { type ScoredFace, scoreFace } from './score-face.ts';
export {
  ANGLE_EDGES,
  type AngleBin,
  type ErrorSummary,
  summarizeBins,
  summarizeByAngle,
  summarizeByYaw,
  summarizeErrors,
  YAW_EDGES,
  type YawBin,
  type YawSummary,
} from './summarize-errors.ts';
