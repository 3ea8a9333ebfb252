import type { ConformanceReport } from './run-conformance.ts';

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
