import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AccumulatorState, createAccumulator, type Evaluation, PROTOCOLS } from '@voxface/metrics';
import { UsageError } from './errors.ts';
import { formatEvaluation, toPercentJson } from './format-evaluation.ts';
import { checkDatasetKind, openData } from './open-data.ts';
import { openPredictionSource } from './prediction-source.ts';
import { createProgress } from './progress.ts';
import { writeReport } from './write-report.ts';

export interface EvaluateFlags {
  dataset: string;
  root?: string;
  model?: string;
  predictions?: string;
  protocol?: string;
  detector?: string;
  flip?: boolean;
  meanShape?: boolean;
  backend?: string;
  shard?: string;
  merge?: string[];
  split?: string;
  occluded?: string;
  limit?: string;
  json?: string;
  report?: string;
}

const DEFAULT_PROTOCOLS: Readonly<Record<string, string>> = {
  '300w': '300w/box/68',
  'keypoint-csv': '300w/box/68',
  voxface: '300w/box/68',
  'aflw2000-3d': 'aflw2000-3d/68/2d',
  '300w-lp': '300w/box/68',
  wflw: 'wflw/interocular',
};

/** Scores a model or given predictions on a dataset, prints the result and writes what is asked for. */
export async function runEvaluation(flags: EvaluateFlags): Promise<Evaluation> {
  checkDatasetKind(flags.dataset, '--dataset');
  const protocol = flags.protocol ?? DEFAULT_PROTOCOLS[flags.dataset];
  if (protocol === undefined || !Object.hasOwn(PROTOCOLS, protocol)) {
    throw new UsageError(
      `--protocol: expected one of ${Object.keys(PROTOCOLS).join(', ')}, got ${protocol ?? 'none'}`,
    );
  }
  const { accumulator, name } = flags.merge
    ? await mergeShards(protocol, flags.merge)
    : await scoreDataset(protocol, flags);
  const evaluation = accumulator.compute();
  console.log(formatEvaluation(evaluation, flags.dataset, name));
  if (flags.json) {
    await mkdir(dirname(flags.json), { recursive: true });
    const json = { ...toPercentJson(evaluation, flags.dataset, name), state: accumulator.state() };
    await writeFile(flags.json, `${JSON.stringify(json, null, 1)}\n`);
  }
  if (flags.report) await writeReport(flags.report, evaluation, flags.dataset, name);
  return evaluation;
}

async function scoreDataset(protocol: string, flags: EvaluateFlags) {
  if (!flags.root)
    throw new UsageError('--root: the folder or annotation file of the dataset is needed, got none');
  const dataset = await openData(flags.root, flags.dataset, '--dataset', {
    ...(flags.split !== undefined && { split: flags.split }),
    occluded: occludedRule(flags.occluded),
  });
  const { first, step } = parseShard(flags.shard);
  const limit = flags.limit === undefined ? dataset.length : Math.min(dataset.length, Number(flags.limit));
  const source = await openPredictionSource(flags);
  const accumulator = createAccumulator(protocol);
  const progress = createProgress('faces', Math.ceil((limit - first) / step));
  let done = 0;
  for (let i = first; i < limit; i += step) {
    const sample = await dataset.load(i);
    const preds = await source.predict(sample);
    if (preds === null) accumulator.miss(sample.id, sample.yaw);
    else {
      accumulator.update({
        id: sample.id,
        preds,
        target: sample.landmarks,
        visible: sample.visible,
        yaw: sample.yaw,
      });
    }
    progress.update(++done);
  }
  progress.finish();
  source.dispose();
  return { accumulator, name: source.name };
}

function occludedRule(text = 'count'): 'count' | 'mask' {
  if (text === 'count' || text === 'mask') return text;
  throw new UsageError(`--occluded: expected count or mask, got ${text}`);
}

/** Reads the states that `--json` wrote for shards and joins them exactly. */
async function mergeShards(protocol: string, files: readonly string[]) {
  const accumulator = createAccumulator(protocol);
  let name = '';
  for (const file of files) {
    const json = JSON.parse(await readFile(file, 'utf8')) as { model?: string; state?: AccumulatorState };
    if (!json.state) throw new UsageError(`--merge: ${file} was not written by voxface evaluate --json`);
    accumulator.merge(json.state);
    name = json.model ?? name;
  }
  return { accumulator, name };
}

/** `i/n`, 1-based, to the first index and the stride. */
export function parseShard(text: string | undefined): { first: number; step: number } {
  if (text === undefined) return { first: 0, step: 1 };
  const [part, parts] = text.split('/').map(Number);
  if (!(Number.isInteger(part) && Number.isInteger(parts) && part >= 1 && part <= parts)) {
    throw new UsageError(`--shard: expected i/n with 1 <= i <= n, got ${text}`);
  }
  return { first: part - 1, step: parts };
}
