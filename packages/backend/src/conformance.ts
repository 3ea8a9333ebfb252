export { assertConformance } from './conformance/assert-conformance.ts';
export { type ConformanceCase, conformanceCases } from './conformance/cases.ts';
export {
  CONFORMANCE_DEFAULTS,
  type ConformanceOptions,
  type ConformanceReport,
  type ConformanceResult,
  runConformance,
} from './conformance/run-conformance.ts';
export { summarizeConformance } from './conformance/summarize.ts';
