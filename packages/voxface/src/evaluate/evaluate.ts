import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Annotation, type Dataset, type Sample, shardIndices } from '@voxface/datasets';
import { createLandmarks, type Landmarks } from '@voxface/landmarks';
import {
  type Accumulator,
  createAccumulator,
  type Evaluation,
  findProtocol,
  formatEvaluation,
  formatReport,
  PROTOCOLS,
  type ReportJson,
  type ScoredFace,
  scoreFace,
  toReportJson,
} from '@voxface/metrics';
import { findPublished, formatPublished, publishedValues } from '@voxface/metrics/published';
import { checkDatasetKind, openData } from '../data/data.ts';
import { UsageError, WorkError } from '../options.ts';
import { type Job, openPart, readShard, writePart } from '../parts.ts';
import { createProgress } from '../progress.ts';
import { openPredictionSources, type PredictionSource, type SourceFlags } from './prediction-source.ts';
import {
  averageLandmarks,
  compareSystems,
  type FaceErrors,
  type SystemResult,
  withConfidences,
  writeReport,
} from './report.ts';

export interface EvaluateFlags extends SourceFlags {
  dataset: string;
  root?: string;
  images?: string;
  basis?: string;
  protocol?: string;
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
  coco: '300w/box/68',
  'jvcr-json': '300w/box/68',
  'aflw2000-3d': 'aflw2000-3d/68/2d',
  '300w-lp': '300w/box/68',
  wflw: 'wflw/interocular',
  webdataset: '300w/box/68',
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
  const { dataset, sources, limit, unopened } = await openScoring(protocol, flags);
  const { dataset: kind, json, report } = flags;
  const settings = {
    protocol,
    dataset: kind,
    models: sources.map(({ name }) => name),
    root: flags.root,
    split: flags.split,
    limited: flags.limit !== undefined,
    unopened,
  };
  try {
    const places = shardIndices(limit, shard);
    if (shard.count === 1) {
      const scores = createScores(protocol, sources.length, unopened);
      const predicted = sources.map(() => new Map<string, Landmarks>());
      const keep =
        report === undefined
          ? undefined
          : (id: string, s: number, preds: Landmarks) => predicted[s].set(id, preds);
      await scoreImages(
        protocol,
        dataset,
        sources,
        places,
        async (_, images) => scores.add(images),
        json !== undefined || report !== undefined,
        keep,
      );
      return await finishEvaluation(scores, {
        ...settings,
        json,
        report,
        tables: flags.tables,
        predicted,
        faces: dataset,
      });
    }
    const part = await openPart(json!, shard, { voxface: 'evaluate', count: limit, settings });
    if (part !== undefined)
      await writePart(part, () =>
        scoreImages(
          protocol,
          dataset,
          sources,
          places.filter((i) => i > part.last),
          part.write,
          true,
        ),
      );
    console.log(
      `part ${shard.index + 1} of ${shard.count}: ${places.length} images, ${part ? 'done' : 'complete already'} (voxface merge ${json} when all are)`,
    );
  } finally {
    for (const source of sources) source.dispose();
  }
}

/** What scoring needs: the faces, and where landmarks come from; the caller disposes the sources. */
async function openScoring(protocol: string, flags: EvaluateFlags) {
  if (!flags.root)
    throw new UsageError('--root: the folder or annotation file of the dataset is needed, got none');
  const unopened: BrokenImage[] = [];
  const dataset = await openData(flags.root, flags.dataset, '--dataset', {
    ...(flags.split !== undefined && { split: flags.split }),
    ...(flags.images !== undefined && { images: flags.images }),
    ...(flags.basis !== undefined && { basis: flags.basis }),
    occluded: occludedRule(flags.occluded),
    onProblem: ({ id, error }) => unopened.push({ id, error: error.message }),
    ...(PROTOCOLS[protocol].labels && { labels: PROTOCOLS[protocol].labels }),
  });
  const limit = flags.limit === undefined ? dataset.length : Math.min(dataset.length, Number(flags.limit));
  const sources = await openPredictionSources(flags);
  return { dataset, sources, limit, unopened };
}

/**
 * Scores what the flags name, for commands that print the result themselves.
 * @throws WorkError when a face cannot be read.
 */
export async function scoreDataset(
  protocol: string,
  flags: EvaluateFlags,
): Promise<{ evaluation: Evaluation; model: string }> {
  const { dataset, sources, limit, unopened } = await openScoring(protocol, flags);
  try {
    const scores = createScores(protocol, 1, unopened);
    const places = Array.from({ length: limit }, (_, i) => i);
    await scoreImages(protocol, dataset, sources, places, async (_, images) => scores.add(images), false);
    if (scores.broken > 0) throw new WorkError(`${scores.broken} samples could not be read (named above)`);
    return { evaluation: scores.accumulators[0].compute(), model: sources[0].name };
  } finally {
    for (const source of sources) source.dispose();
  }
}

/** Evaluates the parts of a job: to the last digit what one run over all images says. */
export async function mergeEvaluation(job: Job, flags: { json: string; report?: string }): Promise<void> {
  const settings = job.settings as Omit<EvaluationSettings, 'json' | 'report'> & { unopened: BrokenImage[] };
  const scores = createScores(settings.protocol, settings.models.length, settings.unopened);
  for await (const { value } of job.lines<ScoredImage>()) scores.add(value);
  await finishEvaluation(scores, { ...settings, ...flags });
}

/** A face that could not be read, and why. */
type BrokenImage = { readonly id: string; readonly error: string };
/** The errors of each system on one image, or why it could not be read. */
type ScoredImage = { readonly systems: readonly FaceErrors[] } | BrokenImage;

interface Scores {
  /** One per system. */
  readonly accumulators: readonly Accumulator[];
  readonly broken: number;
  add(image: ScoredImage): void;
}

function createScores(protocol: string, systems: number, unopened: readonly BrokenImage[]): Scores {
  const accumulators = Array.from({ length: systems }, () => createAccumulator(protocol));
  let broken = 0;
  const add = (image: ScoredImage): void => {
    if ('error' in image) {
      broken += 1;
      console.error(`voxface: ${image.id}: ${image.error}`);
    } else
      for (const [s, errors] of image.systems.entries())
        accumulators[s].merge({ protocol, images: [errors] });
  };
  for (const image of unopened) add(image);
  return {
    accumulators,
    add,
    get broken() {
      return broken;
    },
  };
}

interface EvaluationSettings {
  readonly protocol: string;
  readonly dataset: string;
  /** Name of each system. */
  readonly models: readonly string[];
  readonly json?: string;
  readonly report?: string;
  readonly tables?: boolean;
  /** Only the first samples were asked for. */
  readonly limited?: boolean;
  /** What each system predicted, and the dataset, for the report's pictures; absent when parts are joined. */
  readonly predicted?: readonly ReadonlyMap<string, Landmarks>[];
  readonly faces?: Dataset;
}

async function finishEvaluation(
  { accumulators, broken }: Scores,
  {
    protocol,
    dataset: set,
    models,
    json: file,
    report,
    tables = true,
    limited,
    predicted,
    faces,
  }: EvaluationSettings,
): Promise<void> {
  const systems = models.map((model, s): SystemResult => {
    const evaluation = accumulators[s].compute();
    const perLandmark = averageLandmarks(evaluation.perImage);
    return { model, evaluation, perLandmark, predicted: predicted?.[s] ?? new Map() };
  });
  for (const { model, evaluation } of systems)
    console.log(formatEvaluation(evaluation, { dataset: set, model }));
  if (systems.length > 1) {
    console.log(`\n${formatReport(systems.map(({ model, evaluation }) => ({ method: model, evaluation })))}`);
    for (const line of compareSystems(systems)) console.log(line);
  }
  const published = tables ? findPublished(protocol).filter(({ name }) => !ABLATIONS.has(name)) : [];
  for (const table of published) {
    const rows = systems.map(({ model, evaluation }) => ({
      method: model,
      values: publishedValues(table, evaluation),
    }));
    console.log(`\n${formatPublished(table, rows)}`);
  }
  if (limited && published.length > 0)
    console.log('Only the first faces: not to be compared with the table.');
  const results = systems.map(({ model, evaluation, perLandmark }): ReportJson => {
    const percent = perLandmark.map((value) => (value === null ? null : Math.round(value * 1e6) / 1e4));
    const json = toReportJson(evaluation, { dataset: set, model });
    return { ...json, perLandmark: percent, perImage: withConfidences(evaluation, json.perImage) };
  });
  const json = results.length === 1 ? results[0] : results;
  if (file) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${JSON.stringify(json, null, 1)}\n`);
  }
  if (report) await writeReport(report, systems, { set, json, dataset: faces });
  if (broken > 0) {
    throw new Error(`${broken} samples could not be read (named above) and are not in these figures`);
  }
}

/** Scores the images at these places of the dataset, in order. */
async function scoreImages(
  protocol: string,
  dataset: Dataset,
  sources: readonly PredictionSource[],
  places: readonly number[],
  take: (index: number, image: ScoredImage) => Promise<void>,
  /** Whether errors by landmark are wanted too. */
  detailed: boolean,
  keep?: (id: string, system: number, preds: Landmarks) => void,
): Promise<void> {
  // Pictures are decoded for those who look at them.
  const looks = sources.some((source) => source.looks) || dataset.annotate === undefined;
  const load = looks ? dataset.load : dataset.annotate!;
  const progress = createProgress('faces', places.length);
  for (const [done, i] of places.entries()) {
    const sample = await load(i).catch((error: Error) => error);
    if (sample instanceof Error) await take(i, { id: dataset.ids[i], error: sample.message });
    else {
      const systems: FaceErrors[] = [];
      for (const [s, source] of sources.entries()) {
        const found = await source.predict(sample);
        if (found !== null) keep?.(sample.id, s, found.landmarks);
        const errors = scoreSample(protocol, sample, found?.landmarks ?? null, detailed);
        const { confidence } = found ?? {};
        systems.push(confidence === undefined ? errors : { ...errors, confidence });
      }
      await take(i, { systems });
    }
    progress.update(done + 1);
  }
  progress.finish();
}

function scoreSample(
  protocol: string,
  sample: Annotation | Sample,
  preds: Landmarks | null,
  detailed: boolean,
): FaceErrors {
  const accumulator = createAccumulator(protocol);
  const { id, yaw, landmarks: target, visible, attributes = {} } = sample;
  const parts = Object.keys(attributes).filter((name) => attributes[name] === true);
  const named = parts.length > 0 ? parts : undefined;
  if (preds === null) {
    accumulator.miss(id, yaw, named);
    return accumulator.state().images[0];
  }
  const face = { id, preds, target, reference: referenceOf(sample), visible, yaw, ...anglesOf(sample) };
  accumulator.update({ ...face, parts: named });
  const [errors] = accumulator.state().images;
  return detailed ? { ...errors, points: landmarkErrors(protocol, face) } : errors;
}

/** The share of each scored landmark in the face's error: its error by the protocol with all others hidden. */
function landmarkErrors(protocol: string, face: ScoredFace): (number | null)[] {
  const rules = findProtocol(protocol);
  const { scheme, map } = rules;
  const { visible } = face;
  const isSeen = (i: number): boolean => {
    if (!visible) return true;
    if (!map || visible.length !== map.from.count) return visible[i] !== 0;
    return map.sources[i].every((source) => visible[source] !== 0);
  };
  return Array.from({ length: scheme.count }, (_, i) => {
    if (!isSeen(i)) return null;
    const alone = new Uint8Array(scheme.count);
    alone[i] = 1;
    return Math.round(1e6 * scoreFace(rules, { ...face, visible: alone })) / 1e6;
  });
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
