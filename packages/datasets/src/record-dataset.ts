import {
  type Box,
  boxOf,
  countLandmarks,
  createLandmarks,
  type LandmarkScheme,
  type Landmarks,
  type Pixels,
} from '@voxface/landmarks';
import type { Annotation, Dataset, Sample } from './sample.ts';

/** A sample that was left out, and why. */
export interface Problem {
  readonly id: string;
  readonly error: Error;
}

/** Told about a sample that was left out. */
export type ProblemHandler = (problem: Problem) => void;

/** Collects the samples that a loader leaves out: `report` throws where nobody wants to hear of them. */
export function collectProblems(onProblem: ProblemHandler | undefined): {
  readonly problems: readonly Problem[];
  report(problem: Problem): void;
} {
  const problems: Problem[] = [];
  return {
    problems,
    report(problem) {
      if (!onProblem) throw problem.error;
      problems.push(problem);
      onProblem(problem);
    },
  };
}

/** What a loader supplies; the rest of a dataset follows from it. */
export interface RecordSource<D extends 2 | 3> {
  name: string;
  scheme: LandmarkScheme;
  dims: D;
  ids: readonly string[];
  annotate(index: number): Annotation<D> | Promise<Annotation<D>>;
  /** Reads the image file's bytes. */
  readImage(index: number): Promise<Uint8Array>;
  /** `orient`: turn the picture upright by its orientation tag, because the points refer to that. */
  decode(bytes: Uint8Array, name: string, options: { orient: boolean }): Promise<Pixels>;
  /** Samples that were left out as broken: their reasons are the error where none is left. */
  problems?: readonly Problem[];
}

/**
 * Builds a dataset from a loader's records.
 * @throws Error when there are none or an identifier comes twice.
 */
export function createRecordDataset<D extends 2 | 3>(source: RecordSource<D>): Dataset<D> {
  const { name, scheme, dims, ids } = source;
  if (ids.length === 0) throw noSample(name, source.problems ?? []);
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id))
      throw new Error(`createRecordDataset: identifiers must be unique, got "${id}" twice in ${name}`);
    seen.add(id);
  }
  const check = (index: number): void => {
    if (!(Number.isInteger(index) && index >= 0 && index < ids.length)) {
      throw new RangeError(`load: index must be in 0..${ids.length - 1} of ${name}, got ${index}`);
    }
  };
  const annotate = async (index: number): Promise<Annotation<D>> => {
    check(index);
    return source.annotate(index);
  };
  return {
    name,
    scheme,
    dims,
    length: ids.length,
    ids,
    annotate,
    async loadEncoded(index) {
      check(index);
      const [annotation, encoded] = await Promise.all([annotate(index), source.readImage(index)]);
      return { ...annotation, encoded };
    },
    async load(index) {
      check(index);
      const [annotation, bytes] = await Promise.all([annotate(index), source.readImage(index)]);
      const image = await source.decode(bytes, `${name}/${ids[index]}`, {
        orient: annotation.upright === true,
      });
      return checkSample({ ...annotation, image });
    },
  };
}

function noSample(name: string, problems: readonly Problem[]): Error {
  if (problems.length === 0) {
    return new Error(`createRecordDataset: expected at least one sample, got none in ${name}`);
  }
  const reasons = problems.slice(0, 3).map(({ id, error }) => `  ${id}: ${error.message}`);
  const more = problems.length > 3 ? `\n  and ${problems.length - 3} more` : '';
  return new Error(
    `createRecordDataset: at least one sample of ${name} must be whole, got ${problems.length} broken:\n${reasons.join('\n')}${more}`,
  );
}

/**
 * Refuses a sample whose annotation does not belong to its picture: fewer than half of the visible landmarks
 * inside. Some outside are normal (faces cut by the picture's edge).
 */
function checkSample<D extends 2 | 3>(sample: Sample<D>): Sample<D> {
  checkInside(sample, sample.image.width, sample.image.height);
  return sample;
}

/** The rule of `checkSample` for a picture of the given size. */
export function checkInside(annotation: Annotation, width: number, height: number): void {
  const inside = countInside(annotation.landmarks, width, height, annotation.visible);
  const count = annotation.visible
    ? annotation.visible.reduce((sum, value) => sum + value, 0)
    : countLandmarks(annotation.landmarks);
  if (inside * 2 < count) {
    throw new Error(
      `checkSample: at least half of the landmarks must lie inside the picture, got ${inside} of ${count} in ${width} x ${height} pixels for ${annotation.id} (wrong picture, wrong scale, or points of the picture turned by its orientation tag?)`,
    );
  }
}

/** Landmarks (visible ones) whose x, y lie on the picture, edges of the border pixels included. */
export function countInside(shape: Landmarks, width: number, height: number, visible?: Uint8Array): number {
  const { points, dims } = shape;
  let inside = 0;
  for (let i = 0; i < countLandmarks(shape); i++) {
    const x = points[i * dims];
    const y = points[i * dims + 1];
    if (visible && !visible[i]) continue;
    if (x >= -0.5 && y >= -0.5 && x <= width - 0.5 && y <= height - 0.5) inside += 1;
  }
  return inside;
}

/** Tight box of the visible landmarks. */
export function visibleBox(shape: Landmarks, visible?: Uint8Array): Box {
  if (!visible) return boxOf(shape);
  const { points, dims } = shape;
  const kept: number[] = [];
  visible.forEach((value, i) => {
    if (value) kept.push(points[i * dims], points[i * dims + 1]);
  });
  return boxOf({ points: Float32Array.from(kept), dims: 2 });
}

/**
 * Landmarks [n, 2] in house pixels whose missing points are masked: they lie at the centre of the others' box.
 * @param points [n, 2] as in the file.
 * @param origin coordinate of the top-left pixel's centre in the file.
 * @param visible [n] 0 = the file has no such point; absent means all are there.
 */
export function maskMissing(
  points: Float32Array,
  origin: number,
  visible?: Uint8Array,
): { landmarks: Landmarks<2>; box: Box } {
  const shape: Landmarks<2> = { points: points.map((value) => value - origin), dims: 2 };
  const box = visibleBox(shape, visible);
  visible?.forEach((value, i) => {
    if (!value) shape.points.set([box.x + box.width / 2, box.y + box.height / 2], 2 * i);
  });
  return { landmarks: createLandmarks(shape.points, 2), box };
}

/**
 * Refuses a file name of a list that leads out of its folder: absolute, with `..`, or an address.
 * @param where the file that names it.
 */
export function checkInnerPath(caller: string, file: string, where: string): void {
  const outside =
    file === '' ||
    /^[/\\]|^[a-z][a-z0-9+.-]*:|\0/i.test(file) ||
    file.split(/[/\\]/).some((part) => part === '..');
  if (outside) {
    throw new Error(
      `${caller}: names must stay inside the folder, got ${JSON.stringify(file.slice(0, 80))} in ${where}`,
    );
  }
}

/** Identifiers made unique: the second face of `a` is `a#2`. */
export function uniqueIds(ids: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return ids.map((id) => {
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    return count === 1 ? id : `${id}#${count}`;
  });
}

/** What becomes of points that are annotated although something hides them: counted like others, or masked. */
export type OccludedRule = 'count' | 'mask';

/** Applies the rule: `mask` takes occluded points out of `visible`. */
export function maskOccluded(
  visible: Uint8Array | undefined,
  occluded: Uint8Array | undefined,
  rule: OccludedRule,
): Uint8Array | undefined {
  if (rule === 'count' || !occluded) return visible;
  return occluded.map((value, i) => (value || visible?.[i] === 0 ? 0 : 1));
}

/** Refuses a box of a file that has no size. */
export function checkBox(box: Box, file: string): Box {
  const { x, y, width, height } = box;
  if (!(width > 0 && height > 0 && Number.isFinite(x + y + width + height))) {
    throw new Error(`checkBox: width and height must be positive, got ${JSON.stringify(box)} in ${file}`);
  }
  return box;
}

/** Refuses landmarks of another number than the scheme's, or with no extent. */
export function checkShape(shape: Landmarks, scheme: LandmarkScheme, file: string): void {
  const n = countLandmarks(shape);
  if (n !== scheme.count) {
    throw new Error(`checkShape: ${scheme.name} has ${scheme.count} landmarks, got ${n} in ${file}`);
  }
  const box = boxOf(shape);
  if (!(box.width > 0 && box.height > 0)) {
    throw new Error(
      `checkShape: landmarks must spread over an area, got a box of ${box.width} x ${box.height} in ${file}`,
    );
  }
}
