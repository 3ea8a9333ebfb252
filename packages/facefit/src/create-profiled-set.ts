import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, Provenance, Sample } from '@voxface/datasets';
import { createPackedSetWriter, type PackedSetWriter } from '@voxface/datasets/node';
import { type Box, boxOf, createRandom, IBUG_68, type Landmarks, type Pixels } from '@voxface/landmarks';
import { ContactSheet } from './contact-sheet.ts';
import { cutFace } from './cut-face.ts';
import type { FaceModel } from './face-model.ts';
import { type FaceFit, type FitFaceOptions, fitFace } from './fit-face.ts';
import { profileFace } from './profile-face.ts';
import { profileYaws } from './profile-yaws.ts';
import { type Shard, shardOf } from './shard.ts';

export interface ProfiledSetOptions {
  dataset: Dataset;
  model: FaceModel;
  outDirectory: string;
  /** How many profiles per face, spread evenly between the face's own yaw and `maximumYaw`; or the yaws themselves. */
  yaws?: number | readonly number[];
  /** Degrees. */
  maximumYaw?: number;
  /** Write the un-turned face as well. */
  unturned?: boolean;
  /** `i/n`, 0-based: samples i, i + n, ... Default: the index variables of Slurm arrays and Kubernetes indexed jobs, else everything. */
  shard?: string;
  /** Side of the square pictures, pixels; the landmark box takes half of it. */
  size?: number;
  /** Seeds the small shifts of the yaws. */
  seed?: number;
  quality?: number;
  fit?: FitFaceOptions;
  signal?: AbortSignal;
  /** Told about progress and about faces that were left out. */
  log?: (line: string) => void;
}

export const PROFILED_SET_DEFAULTS: {
  yaws: number;
  maximumYaw: number;
  unturned: boolean;
  size: number;
  seed: number;
  quality: number;
} = { yaws: 8, maximumYaw: 90, unturned: true, size: 256, seed: 0, quality: 92 };

/** What was done. */
export interface ProfiledSetReport {
  readonly directory: string;
  readonly faces: number;
  readonly images: number;
  /** Faces that could not be read or fitted. */
  readonly problems: readonly { id: string; message: string }[];
  readonly seconds: number;
}

/**
 * Makes a 3D training set out of 2D-annotated photos, as 300W-LP was made: fits every face, writes the un-turned
 * face with its 3D landmarks and its profiles as a packed set, and a contact sheet (`contact-sheet.png`). Several
 * shards write to `outDirectory/shard-i-of-n`. Continues where an interrupted run stopped; the result does not depend on where
 * it was interrupted.
 * @throws RangeError for a bad shard; Error when the folder cannot be written.
 */
export async function createProfiledSet(options: ProfiledSetOptions): Promise<ProfiledSetReport> {
  const settings = { ...PROFILED_SET_DEFAULTS, ...options };
  const { dataset, model, log, signal } = settings;
  const shard = shardOf(settings.shard, process.env);
  const directory =
    shard.count === 1
      ? settings.outDirectory
      : join(settings.outDirectory, `shard-${shard.index}-of-${shard.count}`);
  await mkdir(directory, { recursive: true });
  const name = dataset.name + (settings.yaws === 0 ? '-3d' : '-profiles');
  const writer = await createPackedSetWriter(
    directory,
    { name, dims: 3, scheme: IBUG_68 },
    { quality: settings.quality, resume: true },
  );
  const sheet = new ContactSheet(9);
  const problems: { id: string; message: string }[] = [];
  const indices = indicesOf(dataset, shard);
  const started = performance.now();
  let images = 0;
  for (const [done, index] of indices.entries()) {
    if (signal?.aborted) break;
    const id = dataset.ids[index];
    try {
      if (!(await isComplete(directory, id, writer))) {
        const sample = await dataset.load(index);
        const fit = fitFace(model, sample.landmarks, settings.fit);
        const shots = shootFace(settings, sample, fit, index);
        for (const shot of shots) {
          if (!writer.ids.has(shot.id)) await writer.add(shot, shot.image);
          images++;
        }
        sheet.offer(shots);
        await writeFile(join(directory, 'complete.txt'), `${id}\n`, { flag: 'a' });
      }
    } catch (error) {
      problems.push({ id, message: (error as Error).message });
      log?.(`left out ${id}: ${(error as Error).message}`);
    }
    if ((done + 1) % 50 === 0 || done + 1 === indices.length) {
      const seconds = (performance.now() - started) / 1000;
      const rate = (done + 1) / seconds;
      log?.(
        `${done + 1}/${indices.length} faces, ${images} images, ${rate.toFixed(1)} faces/s, ${Math.round((indices.length - done - 1) / rate)} s left`,
      );
    }
  }
  await writer.close();
  await sheet.write(join(directory, 'contact-sheet.png'));
  return {
    directory,
    faces: indices.length - problems.length,
    images,
    problems,
    seconds: (performance.now() - started) / 1000,
  };
}

interface Shot {
  id: string;
  image: Pixels;
  landmarks: Landmarks<3>;
  box: Box;
  yaw: number;
  provenance: Provenance;
}

/** The un-turned face and its profiles. */
function shootFace(
  settings: ProfiledSetOptions & Required<Pick<ProfiledSetOptions, keyof typeof PROFILED_SET_DEFAULTS>>,
  sample: Sample,
  fit: FaceFit,
  index: number,
): Shot[] {
  const { model, size, seed, maximumYaw, unturned } = settings;
  const shots: Shot[] = [];
  const describe = (change: string): Provenance => ({
    ...sample.provenance,
    conversions: [...sample.provenance.conversions, change],
  });
  if (unturned) {
    const cut = cutFace(sample.image, fit.landmarks, size);
    shots.push({
      id: sample.id,
      ...cut,
      box: boxOf(cut.landmarks),
      yaw: fit.pose.yaw,
      provenance: describe(
        `z of all landmarks and x, y of the jaw (0..16) from a fit of ${model.name}; x, y of 17..67 as annotated`,
      ),
    });
  }
  const yaws =
    typeof settings.yaws === 'number'
      ? profileYaws(fit.pose.yaw, settings.yaws, maximumYaw, createRandom(seed * 1_000_003 + index))
      : settings.yaws;
  yaws.forEach((yaw, k) => {
    const { image, landmarks } = profileFace(model, fit, sample.image, yaw, { size });
    shots.push({
      id: `${sample.id}_p${k + 1}`,
      image,
      landmarks,
      box: boxOf(landmarks),
      yaw,
      provenance: describe(
        `turned from yaw ${fit.pose.yaw.toFixed(1)} to ${yaw.toFixed(1)} by face profiling with ${model.name}`,
      ),
    });
  });
  return shots;
}

function indicesOf(dataset: Dataset, shard: Shard): number[] {
  const indices: number[] = [];
  for (let i = shard.index; i < dataset.length; i += shard.count) indices.push(i);
  return indices;
}

const completed = new WeakMap<PackedSetWriter, Set<string>>();

/** Whether an earlier run wrote every picture of this face. */
async function isComplete(directory: string, id: string, writer: PackedSetWriter): Promise<boolean> {
  let ids = completed.get(writer);
  if (!ids) {
    const text = await readFile(join(directory, 'complete.txt'), 'utf8').catch(() => '');
    ids = new Set(text.split('\n'));
    completed.set(writer, ids);
  }
  return ids.has(id);
}
