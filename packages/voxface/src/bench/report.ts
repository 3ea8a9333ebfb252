import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import type { Spread, Timing } from './rounds.ts';

/** What a benchmark measures, and how. */
export interface BenchSettings {
  readonly models: readonly string[];
  readonly backends: readonly string[];
  readonly batch: number;
  readonly rounds: number;
  readonly threads: number;
  /** Folder of annotated photos. */
  readonly photos?: string;
  /** Number of photos of that folder. */
  readonly count: number;
  /** All options as given, for parts with options of their own. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

/** One part of a benchmark: a table, and what was left out. */
export interface BenchSection {
  readonly title: string;
  /** What one row's figures are for, such as `face`. */
  readonly unit?: string;
  readonly timings?: readonly Timing[];
  /** Any other figures: first row is the head. */
  readonly rows?: readonly (readonly string[])[];
  /** What was skipped and why; what a figure means. */
  readonly notes: readonly string[];
}

export type BenchPart = (settings: BenchSettings) => Promise<BenchSection[]>;

/** The machine that figures belong to. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly date: string;
  /** Load average over a minute at the start; other work distorts wall times. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown processor',
    cores: availableParallelism(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    load: Math.round(loadavg()[0] * 10) / 10,
  };
}

/** Sections as Markdown: a line on the machine, then title, table and notes of each. */
export function formatBenchReport(machine: Machine, sections: readonly BenchSection[]): string {
  const head = `${machine.processor}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}, load average ${machine.load} at the start.`;
  return `${[head, ...sections.map(formatSection)].join('\n\n')}\n`;
}

function formatSection({ title, unit, timings, rows, notes }: BenchSection): string {
  const table = timings?.length ? timingRows(timings, unit ?? 'run') : rows;
  const lines = table && [
    `| ${table[0].join(' | ')} |`,
    `|${table[0].map(() => '---').join('|')}|`,
    ...table.slice(1).map((row) => `| ${row.join(' | ')} |`),
  ];
  return [`## ${title}`, lines?.join('\n'), notes.map((note) => `- ${note}`).join('\n')]
    .filter(Boolean)
    .join('\n\n');
}

function timingRows(timings: readonly Timing[], unit: string): string[][] {
  const head = [
    'what',
    `ms per ${unit} (quartiles)`,
    `${unit}s/s`,
    'time over the first (quartiles)',
    'processor ms',
    'over the first',
    'rounds',
  ];
  return [
    head,
    ...timings.map(({ name, rounds, wall, cpu, ratio, cpuRatio }) => [
      name,
      spread(wall, 1),
      (1000 / wall.median).toFixed(1),
      spread(ratio, 2),
      cpu.median.toFixed(1),
      cpuRatio.median.toFixed(2),
      String(rounds),
    ]),
  ];
}

function spread({ median, low, high }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} .. ${high.toFixed(digits)})`;
}

/** Prints the report and writes the requested files. */
export async function writeReportFiles(
  machine: Machine,
  sections: readonly BenchSection[],
  files: { json?: string; markdown?: string },
): Promise<void> {
  const text = formatBenchReport(machine, sections);
  console.log(text);
  if (files.markdown) await writeFile(files.markdown, text);
  if (files.json) await writeFile(files.json, `${JSON.stringify({ machine, sections }, null, 1)}\n`);
}
