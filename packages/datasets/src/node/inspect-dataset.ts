import { countLandmarks, headPose, type Landmarks } from '@voxface/landmarks';
import { countInside } from '../record-dataset.ts';
import type { Dataset, Sample } from '../sample.ts';
import { type OpenDatasetOptions, openDataset } from './open-dataset.ts';
import { decodeImage, isTurnedPicture } from './read-image.ts';

/** Smallest and largest value. */
export type Range = readonly [minimum: number, maximum: number];

/** What `inspectDataset` found; plain JSON but for `samples`. */
export interface DatasetReport {
  readonly name: string;
  readonly scheme: string;
  readonly dims: 2 | 3;
  /** Samples that load. */
  readonly count: number;
  /** Samples that do not, by name, with the reason. */
  readonly broken: readonly { id: string; problem: string }[];
  /** Pixels. */
  readonly imageWidth: Range;
  readonly imageHeight: Range;
  /** Pixels, visible landmarks only. */
  readonly x: Range;
  readonly y: Range;
  /** Pixels; absent for 2D. */
  readonly z?: Range;
  /** Longer side of the landmark boxes, pixels. */
  readonly boxSide: Range;
  /** Samples with landmarks outside the picture. */
  readonly outside: readonly string[];
  /** Samples whose picture carries an orientation tag, and those of them whose points seem to refer to the other frame. */
  readonly turned: number;
  readonly otherFrame: readonly string[];
  /** Samples with hidden landmarks. */
  readonly partlyVisible: number;
  /** Samples by |yaw| in degrees, [0, 30], (30, 60], (60, ...); those whose yaw is unknown in `unknown`. */
  readonly yaw: {
    readonly to30: number;
    readonly to60: number;
    readonly beyond: number;
    readonly unknown: number;
  };
  /** The samples that were asked for; absent when none was, or none loads. */
  readonly samples?: readonly Sample[];
}

export interface InspectOptions extends OpenDatasetOptions {
  /** Samples to hand back, spread evenly over the dataset, for a contact sheet. @default 0 */
  samples?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export const INSPECT_DEFAULTS: { samples: number } = { samples: 0 };

/**
 * Loads every sample of a dataset once and says what is there: counts, ranges, every broken file by name, and
 * samples for a contact sheet.
 * @param target a folder or annotation file (opened by `openDataset`), or an opened dataset.
 * @throws Error when the dataset cannot be opened at all.
 */
export async function inspectDataset(
  target: string | Dataset,
  options: InspectOptions = {},
): Promise<DatasetReport> {
  const broken: { id: string; problem: string }[] = [];
  const report = (problem: { id: string; error: Error }): void => {
    broken.push({ id: problem.id, problem: problem.error.message });
    options.onProblem?.(problem);
  };
  const dataset =
    typeof target === 'string' ? await openDataset(target, { ...options, onProblem: report }) : target;
  const ranges = createRanges();
  const outside: string[] = [];
  const yaw = { to30: 0, to60: 0, beyond: 0, unknown: 0 };
  const wanted = options.samples ?? INSPECT_DEFAULTS.samples;
  const samples: Sample[] = [];
  let count = 0;
  let partlyVisible = 0;
  let turned = 0;
  const otherFrame: string[] = [];
  for (let i = 0; i < dataset.length; i++) {
    options.signal?.throwIfAborted();
    try {
      const tagged = await orientationOf(dataset, i);
      if (tagged) turned += 1;
      if (tagged && (await isOfOtherFrame(dataset, i))) otherFrame.push(dataset.ids[i]);
      const sample = await dataset.load(i);
      count += 1;
      addRanges(ranges, sample);
      const { width, height } = sample.image;
      const visible = sample.visible?.reduce((sum, value) => sum + value, 0) ?? dataset.scheme.count;
      if (visible < dataset.scheme.count) partlyVisible += 1;
      if (countInside(sample.landmarks, width, height, sample.visible) < visible) outside.push(sample.id);
      yaw[binOf(sample)] += 1;
      const due = Math.floor(((i + 1) * wanted) / dataset.length) > Math.floor((i * wanted) / dataset.length);
      if (wanted > 0 && (due || dataset.length <= wanted)) samples.push(sample);
    } catch (error) {
      report({ id: dataset.ids[i], error: error as Error });
    }
    options.onProgress?.(i + 1, dataset.length);
  }
  return {
    name: dataset.name,
    scheme: dataset.scheme.name,
    dims: dataset.dims,
    count,
    broken: sortById(broken),
    imageWidth: ranges.width,
    imageHeight: ranges.height,
    x: ranges.x,
    y: ranges.y,
    ...(dataset.dims === 3 && { z: ranges.z }),
    boxSide: ranges.side,
    outside: outside.sort(),
    turned,
    otherFrame: otherFrame.sort(),
    partlyVisible,
    yaw,
    ...(samples.length > 0 && { samples }),
  };
}

const sortById = <T extends { id: string }>(items: T[]): T[] =>
  items.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));

/**
 * Joins the reports of the parts of one dataset, also through JSON, to what one report of the whole says.
 * @throws RangeError when there is none, or they are of different datasets.
 */
export function mergeReports(reports: readonly DatasetReport[]): DatasetReport {
  const [first] = reports;
  if (first === undefined) throw new RangeError('mergeReports: expected at least one report, got none');
  for (const key of ['name', 'scheme', 'dims'] as const) {
    const other = reports.find((report) => report[key] !== first[key]);
    if (other) throw new RangeError(`mergeReports: expected one ${key}, got ${first[key]} and ${other[key]}`);
  }
  const sum = (of: (report: DatasetReport) => number) => reports.reduce((total, r) => total + of(r), 0);
  // A part without a sample that loads has no ranges: null in JSON.
  const range = (of: (report: DatasetReport) => Range | undefined): Range => {
    const whole = reports.flatMap((r) => of(r) ?? []).filter((value) => Number.isFinite(value));
    return whole.length === 0 ? [Infinity, -Infinity] : [Math.min(...whole), Math.max(...whole)];
  };
  return {
    name: first.name,
    scheme: first.scheme,
    dims: first.dims,
    count: sum((r) => r.count),
    broken: sortById(reports.flatMap((r) => r.broken)),
    imageWidth: range((r) => r.imageWidth),
    imageHeight: range((r) => r.imageHeight),
    x: range((r) => r.x),
    y: range((r) => r.y),
    ...(first.dims === 3 && { z: range((r) => r.z) }),
    boxSide: range((r) => r.boxSide),
    outside: reports.flatMap((r) => r.outside).sort(),
    turned: sum((r) => r.turned),
    otherFrame: reports.flatMap((r) => r.otherFrame).sort(),
    partlyVisible: sum((r) => r.partlyVisible),
    yaw: {
      to30: sum((r) => r.yaw.to30),
      to60: sum((r) => r.yaw.to60),
      beyond: sum((r) => r.yaw.beyond),
      unknown: sum((r) => r.yaw.unknown),
    },
  };
}

async function orientationOf(dataset: Dataset, index: number): Promise<boolean> {
  if (!dataset.loadEncoded) return false;
  const { encoded } = await dataset.loadEncoded(index);
  return isTurnedPicture(encoded).catch(() => false);
}

/** More of the landmarks lie inside the picture turned the other way than it is read. */
async function isOfOtherFrame(dataset: Dataset, index: number): Promise<boolean> {
  const { encoded, landmarks, visible, upright = false, id } = await dataset.loadEncoded!(index);
  const insideOf = async (orient: boolean): Promise<number> => {
    const { width, height } = await decodeImage(encoded, id, { orient });
    return countInside(landmarks, width, height, visible);
  };
  return (await insideOf(!upright)) > (await insideOf(upright));
}

type Ranges = Record<'width' | 'height' | 'x' | 'y' | 'z' | 'side', [number, number]>;

function createRanges(): Ranges {
  const empty = (): [number, number] => [Infinity, -Infinity];
  return { width: empty(), height: empty(), x: empty(), y: empty(), z: empty(), side: empty() };
}

function addRanges(ranges: Ranges, { image, landmarks, visible, box }: Sample): void {
  const extend = (range: [number, number], value: number): void => {
    range[0] = Math.min(range[0], value);
    range[1] = Math.max(range[1], value);
  };
  extend(ranges.width, image.width);
  extend(ranges.height, image.height);
  extend(ranges.side, Math.max(box.width, box.height));
  const axes = [ranges.x, ranges.y, ranges.z];
  for (let i = 0; i < countLandmarks(landmarks); i++) {
    if (visible && !visible[i]) continue;
    for (let axis = 0; axis < landmarks.dims; axis++)
      extend(axes[axis], landmarks.points[i * landmarks.dims + axis]);
  }
}

function binOf({ yaw, landmarks }: Sample): 'to30' | 'to60' | 'beyond' | 'unknown' {
  const count = countLandmarks(landmarks);
  const known = landmarks.dims === 3 && (count === 68 || count === 66);
  const degrees = yaw ?? (known ? headPose(landmarks as Landmarks<3>).yaw : undefined);
  if (degrees === undefined) return 'unknown';
  return Math.abs(degrees) <= 30 ? 'to30' : Math.abs(degrees) <= 60 ? 'to60' : 'beyond';
}
