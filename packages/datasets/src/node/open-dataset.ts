import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LandmarkScheme } from '@voxface/landmarks';
import type { OccludedRule, ProblemHandler } from '../record-dataset.ts';
import type { Dataset, DatasetKind } from '../sample.ts';
import { open3dfaw } from './open-3dfaw.ts';
import { open300w } from './open-300w.ts';
import { open300wLp, open300wLpPlane } from './open-300w-lp.ts';
import { openAflw } from './open-aflw.ts';
import { openAflw2000Reannotated, openAflw2000Visible21, openAflw20003d } from './open-aflw2000-3d.ts';
import { openCoco } from './open-coco.ts';
import { openJvcrJson } from './open-jvcr-json.ts';
import { openKeypointCsv } from './open-keypoint-csv.ts';
import { MERL_RAV_FOLDER, openMerlRav } from './open-merl-rav.ts';
import { isAddress, openPackedSet } from './open-packed-set.ts';
import { openWebDataset } from './open-webdataset.ts';
import { openWflw } from './open-wflw.ts';
import { listFiles } from './read-image.ts';
import { isTarPath } from './read-tar.ts';

export interface OpenDatasetOptions {
  /** @default detected from the files */
  kind?: DatasetKind;
  /** Name of the dataset. @default that of its format or file */
  name?: string;
  /**
   * Folder of the pictures, where they lie elsewhere than the annotations (not of `packed`, 300W, 300W-LP, AFLW2000-3D, 3DFAW).
   * @default beside the annotations
   */
  images?: string;
  /**
   * Scheme of the points where the files do not say it (300W's `.pts`, keypoint CSV, COCO, JVCR, WebDataset).
   * @default IBUG_68
   */
  scheme?: LandmarkScheme;
  /** Folder of the 68 rows of the Basel face model, which gives 300W-LP its depth: see `open300wLp`. */
  basis?: string;
  /**
   * Only the samples of this split, where the files say it (keypoint CSV, MERL-RAV). AFLW2000-3D: `paper` or `fitted`, where the yaw comes
   * from that splits the set, see `Aflw20003dOptions`.
   */
  split?: string;
  /** Which labels of AFLW2000-3D. @default 'original' */
  labels?: 'original' | 'reannotated' | 'visible-21';
  /** What becomes of points that are annotated although something hides them (keypoint CSV, MERL-RAV). */
  occluded?: OccludedRule;
  /** Called for each sample that is left out. @default the first broken one throws */
  onProblem?: ProblemHandler;
}

/**
 * Opens a folder (or a `.csv`, `.json`, WFLW list, `.sqlite` or `.tar` file, or the address of a packed set) as the kind of dataset its files show. 300W-LP opens
 * with its 2D points unless a `basis` gives it depth. 3DFAW, and JSON that is not itself the target, are never guessed: name
 * the kind.
 * @throws Error when the files are of no known kind, or the kind does not know an option.
 * @example
 * ```js
 * import { openDataset } from '@voxface/datasets/node';
 *
 * const dataset = await openDataset('300w/afw');
 * console.log(dataset.length); // => 337
 * ```
 */
export async function openDataset(target: string, options: OpenDatasetOptions = {}): Promise<Dataset> {
  const dataset = await openKind(target, options);
  return options.name === undefined ? dataset : { ...dataset, name: options.name };
}

async function openKind(target: string, options: OpenDatasetOptions): Promise<Dataset> {
  const { kind, folder, file } = await recognize(target, options.kind);
  checkOptions(kind, target, options);
  const { split, scheme, occluded, onProblem } = options;
  const images = options.images ?? folder;
  const shared = onProblem ? { onProblem } : {};
  const points = { ...shared, ...(scheme && { scheme }) };
  const selection = { ...(split !== undefined && { split }), ...(occluded && { occluded }) };
  const stem = file === undefined ? '' : path.basename(file, path.extname(file));
  switch (kind) {
    case 'packed':
      return openPackedSet(folder);
    case '300w':
      return open300w(folder, { name: path.basename(path.resolve(folder)), ...points });
    case '300w-lp':
      return options.basis === undefined ? open300wLpPlane(folder) : open300wLp(folder, options.basis);
    case 'aflw2000-3d':
      return openLabels(folder, options);
    case '3dfaw':
      return open3dfaw(folder);
    case 'aflw':
      return openAflw(file!, options.images ?? path.join(folder, 'flickr'), shared);
    case 'wflw':
      return openWflw(file!, options.images ?? (await findWflwImages(path.dirname(file!))), shared);
    case 'merl-rav':
      return openMerlRav(folder, images, { ...shared, ...selection });
    case 'webdataset':
      return openWebDataset(file ?? folder, points);
    case 'coco':
      return openCoco(file!, options.images ?? (await findImages(folder, stem, 'images')), points);
    case 'jvcr-json':
      return openJvcrJson(file!, images, points);
    case 'keypoint-csv':
      return openKeypointCsv(
        file!,
        options.images ?? (await findImages(folder, stem.split('_')[0], 'images')),
        { name: stem, ...points, ...selection },
      );
  }
}

/** The kinds that an option means something to. */
const KNOWN_BY: Readonly<
  Record<'split' | 'images' | 'scheme' | 'basis' | 'occluded', readonly DatasetKind[]>
> = {
  split: ['keypoint-csv', 'merl-rav', 'aflw2000-3d'],
  images: ['aflw', 'wflw', 'keypoint-csv', 'merl-rav', 'coco', 'jvcr-json'],
  scheme: ['300w', 'keypoint-csv', 'coco', 'jvcr-json', 'webdataset'],
  basis: ['300w-lp'],
  occluded: ['keypoint-csv', 'merl-rav'],
};

function checkOptions(kind: DatasetKind, target: string, options: OpenDatasetOptions): void {
  for (const [option, kinds] of Object.entries(KNOWN_BY) as [keyof typeof KNOWN_BY, DatasetKind[]][]) {
    const value = options[option];
    // Evaluation always says its rule, of which most sets know nothing.
    if (value === undefined || value === 'count' || kinds.includes(kind)) continue;
    throw new Error(
      `openDataset: ${option} is for ${kinds.join(', ')}, got ${typeof value === 'object' ? value.name : `"${value}"`} for ${kind} in ${target}`,
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
  // An address has no folder to look into, and braces are for many files.
  const known = isAddress(target) ? 'packed' : isTarPath(target) ? 'webdataset' : undefined;
  if (known !== undefined) {
    if (wanted === undefined || wanted === known) return { kind: known, folder: target, file: target };
    throw new Error(
      `openDataset: ${known === 'packed' ? 'an address holds a packed set' : 'a .tar is read as webdataset'}, got ${wanted} for ${target} (copy or unpack it)`,
    );
  }
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
  // A JSON among other files may be anything: it counts where it is the target, or by name.
  const json = async (kind: DatasetKind): Promise<string | undefined> => {
    if (wanted === kind) return find(/\.json$/i);
    const isList = info.isDirectory() || !/\.json$/i.test(target) ? undefined : await holdsList(target);
    return isList === (kind === 'jvcr-json') ? target : undefined;
  };
  const tests: [DatasetKind, () => boolean | string | undefined | Promise<string | undefined>][] = [
    ['packed', () => has(/(^|^[^/]+\/)set\.json$/)],
    ['300w-lp', () => has(/^landmarks\/.*_pts\.mat$/)],
    ['aflw2000-3d', () => files.some((name) => name.endsWith('.mat') && !/(^|\/)Code\//.test(name))],
    ['aflw', () => find(/\.sqlite$/)],
    ['wflw', () => find(/list_98pt_.*\.txt$/)],
    ['merl-rav', () => has(MERL_RAV_FOLDER) && has(/\.pts$/i)],
    ['300w', () => has(/\.pts$/i)],
    ['keypoint-csv', () => find(/\.csv$/)],
    ['coco', () => json('coco')],
    ['jvcr-json', () => json('jvcr-json')],
    ['webdataset', () => has(/\.tar$/i)],
    // Pictures with text files beside them are much: only by name.
    ['3dfaw', () => wanted === '3dfaw'],
  ];
  for (const [kind, test] of tests) {
    if (wanted && kind !== wanted) continue;
    const hit = await test();
    if (hit) return { kind, folder, ...(typeof hit === 'string' && { file: hit }) };
  }
  throw new Error(
    `openDataset: expected files of ${wanted ?? tests.map(([kind]) => kind).join(', ')}, got ${files.length} others, such as ${files[0]}, in ${target}`,
  );
}

/** Whether a JSON file holds a list (JVCR) or an object with images and annotations (COCO); undefined: something else. */
async function holdsList(file: string): Promise<boolean | undefined> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8'));
    if (Array.isArray(value)) return true;
    return Array.isArray(value?.images) && Array.isArray(value?.annotations) ? false : undefined;
  } catch {
    return undefined;
  }
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
