import { getBackend, memory, setBackend } from '@tensorflow/tfjs-core';
import { arithmeticCases } from './arithmetic-cases.ts';
import { type ConformanceCase, differenceError, evaluateCase, relativeError } from './case.ts';
import { convolutionCases } from './convolution-cases.ts';
import { poolingCases } from './pooling-cases.ts';
import { type TinyTraining, trainTinyNetwork } from './tiny-network.ts';

export type { ConformanceCase } from './case.ts';
/** Options of `runConformance`. */
export interface ConformanceOptions {
  /** Registered TensorFlow.js backend to check, prepared by `setupBackend`. */
  backend: string;
  /** Backend whose values count as right. @default 'cpu' */
  reference: string;
  /** Largest error against the reference, as a share of the largest value. @default by backend */
  tolerance?: number;
  /** Largest error of gradients against central differences, as a share of the gradient's norm. @default 3e-2 */
  differenceTolerance: number;
  /** Only cases whose `kernel name` contains this. */
  only?: string;
  /** Called with one line per check. */
  log?: (line: string) => void;
}

/** Defaults of `runConformance`. */
export const CONFORMANCE_DEFAULTS: Omit<ConformanceOptions, 'backend'> = {
  reference: 'cpu',
  differenceTolerance: 3e-2,
};

/** Tolerances against the reference by backend: GPU languages round division, square roots and exponentials more freely. */
const TOLERANCES: Record<string, number> = { webgl: 1e-3, webgpu: 1e-3 };

/** Outcome of one check. */
export interface ConformanceResult {
  /** `forward` and `gradient`: against the reference; `difference`: gradient against central differences. */
  check: 'forward' | 'gradient' | 'difference' | 'training step' | 'prediction' | 'memory';
  kernel: string;
  name: string;
  passed: boolean;
  /** Measured error; infinite where the kernel failed. */
  error: number;
  tolerance: number;
  /** What went wrong, where the kernel threw. */
  problem?: string;
}

/** Outcome of the whole suite. */
export interface ConformanceReport {
  backend: string;
  reference: string;
  passed: boolean;
  checks: number;
  failures: ConformanceResult[];
  results: ConformanceResult[];
  milliseconds: number;
}

type Report = (result: Omit<ConformanceResult, 'passed'>) => void;

async function checkCase(
  c: ConformanceCase,
  options: Required<Omit<ConformanceOptions, 'only' | 'log'>>,
  report: Report,
): Promise<void> {
  const { backend, reference, tolerance } = options;
  const base = { kernel: c.kernel, name: c.name };
  const forwardOnly = { ...c, differentiable: false };
  let check: 'forward' | 'gradient' = 'forward';
  try {
    const expected = await evaluateCase(c, reference);
    const { output } = await evaluateCase(forwardOnly, backend);
    report({ ...base, check, error: relativeError(output, expected.output), tolerance });
    if (c.differentiable === false) return;
    check = 'gradient';
    const actual = await evaluateCase(c, backend);
    const errors = expected.gradients.map((gradient, i) => relativeError(actual.gradients[i], gradient));
    report({ ...base, check, error: Math.max(...errors), tolerance });
    const error = await differenceError(c, backend, actual);
    report({ ...base, check: 'difference', error, tolerance: options.differenceTolerance });
  } catch (error) {
    report({ ...base, check, error: Infinity, tolerance, problem: (error as Error).message });
  }
}

async function checkTraining(
  backend: string,
  reference: string,
  tolerance: number,
  report: Report,
): Promise<void> {
  const name = 'tiny network, 3 steps of Adam';
  const kernel = 'network';
  const expected = await trainTinyNetwork(reference);
  let actual: TinyTraining;
  try {
    actual = await trainTinyNetwork(backend);
  } catch (error) {
    const problem = (error as Error).message;
    report({ check: 'training step', kernel, name, error: Infinity, tolerance, problem });
    return;
  }
  // Adam divides by the root of the squared gradient: rounding errors grow from step to step.
  const grown = 20 * tolerance;
  report({
    check: 'training step',
    kernel,
    name,
    error: relativeError(actual.losses, expected.losses),
    tolerance: grown,
  });
  report({
    check: 'prediction',
    kernel,
    name,
    error: relativeError(actual.prediction, expected.prediction),
    tolerance: grown,
  });
  report({
    check: 'memory',
    kernel,
    name: `${name}, tensors left by a step`,
    error: actual.leakedTensors,
    tolerance: 0,
  });
}

/**
 * Checks a backend: every kernel that the networks use against a reference backend and against central differences, then
 * training steps of a tiny network, a prediction, and leaks. Backends must be registered and usable before the call.
 *
 * @throws when the backend or the reference cannot be made current.
 */
export async function runConformance(
  options: Partial<ConformanceOptions> & { backend: string },
): Promise<ConformanceReport> {
  const { backend, only, log } = options;
  const {
    reference = CONFORMANCE_DEFAULTS.reference,
    differenceTolerance = CONFORMANCE_DEFAULTS.differenceTolerance,
    tolerance = TOLERANCES[backend] ?? 1e-4,
  } = options;
  const before = getBackend();
  for (const name of [reference, backend]) {
    if (!(await setBackend(name))) {
      throw new Error(
        `runConformance: backends must be usable, ${name} is not (call setupBackend('${name}') first)`,
      );
    }
  }
  const start = performance.now();
  const results: ConformanceResult[] = [];
  const report: Report = (result) => {
    const passed = result.error <= result.tolerance;
    results.push({ ...result, passed });
    const outcome = `${passed ? 'ok  ' : 'FAIL'} ${result.kernel} ${result.name}, ${result.check}`;
    log?.(`${outcome}: ${result.problem ?? `error ${result.error.toExponential(1)} of ${result.tolerance}`}`);
  };
  const tensors = memory().numTensors;
  const cases = conformanceCases().filter(
    (c) => only === undefined || `${c.kernel} ${c.name}`.includes(only),
  );
  for (const c of cases) await checkCase(c, { backend, reference, tolerance, differenceTolerance }, report);
  report({
    check: 'memory',
    kernel: 'all',
    name: 'tensors left by the kernel checks',
    error: memory().numTensors - tensors,
    tolerance: 0,
  });
  if (only === undefined) await checkTraining(backend, reference, tolerance, report);
  await setBackend(before);
  const failures = results.filter((result) => !result.passed);
  return {
    backend,
    reference,
    passed: failures.length === 0,
    checks: results.length,
    failures,
    results,
    milliseconds: performance.now() - start,
  };
}

/** The report in a few lines: the verdict, then every failure. */
export function summarizeConformance(report: ConformanceReport): string {
  const { backend, reference, checks, failures, milliseconds } = report;
  const seconds = (milliseconds / 1000).toFixed(1);
  const head =
    failures.length === 0
      ? `${backend}: all ${checks} checks against ${reference} passed in ${seconds} s`
      : `${backend}: ${failures.length} of ${checks} checks against ${reference} failed in ${seconds} s`;
  const lines = failures.map(
    (f) =>
      `  ${f.kernel} ${f.name}, ${f.check}: ${f.problem ?? `error ${f.error.toExponential(1)}, allowed ${f.tolerance}`}`,
  );
  return [head, ...lines].join('\n');
}

/**
 * Checks that a conformance report is without failures.
 *
 * @param wayOut what to do about failures, for the message.
 * @throws when checks failed: one line with their number and the first of them.
 */
export function assertConformance(report: ConformanceReport, wayOut: string): void {
  const [first] = report.failures;
  if (first === undefined) return;
  const problem = first.problem ?? `error ${first.error.toExponential(1)}, allowed ${first.tolerance}`;
  throw new Error(
    `assertConformance: every check must pass on ${report.backend}, got ${report.failures.length} of ${report.checks} failed, ` +
      `first ${first.kernel} ${first.name}, ${first.check}: ${problem.split('\n')[0]} (${wayOut})`,
  );
}

/** Every kernel and size that the suite compares. */
export function conformanceCases(): ConformanceCase[] {
  return [...convolutionCases(), ...poolingCases(), ...arithmeticCases()];
}
