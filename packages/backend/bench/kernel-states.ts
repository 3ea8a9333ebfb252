// Outcome of the conformance suite per kernel, for the table of docs/backends.md; used in Node and in the page.
import type { ConformanceReport } from '../src/conformance.ts';

/** What became of a kernel's checks. */
export type State = 'ok' | 'missing' | 'wrong';

/** A backend's states by row of the table (forward and gradient apart), and its counts. */
export interface Measured {
  table: Record<string, State>;
  checks: number;
  failures: number;
}

/** Worst outcome per kernel, forward and gradient. */
export function kernelStates(report: ConformanceReport): Measured {
  const table: Record<string, State> = {};
  for (const { kernel, check, passed, problem } of report.results) {
    if (kernel === 'all' || kernel === 'network') continue;
    const row = check === 'forward' ? kernel : `${kernel}, gradient`;
    const isMissing = /not registered|not found|not yet supported/.test(problem ?? '');
    const state: State = passed ? 'ok' : isMissing ? 'missing' : 'wrong';
    if (table[row] === undefined || table[row] === 'ok') table[row] = state;
  }
  return { table, checks: report.checks, failures: report.failures.length };
}
