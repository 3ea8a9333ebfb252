import { withDefaults } from '@voxface/landmarks';
import type { TopLevelSpec } from 'vega-lite';
import { SERIES_COLORS, type ThemeName, themeOf, toHex } from './svg.ts';

/** Errors of one method on one set. */
export interface CedCurve {
  readonly name: string;
  /** One error per image, fractions; Infinity for a face that was missed. */
  readonly errors: ArrayLike<number>;
}

export interface CedOptions {
  /** Largest error shown, a fraction. @default 0.08 */
  limit?: number;
  /** Pixels of the plot's inside. @default 460 */
  width?: number;
  /** @default 320 */
  height?: number;
  /** Label of the error axis; ` (%)` is added. @default 'normalized mean error' */
  label?: string;
  /** @default '' */
  title?: string;
  /** @default 'light' */
  theme?: ThemeName;
}

export const CED_DEFAULTS: Required<CedOptions> = {
  limit: 0.08,
  width: 460,
  height: 320,
  label: 'normalized mean error',
  title: '',
  theme: 'light',
};

/**
 * Cumulative error distribution: for every error, the share of images that stay at or under it. Exact steps, no
 * bins; the legend gives the mean error of the images that were found.
 * @throws RangeError when there is no curve, a curve has no error, or an error is negative or NaN.
 * @example
 * ```js
 * import { cedSvg } from '@voxface/plots';
 *
 * const svg = await cedSvg([{ name: 'mine', errors: [0.02, 0.03, 0.05] }], { limit: 0.07 });
 * console.log(svg.startsWith('<svg')); // => true
 * ```
 */
export async function cedSvg(curves: readonly CedCurve[], options: CedOptions = {}): Promise<string> {
  const { limit, width, height, label, title, theme } = withDefaults(CED_DEFAULTS, options);
  if (curves.length === 0) throw new RangeError('cedSvg: expected at least one curve, got none');
  if (!(limit > 0)) throw new RangeError(`cedSvg: limit must be positive, got ${limit}`);
  const names = curves.map(legendName);
  const values = curves.flatMap((curve, i) =>
    cedSteps(curve, limit).map(([error, share]) => ({
      error: error * 100,
      share: share * 100,
      curve: names[i],
    })),
  );
  return chartSvg(
    {
      width,
      height,
      ...(title ? { title } : {}),
      data: { values },
      mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, clip: true },
      encoding: {
        x: {
          field: 'error',
          type: 'quantitative',
          title: `${label} (%)`,
          scale: { domain: [0, limit * 100], nice: false },
        },
        y: { field: 'share', type: 'quantitative', title: 'images (%)', scale: { domain: [0, 100] } },
        color: {
          field: 'curve',
          type: 'nominal',
          sort: names,
          title: null,
          legend: { orient: 'bottom', columns: 1 },
        },
      },
    },
    theme,
  );
}

/** [error, share] corners of the step curve from 0 to `limit`. */
function cedSteps(curve: CedCurve, limit: number): [number, number][] {
  const sorted = Float64Array.from(curve.errors).sort();
  const steps: [number, number][] = [[0, 0]];
  sorted.forEach((error, i) => {
    if (error <= limit && error !== sorted[i + 1]) steps.push([error, (i + 1) / sorted.length]);
  });
  steps.push([limit, steps[steps.length - 1][1]]);
  return steps;
}

function legendName(curve: CedCurve): string {
  if (curve.errors.length === 0) {
    throw new RangeError(`cedSvg: expected at least one error, got none in ${curve.name}`);
  }
  let sum = 0;
  let found = 0;
  for (let i = 0; i < curve.errors.length; i++) {
    const error = curve.errors[i];
    if (!(error >= 0))
      throw new RangeError(`cedSvg: errors must not be negative, got ${error} in ${curve.name}`);
    if (Number.isFinite(error)) {
      sum += error;
      found++;
    }
  }
  return found === 0
    ? `${curve.name} (none found)`
    : `${curve.name} (mean ${((100 * sum) / found).toFixed(2)} %)`;
}

/** One small chart: which fields of the log it shows, and how. */
export interface TrainingPanel {
  readonly title: string;
  readonly type: 'step' | 'evaluation';
  /** Field of the record that holds the numbers, '' for the record itself. */
  readonly group: string;
  /** Names of the numbers in there; all if omitted. In `results`, a name is `nme, DATASET`. */
  readonly match?: RegExp;
  readonly scale?: 'linear' | 'log';
  /** Values are multiplied by this. */
  readonly factor?: number;
}

/** Panels of the paper's Figs. 10 and 11 and the ones that show whether a run is healthy. */
export const TRAINING_PANELS: readonly TrainingPanel[] = [
  { title: 'Volume loss (Eq. 5, 7)', type: 'step', group: 'losses', match: /^volume/, scale: 'log' },
  { title: 'Coordinate loss (Eq. 6, 8)', type: 'step', group: 'losses', match: /coordinate/i, scale: 'log' },
  {
    title: 'Reconstruction, real and fake (Eq. 10)',
    type: 'step',
    group: 'losses',
    match: /^(real|fake|adversarial)$/,
    scale: 'log',
  },
  { title: 'γ real − fake', type: 'step', group: '', match: /^gap$/ },
  { title: 'μ (Eq. 12)', type: 'step', group: '', match: /^mu$/ },
  { title: 'NME (%)', type: 'evaluation', group: 'results', match: /^nme/, factor: 100 },
  { title: 'Explained volume energy', type: 'step', group: 'explained' },
  { title: 'Learning rate', type: 'step', group: '', match: /^learningRate$/, scale: 'log' },
  { title: 'Gradient norm', type: 'step', group: 'norms', scale: 'log' },
];

export interface TrainingCurvesOptions {
  /** @default TRAINING_PANELS */
  panels?: readonly TrainingPanel[];
  /** Step records are averaged into at most this many points per curve. @default 300 */
  points?: number;
  /** @default 2 */
  columns?: number;
  /** Pixels of one panel's inside. @default 340 */
  width?: number;
  /** @default 190 */
  height?: number;
  /** @default '' */
  title?: string;
  /** @default 'light' */
  theme?: ThemeName;
}

export const TRAINING_CURVES_DEFAULTS: Required<TrainingCurvesOptions> = {
  panels: TRAINING_PANELS,
  points: 300,
  columns: 2,
  width: 340,
  height: 190,
  title: '',
  theme: 'light',
};

interface Point {
  readonly step: number;
  readonly value: number;
  readonly curve: string;
}

/**
 * Curves of a training run from its log records (`parseTrainingLog`): one panel per kind of quantity that the log
 * holds.
 * @throws RangeError when no panel finds a number to draw.
 */
export async function trainingCurvesSvg(
  records: readonly TrainingRecord[],
  options: TrainingCurvesOptions = {},
): Promise<string> {
  const settings = withDefaults(TRAINING_CURVES_DEFAULTS, options);
  const rows = records.map((record) => ({ record, fields: numericFields(record) }));
  const concat = settings.panels.flatMap((panel) => {
    const values = collectPoints(panel, rows, settings.points);
    return values.length === 0 ? [] : [panelSpec(panel, values, settings)];
  });
  if (concat.length === 0) {
    throw new RangeError(
      `trainingCurvesSvg: expected step or evaluation records with numbers to draw, got ${records.length} records without any`,
    );
  }
  return gridSvg(concat, settings);
}

/** Points of a panel, averaged over runs of neighbouring steps; the mean of logarithms on a log scale. */
function collectPoints(
  panel: TrainingPanel,
  rows: readonly { record: TrainingRecord; fields: NumericField[] }[],
  limit: number,
): Point[] {
  const log = panel.scale === 'log';
  const curves = new Map<string, [step: number, value: number][]>();
  for (const { record, fields } of rows) {
    if (record.type !== panel.type) continue;
    for (const { group, name, value: raw } of fields) {
      if (group !== panel.group || panel.match?.test(name) === false || (log && !(raw > 0))) continue;
      const value = raw * (panel.factor ?? 1);
      const curve = curves.get(name);
      if (curve) curve.push([record.step, value]);
      else curves.set(name, [[record.step, value]]);
    }
  }
  return [...curves].flatMap(([curve, samples]) => {
    const size = panel.type === 'step' ? Math.ceil(samples.length / limit) : 1;
    return thin(samples, size, log).map(([step, value]) => ({ step, value, curve }));
  });
}

/** One chart with several curves in it, such as the same quantity of several runs. */
export interface CurvePanel {
  readonly title: string;
  /** Names of the axes. */
  readonly x: string;
  readonly y?: string;
  readonly curves: readonly {
    readonly name: string;
    readonly points: readonly (readonly [number, number])[];
  }[];
  readonly scale?: 'linear' | 'log';
  /** Whether the points themselves are shown. */
  readonly dots?: boolean;
}

/**
 * Panels of curves in one picture (the paper's Figs. 8, 10 and 11); those longer than `points` are averaged over neighbours.
 * @throws RangeError when a panel has nothing to draw.
 */
export async function curvePanelsSvg(
  panels: readonly CurvePanel[],
  options: Omit<TrainingCurvesOptions, 'panels'> = {},
): Promise<string> {
  const settings = withDefaults(TRAINING_CURVES_DEFAULTS, options);
  const concat = panels.map(({ title, x, y, curves, scale, dots }) => {
    const values = curves.flatMap(({ name, points }) => {
      const size = Math.ceil(points.length / settings.points);
      return thin(points, size, scale === 'log').map(([step, value]) => ({ step, value, curve: name }));
    });
    if (values.length === 0) {
      throw new RangeError(`curvePanelsSvg: every panel needs points, got none in '${title}'`);
    }
    const panel: TrainingPanel = { title, type: dots ? 'evaluation' : 'step', group: '', scale };
    return panelSpec(panel, values, settings, [x, y ?? null]);
  });
  return gridSvg(concat, settings);
}

function gridSvg(concat: object[], settings: Required<TrainingCurvesOptions>): Promise<string> {
  const { title: text, columns, theme } = settings;
  const head = { columns, ...(text && { title: { text, fontSize: 16, offset: 14 } }) };
  const spec = { ...head, concat, spacing: 26, resolve: { scale: { color: 'independent' } } };
  return chartSvg(spec as TopLevelSpec, theme);
}

/** Means over runs of `size` neighbours; of logarithms on a log scale. */
function thin(
  samples: readonly (readonly [number, number])[],
  size: number,
  log: boolean,
): [number, number][] {
  const points: [number, number][] = [];
  for (let at = 0; at < samples.length; at += size) {
    const run = samples.slice(at, at + size);
    const mean = run.reduce((sum, [, v]) => sum + (log ? Math.log(v) : v), 0) / run.length;
    points.push([run[run.length - 1][0], log ? Math.exp(mean) : mean]);
  }
  return points;
}

function panelSpec(
  panel: TrainingPanel,
  values: Point[],
  settings: typeof TRAINING_CURVES_DEFAULTS,
  [x, y]: readonly [string, string | null] = ['step', null],
): object {
  const names = [...new Set(values.map((p) => p.curve))];
  const scale = panel.scale === 'log' ? { type: 'log', nice: true } : { zero: false, nice: true };
  return {
    title: panel.title,
    width: settings.width,
    height: settings.height,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.6, ...(panel.type === 'evaluation' ? { point: { size: 22 } } : {}) },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: x,
        axis: { grid: false, tickCount: 5, format: ',d' },
      },
      y: { field: 'value', type: 'quantitative', title: y, scale, axis: { tickCount: 5, format: '~r' } },
      color: {
        field: 'curve',
        type: 'nominal',
        sort: names,
        title: null,
        legend:
          names.length === 1 ? null : { orient: 'bottom', columns: names.some((n) => n.length > 14) ? 2 : 3 },
      },
    },
  };
}

/**
 * Renders a vega-lite specification without a DOM; vega is loaded on first use, its expressions interpreted (no `eval`).
 */
async function chartSvg(spec: TopLevelSpec, theme: ThemeName): Promise<string> {
  const [vega, { compile }, { expressionInterpreter }] = await Promise.all([
    import('vega'),
    import('vega-lite'),
    import('vega-interpreter'),
  ]);
  const { background, text, lines } = themeOf(theme);
  const ink = toHex(text);
  const font = 'DejaVu Sans, Verdana, Helvetica, Arial, sans-serif';
  const compiled = compile({
    ...spec,
    background: toHex(background),
    padding: 14,
    config: {
      font,
      range: { category: [...SERIES_COLORS] },
      view: { stroke: null },
      axis: {
        labelColor: ink,
        titleColor: ink,
        titleFontWeight: 'normal',
        labelFontSize: 11,
        titleFontSize: 12,
        titlePadding: 8,
        gridColor: toHex(lines),
        gridOpacity: 0.45,
        domain: false,
        tickColor: toHex(lines),
      },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 11, symbolStrokeWidth: 3, labelLimit: 400 },
      title: { color: ink, fontSize: 13, anchor: 'start', fontWeight: 'bold', offset: 8 },
    },
  } as TopLevelSpec);
  const runtime = vega.parse(compiled.spec, {}, { ast: true });
  const view = new vega.View(runtime, { renderer: 'none', expr: expressionInterpreter });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** One line of a run's JSONL log. */
export interface TrainingRecord {
  /** `step` and `evaluation` are drawn, others are left out. */
  readonly type: string;
  readonly step: number;
  readonly [field: string]: unknown;
}

/**
 * Reads a JSONL training log. A last line that was cut off by a crash is dropped; a broken line before it is an error.
 * @throws SyntaxError naming the line.
 */
export function parseTrainingLog(text: string): TrainingRecord[] {
  const lines = text.split('\n');
  const records: TrainingRecord[] = [];
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    try {
      const record = JSON.parse(line) as TrainingRecord;
      if (record !== null && typeof record.step === 'number' && typeof record.type === 'string') {
        records.push(record);
      }
    } catch {
      if (i === lines.length - 1) return;
      throw new SyntaxError(
        `parseTrainingLog: expected one JSON object per line, got ${JSON.stringify(line.slice(0, 60))} at line ${i + 1}`,
      );
    }
  });
  return records;
}

/** A number of a record: the field of the record that holds it ('' for the record itself), and its name in there. */
type NumericField = { readonly group: string; readonly name: string; readonly value: number };

/** The finite numbers of a record, one level deep; in a list, entries are told apart by their `dataset`. */
function numericFields(record: TrainingRecord): NumericField[] {
  return Object.entries(record).flatMap(([group, content]) => {
    if (typeof content === 'number') return collect('', { [group]: content });
    if (!Array.isArray(content)) return collect(group, content);
    return content.flatMap((entry) => collect(group, entry, entry?.dataset && `, ${entry.dataset}`));
  });
}

function collect(group: string, content: unknown, suffix = ''): NumericField[] {
  if (content === null || typeof content !== 'object') return [];
  return Object.entries(content).flatMap(([name, value]) =>
    Number.isFinite(value) ? [{ group, name: `${name}${suffix}`, value: value as number }] : [],
  );
}
