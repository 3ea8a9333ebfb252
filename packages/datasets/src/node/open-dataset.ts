import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { OccludedRule, ProblemHandler } from '../record-dataset.ts';
import type { Dataset } from '../sample.ts';
import { open3dfaw } from './open-3dfaw.ts';
import { open300w } from './open-300w.ts';
import { open300wLpPlane } from './open-300w-lp.ts';
import { openAflw } from './open-aflw.ts';
import { openAflw2000Reannotated, openAflw2000Visible21, openAflw20003d } from './open-aflw2000-3d.ts';
import { openKeypointCsv } from './open-keypoint-csv.ts';
import { MERL_RAV_FOLDER, openMerlRav } from './open-merl-rav.ts';
import { openVoxfaceDataset } from './open-packed-set.ts';
import { openWflw } from './open-wflw.ts';
import { listFiles } from './read-image.ts';

/** What `openDataset` can tell by the files it finds. */
export const DATASET_KINDS: readonly [
  'packed',
  '300w',
  '300w-lp',
  'aflw2000-3d',
  'aflw',
  'wflw',
  'keypoint-csv',
  'merl-rav',
  '3dfaw',
] = ['packed', '300w', '300w-lp', 'aflw2000-3d', 'aflw', 'wflw', 'keypoint-csv', 'merl-rav', '3dfaw'];

export type DatasetKind = (typeof DATASET_KINDS)[number];

export interface OpenDatasetOptions {
  /** Absent: told by the files. */
  kind?: DatasetKind;
  /**
   * Only the samples of this split, where the files say it (keypoint CSV, MERL-RAV). AFLW2000-3D: `paper` or `fitted`, where the yaw comes
   * from that splits the set, see `Aflw20003dOptions`.
   */
  split?: string;
  /** Which labels of AFLW2000-3D; `original` if omitted. */
  labels?: 'original' | 'reannotated' | 'visible-21';
  /** What becomes of points that are annotated although something hides them (keypoint CSV, MERL-RAV). */
  occluded?: OccludedRule;
  /** Told about samples that are left out; absent: the first broken one throws. */
  onProblem?: ProblemHandler;
}

/**
 * Opens a folder (or a `.csv`, WFLW list or `.sqlite` file) as the kind of dataset its files show. 300W-LP opens
 * with its 2D points: its 3D landmarks need a basis, see `open300wLp`. COCO-style and JVCR JSON and AFLW's
 * splits need settings of their own and are opened by their functions; 3DFAW is never guessed, name the kind.
 * @throws Error when the files are of no known kind.
 */
export async function openDataset(target: string, options: OpenDatasetOptions = {}): Promise<Dataset> {
  const { kind, folder, file } = await recognize(target, options.kind);
  if (kind === 'aflw2000-3d') return openLabels(folder, options);
  if (options.split !== undefined && kind !== 'keypoint-csv' && kind !== 'merl-rav') {
    throw new Error(
      `openDataset: only keypoint CSV files and MERL-RAV have splits, got split "${options.split}" for ${kind} in ${target}`,
    );
  }
  const selection = {
    ...(options.split !== undefined && { split: options.split }),
    ...(options.occluded && { occluded: options.occluded }),
  };
  const settings = options.onProblem ? { onProblem: options.onProblem } : {};
  switch (kind) {
    case 'packed':
      return openVoxfaceDataset(folder);
    case '300w':
      return open300w(folder, { name: path.basename(path.resolve(folder)), ...settings });
    case '300w-lp':
      return open300wLpPlane(folder);
    case '3dfaw':
      return open3dfaw(folder);
    case 'aflw':
      return openAflw(file!, path.join(folder, 'flickr'), settings);
    case 'wflw':
      return openWflw(file!, await findWflwImages(path.dirname(file!)), settings);
    case 'merl-rav':
      return openMerlRav(folder, folder, { ...settings, ...selection });
    case 'keypoint-csv':
      return openKeypointCsv(
        file!,
        await findImages(folder, path.basename(file!, '.csv').split('_')[0], 'images'),
        {
          name: path.basename(file!, '.csv'),
          ...settings,
          ...selection,
        },
      );
  }
}

/** AFLW2000-3D with the labels and the yaw that are asked for. */
function openLabels(folder: string, { labels, split, onProblem }: OpenDatasetOptions): Promise<Dataset> {
  const yaw = (['paper', 'fitted'] as const).find((name) => name === split);
  if (split !== undefined && yaw === undefined) {
    throw new Error(`openDataset: the split of AFLW2000-3D is 'paper' or 'fitted', got "${split}"`);
  }
  const settings = { ...(onProblem && { onProblem }), ...(yaw && { yaw }) };
  if (labels === 'reannotated') return openAflw2000Reannotated(folder, settings);
  return labels === 'visible-21' ? openAflw2000Visible21(folder, settings) : openAflw20003d(folder, settings);
}

/**
 * Tells the kind of dataset by its files.
 * @throws Error when there is nothing known, or several annotation files to choose from.
 */
export async function recognizeDataset(target: string): Promise<DatasetKind> {
  return (await recognize(target)).kind;
}

interface Recognized {
  readonly kind: DatasetKind;
  readonly folder: string;
  readonly file?: string;
}

async function recognize(target: string, wanted?: DatasetKind): Promise<Recognized> {
  const info = await stat(target).catch(() => undefined);
  if (!info) throw new Error(`openDataset: expected a folder or file, got nothing at ${target}`);
  const folder = info.isDirectory() ? target : path.dirname(target);
  const files = info.isDirectory() ? await listFiles(target) : [path.basename(target)];
  if (files.length === 0) throw new Error(`openDataset: expected a dataset, got the empty folder ${target}`);
  const find = (rule: RegExp): string | undefined => {
    const hits = files.filter((name) => rule.test(name));
    if (hits.length > 1 && !wanted?.startsWith('packed')) {
      throw new Error(
        `openDataset: expected one annotation file, got ${hits.join(', ')} under ${target} (name one of them)`,
      );
    }
    return hits.length > 0 ? path.join(folder, hits[0]) : undefined;
  };
  const has = (rule: RegExp): boolean => files.some((name) => rule.test(name));
  const tests: [DatasetKind, () => boolean | string | undefined][] = [
    ['packed', () => has(/(^|^[^/]+\/)set\.json$/)],
    ['300w-lp', () => has(/^landmarks\/.*_pts\.mat$/)],
    ['aflw2000-3d', () => files.some((name) => name.endsWith('.mat') && !/(^|\/)Code\//.test(name))],
    ['aflw', () => find(/\.sqlite$/)],
    ['wflw', () => find(/list_98pt_.*\.txt$/)],
    ['merl-rav', () => has(MERL_RAV_FOLDER) && has(/\.pts$/i)],
    ['300w', () => has(/\.pts$/i)],
    ['keypoint-csv', () => find(/\.csv$/)],
    // Pictures with text files beside them are much: only by name.
    ['3dfaw', () => wanted === '3dfaw'],
  ];
  for (const [kind, test] of tests) {
    if (wanted && kind !== wanted) continue;
    const hit = test();
    if (hit) return { kind, folder, ...(typeof hit === 'string' && { file: hit }) };
  }
  throw new Error(
    `openDataset: expected files of ${wanted ?? tests.map(([kind]) => kind).join(', ')}, got ${files.length} others, such as ${files[0]}, in ${target}`,
  );
}

/** WFLW unpacks its lists into `WFLW_annotations/LIST/`, its pictures into `WFLW_images` beside that. */
async function findWflwImages(folder: string): Promise<string> {
  for (const above of ['.', '..', '../..']) {
    const images = path.join(folder, above, 'WFLW_images');
    if ((await stat(images).catch(() => undefined))?.isDirectory()) return images;
  }
  return folder;
}

/** The first subfolder of those names where there is one, else the folder itself. */
async function findImages(folder: string, ...names: string[]): Promise<string> {
  for (const name of names) {
    const inner = path.join(folder, name);
    if ((await stat(inner).catch(() => undefined))?.isDirectory()) return inner;
  }
  return folder;
}
