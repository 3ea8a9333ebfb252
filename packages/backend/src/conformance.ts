export {
  assertConformance,
  CONFORMANCE_DEFAULTS,
  type ConformanceCase,
  type ConformanceOptions,
  type ConformanceReport,
  type ConformanceResult,
  conformanceCases,
  runConformance,
  summarizeConformance,
} from './conformance/run-conformance.ts';
