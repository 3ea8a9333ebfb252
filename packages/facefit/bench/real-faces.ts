import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { annotationOf, type Dataset } from '@voxface/datasets';
import { open300w, openAflw20003d, readAflw2000Annotations } from '@voxface/datasets/node';
import type { Landmarks } from '@voxface/landmarks';

const data: string = path.resolve(fileURLToPath(import.meta.url), '../../../../..', 'shared/data');

/** Folder of the packed ICT-FaceKit arrays. */
export const FACEKIT: string = path.join(data, 'ict-facekit');

/** Folder of the 68-point basis of the Basel face model. */
export const BFM_68: string = path.join(data, 'bfm-68');

/** Landmarks [68, 2] of the training annotations: AFW, HELEN train, LFPW train. */
export async function readTrainingFaces(): Promise<Landmarks[]> {
  const faces: Landmarks[] = [];
  for (const folder of ['300w/afw', '300w/helen/trainset', '300w-lfpw/trainset']) {
    const dataset: Dataset = await open300w(path.join(data, folder));
    for (let i = 0; i < dataset.length; i++) faces.push((await annotationOf(dataset, i)).landmarks);
  }
  return faces;
}

/** A face of AFLW2000-3D: landmarks [68, 3] in house axes, yaw in degrees, and whether it is one of the six sample files. */
export interface Aflw2000Face {
  readonly landmarks: Landmarks<3>;
  readonly yaw: number;
  readonly sample: boolean;
}

/** The ground truths of all 2000 faces; the six sample files are found among them by their points. */
async function readAflw2000Faces(): Promise<Aflw2000Face[]> {
  const { points68, yaw } = await readAflw2000Annotations(path.join(data, 'aflw2000-3d/annotations'));
  const samples = new Set<number>();
  const files = await openAflw20003d(path.join(data, 'aflw2000-3d'));
  for (let i = 0; i < files.length; i++) {
    const { landmarks } = await annotationOf(files, i);
    samples.add(
      points68.findIndex(({ points }) => points.every((v, k) => Math.abs(v - landmarks.points[k]) < 0.01)),
    );
  }
  if (samples.size !== files.length || samples.has(-1)) {
    throw new Error(
      `readAflw2000Faces: expected ${files.length} samples among the ground truths, got ${[...samples]}`,
    );
  }
  return points68.map((landmarks, i) => ({ landmarks, yaw: yaw[i], sample: samples.has(i) }));
}

/** The parts that are measured: a row of sixteen (rows 8, 24, ...), and the six sample files, which are not among them. */
export async function aflw2000Parts(): Promise<Record<'held' | 'samples', Aflw2000Face[]>> {
  const faces = await readAflw2000Faces();
  return {
    held: faces.filter(({ sample }, row) => !sample && row % 16 === 8),
    samples: faces.filter(({ sample }) => sample),
  };
}

/** The value below which the share `part` of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(part * (sorted.length - 1))];
}

/** Copies `model.landmarkOffsets` with left-right symmetric additions: `add(i)` for a landmark, in head axes [3]. */
export function addSymmetric(
  offsets: Float32Array,
  landmarks: readonly number[],
  partner: readonly number[],
  add: (landmark: number) => readonly [number, number, number],
): Float32Array {
  const moved = Float32Array.from(offsets);
  for (const i of landmarks) {
    const [x, y, z] = add(i);
    const [otherX, otherY, otherZ] = add(partner[i]);
    moved[3 * i] += (x - otherX) / 2;
    moved[3 * i + 1] += (y + otherY) / 2;
    moved[3 * i + 2] += (z + otherZ) / 2;
  }
  return moved;
}
