/** Building blocks of `voxface bench`, which the repository's own benchmarks extend. */
export { BENCH_SUITE, type BenchSuite, runBench } from './bench/bench.ts';
export {
  benchModels,
  type CandidateOpener,
  type CandidateSettings,
  countThreads,
  openBenchModel,
  openCandidates,
} from './bench/candidates.ts';
export { addBenchOptions } from './bench/command.ts';
export type { BenchPart, BenchSection, BenchSettings } from './bench/report.ts';
export { type Candidate, type Duration, runRounds, type Spread, type Timing } from './bench/rounds.ts';
