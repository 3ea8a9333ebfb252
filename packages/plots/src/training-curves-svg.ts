import type { TopLevelSpec } from 'vega-lite';
import { chartSvg } from './chart-svg.ts';
import type { ThemeName } from './theme.ts';
import { type NumericField, numericFields, type TrainingRecord } from './training-log.ts';

/** One small chart: which fields of the log it shows, and how. */
export interface TrainingPanel {
  readonly title: string;
  readonly type: 'step' | 'evaluation';
  /** Field of the record that holds the numbers, '' for the record itself. */
  readonly group: string;
  /** Names of the numbers in there; all when absent. In `results`, a name is `nme, DATASET`. */
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
  panels?: readonly TrainingPanel[];
  /** Step records are averaged into at most this many points per curve. */
  points?: number;
  columns?: number;
  /** Pixels of one panel's inside. */
  width?: number;
  height?: number;
  title?: string;
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
  const settings = { ...TRAINING_CURVES_DEFAULTS, ...options };
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
  const title = settings.title ? { title: { text: settings.title, fontSize: 16, offset: 14 } } : {};
  const resolve = { scale: { color: 'independent' } };
  const spec = { ...title, columns: settings.columns, concat, spacing: 26, resolve } as TopLevelSpec;
  return chartSvg(spec, settings.theme);
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
    const points: Point[] = [];
    for (let at = 0; at < samples.length; at += size) {
      const run = samples.slice(at, at + size);
      const mean = run.reduce((sum, [, v]) => sum + (log ? Math.log(v) : v), 0) / run.length;
      points.push({ step: run[run.length - 1][0], value: log ? Math.exp(mean) : mean, curve });
    }
    return points;
  });
}

function panelSpec(panel: TrainingPanel, values: Point[], settings: typeof TRAINING_CURVES_DEFAULTS): object {
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
        title: 'step',
        axis: { grid: false, tickCount: 5, format: ',d' },
      },
      y: { field: 'value', type: 'quantitative', title: null, scale, axis: { tickCount: 5, format: '~g' } },
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
