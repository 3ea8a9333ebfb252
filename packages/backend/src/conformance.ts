export {
  assertConformance,
  CONFORMANCE_DEFAULTS,
  type ConformanceOptions,
  type ConformanceReport,
  type ConformanceResult,
  runConformance,
  summarizeConformance,
} from './conformance/run-conformance.ts';
