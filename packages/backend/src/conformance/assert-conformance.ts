import type { ConformanceReport } from './run-conformance.ts';

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
