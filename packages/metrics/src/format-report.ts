import type { Evaluation, EvaluationSummary } from './create-accumulator.ts';
import type { AngleBin, YawBin } from './summarize-errors.ts';

/** A result of a method under a protocol. */
export interface ReportRow {
  readonly method: string;
  readonly evaluation: Evaluation;
}

/** Rows from the literature to set beside the results; see `@voxface/metrics/published`. */
export interface ReportReference {
  readonly caption: string;
  /** Headings of the values. */
  readonly columns: readonly string[];
  /** Percent; null where the source has no figure. */
  readonly rows: readonly { readonly method: string; readonly values: readonly (number | null)[] }[];
}

/**
 * Results of one protocol as a Markdown table in the layout of Tables I to IV: bins of |yaw| with their mean and
 * sample standard deviation where the faces have a yaw, one figure otherwise. Percent with two decimals.
 * @param reference published rows, put first; its columns must be those of the table.
 * @throws RangeError when there is no row, protocols differ, or the reference has other columns.
 */
export function formatReport(rows: readonly ReportRow[], reference?: ReportReference): string {
  if (rows.length === 0) throw new RangeError('formatReport: expected at least one row, got none');
  const { protocol, bins, limit } = rows[0].evaluation;
  const different = rows.find(({ evaluation }) => evaluation.protocol !== protocol);
  if (different) {
    throw new RangeError(
      `formatReport: all rows must share one protocol, got ${protocol} and ${different.evaluation.protocol}`,
    );
  }
  const main = bins.length > 0 ? [...bins.map(binTitle), 'mean', 'std'] : ['NME'];
  if (reference && reference.columns.length !== main.length) {
    throw new RangeError(
      `formatReport: the reference must have the columns ${main.join(', ')}, got ${reference.columns.join(', ')}`,
    );
  }
  const at = percent(limit);
  const columns = ['Method', ...main, 'image mean', 'median', `AUC@${at}`, `FR@${at}`, 'images', 'missed'];
  const published = (reference?.rows ?? []).map(({ method, values }) => [
    method,
    ...values.map((value) => (value === null ? '-' : value.toFixed(2))),
    ...columns.slice(main.length + 1).map(() => '-'),
  ]);
  const lines = [columns, columns.map((_, i) => (i ? '---:' : '---')), ...published, ...rows.map(rowCells)];
  const caption = reference ? `\n\nRows with - only: ${reference.caption}.` : '';
  return `NME (%) by ${protocol}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}${caption}\n`;
}

/** What `ReportJson` says of a set and of each named part; percent. */
export interface ReportSummary {
  count: number;
  missed: number;
  nme: { mean: number; median: number; std: number };
  auc: number;
  failureRate: number;
}

/** A result as plain data in percent, the layout that `voxface evaluate --json` writes. */
export interface ReportJson extends ReportSummary {
  dataset: string;
  model: string;
  protocol: string;
  /** `to` is null for the last, open bin. */
  bins: { from: number; to: number | null; count: number; mean: number | null }[];
  binMean: number | null;
  binStd: number | null;
  /** Limit of AUC and failure rate. */
  limit: number;
  /** Named parts of the set (300W: common, challenging; WFLW: its six); empty where it holds one or none of them. */
  subsets: (ReportSummary & { name: string })[];
  /** By pitch and |roll|; `from` and `to` are null where a bin is open. */
  angles: {
    name: string;
    bins: { from: number | null; to: number | null; count: number; mean: number | null }[];
  }[];
  perImage: { id: string; nme: number | null; yaw: number | null }[];
  /** Mean error of each landmark over the faces that show it; written by `voxface evaluate`, null where none does. */
  perLandmark?: (number | null)[];
}

/** Turns an evaluation into plain data: errors and shares in percent to four decimals, angles in degrees. */
export function toReportJson(
  evaluation: Evaluation,
  { dataset, model }: { dataset: string; model: string },
): ReportJson {
  return {
    dataset,
    model,
    protocol: evaluation.protocol,
    ...summaryJson(evaluation),
    bins: evaluation.bins.map(binJson) as ReportJson['bins'],
    binMean: inPercent(evaluation.binMean),
    binStd: inPercent(evaluation.binStd),
    limit: inPercent(evaluation.limit),
    subsets: evaluation.subsets.map((part) => ({ name: part.name, ...summaryJson(part) })),
    angles: evaluation.angles.map(({ name, bins }) => ({ name, bins: bins.map(binJson) })),
    perImage: evaluation.perImage.map(({ id, nme, yaw }) => ({
      id,
      nme: inPercent(nme),
      yaw: yaw ?? null,
    })),
  };
}

function binJson({ from, to, count, mean }: AngleBin): ReportJson['angles'][number]['bins'][number] {
  const [start, end] = [from, to].map((edge) => (Number.isFinite(edge) ? edge : null));
  return { from: start, to: end, count, mean: inPercent(mean) };
}

function summaryJson({ count, missed, nme, auc, failureRate }: EvaluationSummary): ReportSummary {
  return {
    count,
    missed,
    nme: { mean: inPercent(nme.mean), median: inPercent(nme.median), std: inPercent(nme.std) },
    auc: inPercent(auc),
    failureRate: inPercent(failureRate),
  };
}

function inPercent<T extends number | null>(value: T): T {
  return (value === null ? null : Math.round(value * 1e6) / 1e4) as T;
}

/** A result in a few lines for the terminal; percent with two decimals. */
export function formatEvaluation(
  evaluation: Evaluation,
  { dataset, model }: { dataset: string; model: string },
): string {
  const { nme, bins, limit, subsets, protocol, count, missed } = evaluation;
  const two = (value: number | null): string => (value === null ? '-' : (100 * value).toFixed(2));
  const lines = [
    `${model} on ${dataset}, ${protocol}: ${count} faces, ${missed} missed`,
    `NME ${two(nme.mean)} % (median ${two(nme.median)}, std ${two(nme.std)})`,
    `AUC@${(100 * limit).toFixed(0)} ${two(evaluation.auc)}, failure rate ${two(evaluation.failureRate)} %`,
  ];
  for (const part of subsets.length > 0 ? [...subsets, { name: 'full', ...evaluation }] : []) {
    lines.push(
      `${part.name.padEnd(12)} ${two(part.nme.mean)} % (${part.count} faces${part.missed ? `, ${part.missed} missed` : ''}, AUC ${two(part.auc)}, failure rate ${two(part.failureRate)} %)`,
    );
  }
  if (bins.length > 0) {
    const cells = bins.map(
      ({ from, to, mean, count }) =>
        `${Number.isFinite(to) ? `${from}-${to}` : `>${from}`}: ${two(mean)} (${count})`,
    );
    lines.push(`|yaw| ${cells.join('  ')}  bin mean ${two(evaluation.binMean)}`);
  }
  for (const { name, bins: parts } of evaluation.angles) {
    const cells = parts.map(
      ({ from, to, mean, count }) =>
        `${Number.isFinite(from) ? from : ''}..${Number.isFinite(to) ? to : ''}: ${two(mean)} (${count})`,
    );
    lines.push(`${name === 'roll' ? '|roll|' : name} ${cells.join('  ')}`);
  }
  return lines.join('\n');
}

function rowCells({ method, evaluation }: ReportRow): string[] {
  const { bins, binMean, binStd, nme, auc, failureRate, count, missed } = evaluation;
  const main = bins.length > 0 ? [...bins.map(({ mean }) => mean), binMean, binStd] : [nme.mean];
  return [
    method,
    ...[...main, nme.mean, nme.median, auc, failureRate].map((value) =>
      value === null ? '-' : (100 * value).toFixed(2),
    ),
    String(count),
    String(missed),
  ];
}

const binTitle = ({ from, to }: YawBin): string => `[${from}, ${Number.isFinite(to) ? to : 90}]`;
const percent = (value: number): string => `${Number((100 * value).toFixed(6))} %`;
