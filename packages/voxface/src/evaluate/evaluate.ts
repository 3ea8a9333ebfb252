import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Annotation, Problem, Sample } from '@voxface/datasets';
import {
  type Box,
  boxOf,
  boxOverlap,
  createLandmarks,
  type Landmarks,
  meanFaceInBox,
} from '@voxface/landmarks';
import {
  type AccumulatorState,
  createAccumulator,
  type Evaluation,
  formatEvaluation,
  formatReport,
  PROTOCOLS,
  toReportJson,
} from '@voxface/metrics';
import { checkDatasetKind, openData } from '../data/data.ts';
import { parseShard, UsageError } from '../options.ts';
import { openDetector, openModel } from '../photos/open-model.ts';
import { createProgress } from '../progress.ts';

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
  packed: '300w/box/68',
  'merl-rav': '300w/box/68',
  'aflw2000-3d': 'aflw2000-3d/68/2d',
  '300w-lp': '300w/box/68',
  wflw: 'wflw/interocular',
};

/** Evaluates a model or given predictions on a dataset, prints the result and writes the requested files. */
export async function runEvaluation(flags: EvaluateFlags): Promise<Evaluation> {
  checkDatasetKind(flags.dataset, '--dataset');
  const protocol = flags.protocol ?? DEFAULT_PROTOCOLS[flags.dataset];
  if (protocol === undefined || !Object.hasOwn(PROTOCOLS, protocol)) {
    throw new UsageError(
      `--protocol: expected one of ${Object.keys(PROTOCOLS).join(', ')}, got ${protocol ?? 'none'}`,
    );
  }
  const { accumulator, name, broken } = flags.merge
    ? await mergeShards(protocol, flags.merge)
    : await scoreDataset(protocol, flags);
  const evaluation = accumulator.compute();
  console.log(formatEvaluation(evaluation, { dataset: flags.dataset, model: name }));
  if (flags.json) {
    await mkdir(dirname(flags.json), { recursive: true });
    const json = {
      ...toReportJson(evaluation, { dataset: flags.dataset, model: name }),
      state: accumulator.state(),
    };
    await writeFile(flags.json, `${JSON.stringify(json, null, 1)}\n`);
  }
  if (flags.report) await writeReport(flags.report, evaluation, flags.dataset, name);
  if (broken > 0) {
    throw new Error(`${broken} samples could not be read (named above) and are not in these figures`);
  }
  return evaluation;
}

async function scoreDataset(protocol: string, flags: EvaluateFlags) {
  if (!flags.root)
    throw new UsageError('--root: the folder or annotation file of the dataset is needed, got none');
  let broken = 0;
  const tellBroken = ({ id, error }: Problem): void => {
    broken += 1;
    console.error(`voxface: ${id}: ${error.message}`);
  };
  const dataset = await openData(flags.root, flags.dataset, '--dataset', {
    ...(flags.split !== undefined && { split: flags.split }),
    occluded: occludedRule(flags.occluded),
    onProblem: tellBroken,
    ...(PROTOCOLS[protocol].labels && { labels: PROTOCOLS[protocol].labels }),
  });
  const { first, step } = parseShard(flags.shard);
  const limit = flags.limit === undefined ? dataset.length : Math.min(dataset.length, Number(flags.limit));
  const source = await openPredictionSource(flags);
  // Pictures are decoded for those who look at them.
  const load = source.looks || dataset.annotate === undefined ? dataset.load : dataset.annotate;
  const accumulator = createAccumulator(protocol);
  const progress = createProgress('faces', Math.ceil((limit - first) / step));
  let done = 0;
  for (let i = first; i < limit; i += step) {
    const sample = await load(i).catch((error: Error) => tellBroken({ id: dataset.ids[i], error }));
    progress.update(++done);
    if (!sample) continue;
    const preds = await source.predict(sample);
    if (preds === null) accumulator.miss(sample.id, sample.yaw);
    else {
      accumulator.update({
        id: sample.id,
        preds,
        target: sample.landmarks,
        reference: referenceOf(sample),
        visible: sample.visible,
        yaw: sample.yaw,
        ...anglesOf(sample),
      });
    }
  }
  progress.finish();
  source.dispose();
  return { accumulator, name: source.name, broken };
}

/** Pitch and roll, where the dataset says them. */
function anglesOf({ attributes }: Annotation): { pitch?: number; roll?: number } {
  const { pitch, roll } = attributes ?? {};
  return {
    ...(typeof pitch === 'number' && { pitch }),
    ...(typeof roll === 'number' && { roll }),
  };
}

/** What the box size is measured by: all 68 points, whose box a sample with fewer of them keeps. */
function referenceOf({ landmarks, scheme, box: { x, y, width, height } }: Annotation): Landmarks {
  return scheme.count === 21 ? createLandmarks([x, y, x + width, y + height], 2) : landmarks;
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
  return { accumulator, name, broken: 0 };
}

/** Where landmarks to be scored come from. */
interface PredictionSource {
  readonly name: string;
  /** Whether it needs the pictures: samples come without them otherwise. */
  readonly looks: boolean;
  /** Landmarks in image pixels; null when no face was found. */
  predict(sample: Annotation | Sample): Promise<Landmarks | null>;
  dispose(): void;
}

/** Opens the model, the file of predictions or the mean face that the flags name. */
async function openPredictionSource(flags: EvaluateFlags): Promise<PredictionSource> {
  if (flags.predictions !== undefined) return readPredictions(flags.predictions);
  if (flags.meanShape) {
    return {
      name: 'mean face',
      looks: false,
      predict: async (sample) => meanFaceInBox(truthBox(sample)),
      dispose: () => {},
    };
  }
  const { name, predictor } = await openModel(flags.model, { backend: flags.backend, flip: flags.flip });
  const detector = flags.detector === undefined ? undefined : await openDetector(flags.detector);
  return {
    name: `${name}${flags.flip ? ' + flip' : ''}${flags.detector ? `, ${flags.detector} boxes` : ''}`,
    looks: true,
    async predict(given) {
      const sample = given as Sample;
      const truth = truthBox(sample);
      const box = detector
        ? mostOverlapping(
            (await detector.detect(sample.image)).map((f) => f.box),
            truth,
          )
        : truth;
      return box === undefined ? null : (await predictor.predict(sample.image, box)).landmarks;
    },
    dispose() {
      predictor.dispose();
      detector?.dispose();
    },
  };
}

/** The box of all true landmarks. */
function truthBox({ scheme, landmarks, box }: Annotation): Box {
  return scheme.count === 21 ? box : boxOf(landmarks);
}

/** The detected box that shares most with the truth; none when they share nothing: the face was missed. */
function mostOverlapping(boxes: readonly Box[], truth: Box): Box | undefined {
  const scored = boxes
    .map((box) => ({ box, overlap: boxOverlap(box, truth) }))
    .filter(({ overlap }) => overlap > 0);
  scored.sort((a, b) => b.overlap - a.overlap);
  return scored[0]?.box;
}

async function readPredictions(file: string): Promise<PredictionSource> {
  let rows: Record<string, number[][]>;
  try {
    rows = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--predictions: ${file} is not readable JSON (${(error as Error).message})`);
  }
  return {
    name: file,
    looks: false,
    async predict({ id }) {
      const points = rows[id];
      if (points === undefined) return null;
      return createLandmarks(points.flat(), points[0].length as 2 | 3);
    },
    dispose: () => {},
  };
}

const WORST = 10;

/** Writes `report.md`, `report.json` and the CED curve of one evaluation. */
async function writeReport(
  directory: string,
  evaluation: Evaluation,
  dataset: string,
  model: string,
): Promise<void> {
  const [{ cedSvg }, { renderPng }] = await Promise.all([
    import('@voxface/plots'),
    import('@voxface/plots/node'),
  ]);
  await mkdir(directory, { recursive: true });
  const errors = evaluation.perImage.map((image) => image.nme ?? Number.POSITIVE_INFINITY);
  const curve = await cedSvg([{ name: model, errors }], { limit: evaluation.limit });
  await writeFile(join(directory, 'ced.svg'), curve);
  await writeFile(join(directory, 'ced.png'), await renderPng(curve));
  const json = toReportJson(evaluation, { dataset, model });
  await writeFile(join(directory, 'report.json'), `${JSON.stringify(json, null, 1)}\n`);
  const worst = [...evaluation.perImage]
    .sort((a, b) => (b.nme ?? Infinity) - (a.nme ?? Infinity))
    .slice(0, WORST);
  const rows = worst.map(({ id, nme }) => `| ${id} | ${nme === null ? 'missed' : (100 * nme).toFixed(2)} |`);
  await writeFile(
    join(directory, 'report.md'),
    `# ${model} on ${dataset}

${formatReport([{ method: model, evaluation }])}

![cumulative error distribution](ced.svg)

Worst faces:

| face | NME % |
|---|---|
${rows.join('\n')}
`,
  );
  console.log(`wrote ${directory}/report.md`);
}
