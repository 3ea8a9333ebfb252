import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Annotation, type Dataset, type Sample, shardIndices } from '@voxface/datasets';
import {
  type Box,
  boxOf,
  boxOverlap,
  createLandmarks,
  type Landmarks,
  meanFaceInBox,
} from '@voxface/landmarks';
import {
  type Accumulator,
  createAccumulator,
  type Evaluation,
  formatEvaluation,
  formatReport,
  type ImageError,
  PROTOCOLS,
  toReportJson,
} from '@voxface/metrics';
import { findPublished, formatPublished, publishedValues } from '@voxface/metrics/published';
import { checkDatasetKind, openData } from '../data/data.ts';
import { UsageError, WorkError } from '../options.ts';
import { type Job, openPart, readShard, writePart } from '../parts.ts';
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
  split?: string;
  occluded?: string;
  limit?: string;
  json?: string;
  report?: string;
  /** Whether to print the published tables of the protocol. */
  tables?: boolean;
}

const DEFAULT_PROTOCOLS: Readonly<Record<string, string>> = {
  '300w': '300w/box/68',
  'keypoint-csv': '300w/box/68',
  packed: '300w/box/68',
  'merl-rav': '300w/box/68',
  'aflw2000-3d': 'aflw2000-3d/68/2d',
  '300w-lp': '300w/box/68',
  wflw: 'wflw/interocular',
  '3dfaw': '3dfaw/gte',
};

/** Tables whose lines are trainings of the paper's own: see `voxface reproduce`. */
const ABLATIONS: ReadonlySet<string> = new Set(['VIII', 'IX']);

/**
 * Evaluates a model or given predictions on a dataset, prints the result and writes the requested files. One of several
 * parts writes the errors of its images beside `--json`, to be joined by `voxface merge`.
 */
export async function runEvaluation(flags: EvaluateFlags): Promise<void> {
  checkDatasetKind(flags.dataset, '--dataset');
  const protocol = flags.protocol ?? DEFAULT_PROTOCOLS[flags.dataset];
  if (protocol === undefined || !Object.hasOwn(PROTOCOLS, protocol)) {
    throw new UsageError(
      `--protocol: expected one of ${Object.keys(PROTOCOLS).join(', ')}, got ${protocol ?? 'none'}`,
    );
  }
  const shard = readShard(flags.shard);
  if (shard.count > 1 && (flags.report !== undefined || flags.json === undefined)) {
    throw new UsageError(
      '--shard: expected --json FILE and no --report, which voxface merge FILE --report DIR writes of all parts',
    );
  }
  const { dataset, source, limit, unopened } = await openScoring(protocol, flags);
  const { dataset: kind, json, report } = flags;
  const settings = {
    protocol,
    dataset: kind,
    model: source.name,
    root: flags.root,
    split: flags.split,
    limited: flags.limit !== undefined,
    unopened,
  };
  try {
    const places = shardIndices(limit, shard);
    if (shard.count === 1) {
      const images = createScores(protocol, unopened);
      await scoreImages(protocol, dataset, source, places, async (_, image) => images.add(image));
      return await finishEvaluation(images, { ...settings, json, report, tables: flags.tables });
    }
    const part = await openPart(json!, shard, { voxface: 'evaluate', count: limit, settings });
    if (part !== undefined)
      await writePart(part, () =>
        scoreImages(
          protocol,
          dataset,
          source,
          places.filter((i) => i > part.last),
          part.write,
        ),
      );
    console.log(
      `part ${shard.index + 1} of ${shard.count}: ${places.length} images, ${part ? 'done' : 'complete already'} (voxface merge ${json} when all are)`,
    );
  } finally {
    source.dispose();
  }
}

/** What scoring needs: the faces, and where landmarks come from; the caller disposes the source. */
async function openScoring(protocol: string, flags: EvaluateFlags) {
  if (!flags.root)
    throw new UsageError('--root: the folder or annotation file of the dataset is needed, got none');
  const unopened: ScoredImage[] = [];
  const dataset = await openData(flags.root, flags.dataset, '--dataset', {
    ...(flags.split !== undefined && { split: flags.split }),
    occluded: occludedRule(flags.occluded),
    onProblem: ({ id, error }) => unopened.push({ id, error: error.message }),
    ...(PROTOCOLS[protocol].labels && { labels: PROTOCOLS[protocol].labels }),
  });
  const limit = flags.limit === undefined ? dataset.length : Math.min(dataset.length, Number(flags.limit));
  const source = await openPredictionSource(flags);
  return { dataset, source, limit, unopened };
}

/**
 * Scores what the flags name, for commands that print the result themselves.
 * @throws WorkError when a face cannot be read.
 */
export async function scoreDataset(
  protocol: string,
  flags: EvaluateFlags,
): Promise<{ evaluation: Evaluation; model: string }> {
  const { dataset, source, limit, unopened } = await openScoring(protocol, flags);
  try {
    const images = createScores(protocol, unopened);
    const places = Array.from({ length: limit }, (_, i) => i);
    await scoreImages(protocol, dataset, source, places, async (_, image) => images.add(image));
    if (images.broken > 0) throw new WorkError(`${images.broken} samples could not be read (named above)`);
    return { evaluation: images.accumulator.compute(), model: source.name };
  } finally {
    source.dispose();
  }
}

/** Evaluates the parts of a job: to the last digit what one run over all images says. */
export async function mergeEvaluation(job: Job, flags: { json: string; report?: string }): Promise<void> {
  const settings = job.settings as Omit<EvaluationSettings, 'json' | 'report'> & { unopened: ScoredImage[] };
  const images = createScores(settings.protocol, settings.unopened);
  for await (const { value } of job.lines<ScoredImage>()) images.add(value);
  await finishEvaluation(images, { ...settings, ...flags });
}

/** The error of one image, or why it could not be read. */
type ScoredImage = ImageError | { readonly id: string; readonly error: string };

interface Scores {
  readonly accumulator: Accumulator;
  readonly broken: number;
  add(image: ScoredImage): void;
}

function createScores(protocol: string, unopened: readonly ScoredImage[]): Scores {
  const accumulator = createAccumulator(protocol);
  let broken = 0;
  const add = (image: ScoredImage): void => {
    if ('error' in image) {
      broken += 1;
      console.error(`voxface: ${image.id}: ${image.error}`);
    } else accumulator.merge({ protocol, images: [image] });
  };
  for (const image of unopened) add(image);
  return {
    accumulator,
    add,
    get broken() {
      return broken;
    },
  };
}

interface EvaluationSettings {
  readonly protocol: string;
  readonly dataset: string;
  readonly model: string;
  readonly json?: string;
  readonly report?: string;
  readonly tables?: boolean;
  /** Only the first samples were asked for. */
  readonly limited?: boolean;
}

async function finishEvaluation(
  { accumulator, broken }: Scores,
  { protocol, dataset, model, json: file, report, tables = true, limited }: EvaluationSettings,
): Promise<void> {
  const evaluation = accumulator.compute();
  console.log(formatEvaluation(evaluation, { dataset, model }));
  const published = tables ? findPublished(protocol).filter(({ name }) => !ABLATIONS.has(name)) : [];
  for (const table of published) {
    console.log(
      `\n${formatPublished(table, [{ method: model, values: publishedValues(table, evaluation) }])}`,
    );
  }
  if (limited && published.length > 0)
    console.log('Only the first faces: not to be compared with the table.');
  if (file) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${JSON.stringify(toReportJson(evaluation, { dataset, model }), null, 1)}\n`);
  }
  if (report) await writeReport(report, evaluation, dataset, model);
  if (broken > 0) {
    throw new Error(`${broken} samples could not be read (named above) and are not in these figures`);
  }
}

/** Scores the images at these places of the dataset, in order. */
async function scoreImages(
  protocol: string,
  dataset: Dataset,
  source: PredictionSource,
  places: readonly number[],
  take: (index: number, image: ScoredImage) => Promise<void>,
): Promise<void> {
  // Pictures are decoded for those who look at them.
  const load = source.looks || dataset.annotate === undefined ? dataset.load : dataset.annotate;
  const progress = createProgress('faces', places.length);
  for (const [done, i] of places.entries()) {
    const sample = await load(i).catch((error: Error) => error);
    if (sample instanceof Error) await take(i, { id: dataset.ids[i], error: sample.message });
    else await take(i, await scoreImage(protocol, source, sample));
    progress.update(done + 1);
  }
  progress.finish();
}

async function scoreImage(
  protocol: string,
  source: PredictionSource,
  sample: Annotation | Sample,
): Promise<ImageError> {
  const accumulator = createAccumulator(protocol);
  const preds = await source.predict(sample);
  const { id, yaw, landmarks: target, visible } = sample;
  if (preds === null) accumulator.miss(id, yaw);
  else
    accumulator.update({
      id,
      preds,
      target,
      reference: referenceOf(sample),
      visible,
      yaw,
      ...anglesOf(sample),
    });
  return accumulator.state().images[0];
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
