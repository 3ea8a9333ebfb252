import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Evaluation } from '@voxface/metrics';
import { formatPublished, type OwnRow, PUBLISHED, publishedValues } from '@voxface/metrics/published';
import type { CurvePanel, TrainingRecord } from '@voxface/plots';
import { type EvaluateFlags, scoreDataset } from '../evaluate/evaluate.ts';
import { UsageError, WorkError } from '../options.ts';

/** Flags of `voxface reproduce`. */
export interface ReproduceFlags extends Pick<EvaluateFlags, 'root' | 'limit' | 'flip' | 'crops' | 'backend'> {
  model?: string;
  runs?: string[];
  size: string;
  seed: string;
  set?: string[];
  /** Whether to train runs that are missing. */
  train: boolean;
  out: string;
}

const AFLW2000_3D = 'aflw2000-3d/68/3d';
const AFLW2000_2D = 'aflw2000-3d/68/2d';

/** What each argument does. */
const TARGETS: Readonly<Record<string, (flags: ReproduceFlags) => Promise<void>>> = {
  table1: (flags) => printModel(flags, 'I', ['3dfaw/gte']),
  table2: (flags) => printModel(flags, 'II', ['3dfaw/cvgtce', '3dfaw/gte']),
  table3: (flags) => printModel(flags, 'III', [AFLW2000_3D]),
  table4: async (flags) => {
    await printModel(flags, 'IV-21', ['aflw2000-3d/21-visible']);
    await printModel(flags, 'IV-68', [AFLW2000_2D]);
  },
  table5: (flags) => printRuns(flags, 'V', 'table5-', AFLW2000_3D),
  table6: (flags) => printRuns(flags, 'VI', 'table6-', (row) => `aflw2000-3d/${row}/3d`),
  table7: (flags) => printRuns(flags, 'VII', 'table7-', AFLW2000_3D),
  table8: (flags) => printRuns(flags, 'VIII', 'table8-', AFLW2000_2D),
  table9: (flags) => printRuns(flags, 'IX', 'table9-', AFLW2000_3D),
  '300w': (flags) => printModel(flags, '300w-interocular', ['300w/interocular']),
  figure1: async (flags) => {
    const { drawFramework } = await import('../plot/plot.ts');
    await save(flags, 'figure1', await drawFramework(flags));
  },
  figure2: async (flags) => {
    const { drawRepresentations } = await import('./figures.ts');
    await save(flags, 'figure2', await drawRepresentations(flags.root));
  },
  figure3: (flags) => drawErrors(flags, 'figure3', AFLW2000_3D),
  figure4: (flags) => drawErrors(flags, 'figure4', AFLW2000_2D),
  figure5: (flags) => drawFaces(flags, 'figure5', '3dfaw'),
  figure6: (flags) => drawFaces(flags, 'figure6'),
  figure8: drawStacks,
  figure10: drawProgress,
  figure11: drawBalance,
};

/**
 * Reproduces a table or figure of the paper: trains the runs that it needs and that are missing, evaluates, prints the table with
 * own rows and their differences, or writes the figure.
 * @throws UsageError for an unknown name or a missing flag.
 */
export async function reproduce(what: string, flags: ReproduceFlags): Promise<void> {
  if (!Object.hasOwn(TARGETS, what)) {
    throw new UsageError(`reproduce: expected one of ${Object.keys(TARGETS).join(', ')}, got ${what}`);
  }
  await TARGETS[what](flags);
}

/** One row: a model, a column per protocol or the columns of a single one. */
async function printModel(flags: ReproduceFlags, name: string, protocols: readonly string[]): Promise<void> {
  const table = PUBLISHED[name];
  const values: (number | null)[] = [];
  let method = '';
  for (const protocol of protocols) {
    const { evaluation, model } = await score(protocol, flags, flags.model);
    method = model;
    values.push(...publishedValues(protocols.length > 1 ? { ...table, columns: ['x'] } : table, evaluation));
  }
  print(flags, name, [{ method, values }]);
}

/** A row per line of the table: runs of experiments, one for each column, or one for a line of yaw bins. */
async function printRuns(
  flags: ReproduceFlags,
  name: string,
  prefix: string,
  protocol: string | ((row: string) => string),
): Promise<void> {
  const table = PUBLISHED[name];
  const { EXPERIMENTS } = await import('@voxface/train');
  const runs = EXPERIMENTS.filter((experiment) => experiment.name.startsWith(prefix)).map((e) => e.name);
  // Table IX is listed in the paper's order; yaw bins are five columns of one run.
  const perRow = table.columns.length === 2 ? 2 : 1;
  const rows: OwnRow[] = [];
  for (const [i, { method }] of table.rows.entries()) {
    const values: (number | null)[] = [];
    const own = runs.slice(i * perRow, (i + 1) * perRow);
    for (const run of own) {
      const { evaluation } = await score(
        typeof protocol === 'string' ? protocol : protocol(method),
        flags,
        await openRun(run, flags),
      );
      values.push(...publishedValues(perRow === 2 ? { ...table, columns: ['x'] } : table, evaluation));
    }
    rows.push({ method: own.join(', '), values, against: method });
  }
  print(flags, name, rows);
}

function print(flags: ReproduceFlags, name: string, rows: readonly OwnRow[]): void {
  console.log(formatPublished(PUBLISHED[name], rows));
  if (flags.limit !== undefined)
    console.log(`Only the first ${flags.limit} faces: not to be compared with the table.`);
}

/** Evaluates a model on the test set of a protocol. */
async function score(
  protocol: string,
  { root, limit, flip, crops, backend }: ReproduceFlags,
  model: string | undefined,
): Promise<{ evaluation: Evaluation; model: string }> {
  const dataset = protocol.split('/')[0];
  if (root === undefined) {
    throw new UsageError(`--root: the folder of the test set (${dataset}) is needed, got none`);
  }
  return scoreDataset(protocol, {
    dataset,
    root,
    limit,
    flip,
    crops,
    backend,
    ...(model !== undefined && { model: [model] }),
    // The paper's bins; the 21 visible points have the fitted pose alone.
    ...(protocol.startsWith(AFLW2000_2D) && { split: 'paper' }),
  });
}

/** Folder of an experiment's run, which is trained, or gone on with, where it has not finished. */
async function openRun(name: string, flags: ReproduceFlags): Promise<string> {
  const { readExperiment, trainRun } = await import('../train/train.ts');
  const config = readExperiment(name, flags);
  const mark = join(config.output, 'finished');
  if (existsSync(mark)) return config.output;
  if (!flags.train) {
    throw new UsageError(
      `--no-train: ${config.output} is needed and has not finished (voxface train ${name})`,
    );
  }
  const backend = flags.backend === 'onnx' ? 'auto' : (flags.backend ?? 'auto');
  const { finished } = await trainRun(
    { ...config, ...(backend !== 'auto' && { backend }) },
    { resume: true },
  );
  if (!finished) throw new WorkError(`${config.output}: stopped before its end; the same command goes on`);
  await writeFile(mark, '');
  return config.output;
}

async function save({ out }: ReproduceFlags, name: string, svg: string): Promise<void> {
  const { renderPng } = await import('@voxface/plots/node');
  await mkdir(out, { recursive: true });
  await writeFile(join(out, `${name}.svg`), svg);
  await writeFile(join(out, `${name}.png`), await renderPng(svg));
  console.log(`wrote ${join(out, name)}.svg and .png`);
}

/** Figs. 3 and 4: the cumulative error distribution of a model. */
async function drawErrors(flags: ReproduceFlags, name: string, protocol: string): Promise<void> {
  const { evaluation, model } = await score(protocol, flags, flags.model);
  const { cedSvg } = await import('@voxface/plots');
  const errors = evaluation.perImage.map(({ nme }) => nme ?? Number.POSITIVE_INFINITY);
  await save(flags, name, await cedSvg([{ name: model, errors }], { limit: evaluation.limit }));
}

/** Figs. 5 and 6: faces of a dataset with what the networks make of them. */
async function drawFaces(flags: ReproduceFlags, name: string, kind?: string): Promise<void> {
  const { drawExamples } = await import('./figures.ts');
  await save(flags, name, await drawExamples({ ...flags, kind }));
}

const STACKS = ['1', '2', '3', '4', '6', '8'] as const;

/** Fig. 8: 3D NME by the number of stacks, a curve per strategy. */
async function drawStacks(flags: ReproduceFlags): Promise<void> {
  const curves: { name: string; points: [number, number][] }[] = [];
  for (const strategy of ['baseline', 'mix', 'adversarial']) {
    const points: [number, number][] = [];
    for (const stacks of STACKS) {
      const run = await openRun(
        stacks === '4' ? `table8-${strategy}` : `figure8-${stacks}-${strategy}`,
        flags,
      );
      const { evaluation } = await score(AFLW2000_3D, flags, run);
      points.push([Number(stacks), 100 * evaluation.nme.mean]);
      console.log(`${strategy}, ${stacks} stacks: ${(100 * evaluation.nme.mean).toFixed(2)} %`);
    }
    curves.push({ name: strategy, points });
  }
  await saveCurves(flags, 'figure8', [
    { title: '3D NME on AFLW2000-3D', x: 'stacked hourglasses', y: 'NME (%)', curves, dots: true },
  ]);
}

/** Fig. 10: NME on the validation sets during training, a curve per run. */
async function drawProgress(flags: ReproduceFlags): Promise<void> {
  const runs = await readRuns(flags, [
    'table8-baseline',
    'table8-mix',
    'figure10-unshared',
    'table8-adversarial',
  ]);
  const panels = new Map<string, { name: string; points: [number, number][] }[]>();
  for (const { name, records } of runs) {
    const own = new Map<string, [number, number][]>();
    for (const { type, step, results } of records) {
      if (type !== 'evaluation') continue;
      for (const { dataset, nme, nme3d } of results as { dataset: string; nme: number; nme3d?: number }[]) {
        const title = `${nme3d === undefined ? '2D' : '3D'} NME, ${dataset}`;
        own.set(title, [...(own.get(title) ?? []), [step, 100 * (nme3d ?? nme)]]);
      }
    }
    for (const [title, points] of own) panels.set(title, [...(panels.get(title) ?? []), { name, points }]);
  }
  await saveCurves(
    flags,
    'figure10',
    [...panels].map(([title, curves]) => ({ title, x: 'step', y: 'NME (%)', curves, dots: true })),
  );
}

/** Fig. 11: gamma L_real - L_fake, L_real and L_fake of every adversarial run, a panel each. */
async function drawBalance(flags: ReproduceFlags): Promise<void> {
  const names = [
    ...[1e-4, 1e-3, 1e-2].map((v) => `adversarial${v}`),
    ...[0, 0.1, 1].map((v) => `auxiliary${v}`),
  ];
  const runs = await readRuns(
    flags,
    names.map((name) => `figure11-${name}`),
  );
  const panels = runs.map(({ name, records }) => {
    const steps = records.filter(({ gap }) => typeof gap === 'number');
    if (steps.length === 0) throw new WorkError(`${name}: has no adversarial step in its log.jsonl`);
    const curve = (label: string, value: (record: TrainingRecord) => number) => ({
      name: label,
      points: steps.map((record, i): [number, number] => [i + 1, value(record)]),
    });
    const losses = ({ losses }: TrainingRecord) => losses as { real: number; fake: number };
    const curves = [
      curve('γ L_real − L_fake', ({ gap }) => gap as number),
      curve('L_real', (record) => losses(record).real),
      curve('L_fake', (record) => losses(record).fake),
    ];
    return { title: name, x: 'adversarial step', curves };
  });
  await saveCurves(flags, 'figure11', panels);
}

async function saveCurves(flags: ReproduceFlags, name: string, panels: CurvePanel[]): Promise<void> {
  const { curvePanelsSvg } = await import('@voxface/plots');
  await save(flags, name, await curvePanelsSvg(panels, { columns: Math.min(3, panels.length) }));
}

/** Logs of the runs that are given, or of the experiments. */
async function readRuns(
  flags: ReproduceFlags,
  experiments: readonly string[],
): Promise<{ name: string; records: TrainingRecord[] }[]> {
  const { parseTrainingLog } = await import('@voxface/plots');
  const folders: string[] = flags.runs ?? [];
  if (flags.runs === undefined) for (const name of experiments) folders.push(await openRun(name, flags));
  return Promise.all(
    folders.map(async (folder) => {
      const file = join(folder, 'log.jsonl');
      if (!existsSync(file)) throw new UsageError(`${folder}: not a training run, it holds no log.jsonl`);
      return { name: basename(folder), records: parseTrainingLog(await readFile(file, 'utf8')) };
    }),
  );
}
