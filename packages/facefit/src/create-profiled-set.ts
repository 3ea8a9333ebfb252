import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dataset, type Shard, shardFolder, shardIndices, shardOf } from '@voxface/datasets';
import { createPackedSetWriter, keepSettings } from '@voxface/datasets/node';
import { IBUG_68, withDefaults } from '@voxface/landmarks';
import type { FaceModel } from './face-model.ts';
import type { FitFaceOptions } from './fit-face.ts';
import { POSE_DISTRIBUTION_DEFAULTS, type PoseDistribution } from './profile-poses.ts';
import { renderViews } from './render-views.ts';

export interface ProfiledSetOptions extends Partial<PoseDistribution> {
  dataset: Dataset;
  /** Gives the head its shape. */
  model: FaceModel;
  /** Gives the landmarks their depth and the jaw its line (`openBfm68` for the 300W-LP convention). @default `model` */
  labels?: FaceModel;
  outDirectory: string;
  /** Write the original face as well. @default true */
  unturned?: boolean;
  /**
   * Samples i, i + n, ...
   * @default the part that a cluster's job names in its environment (`shardOf`), else everything
   */
  shard?: Shard;
  /** Side of the square pictures, pixels; the landmark box takes half of it. @default 256 */
  size?: number;
  /** Seeds the small shifts of the yaws. @default 0 */
  seed?: number;
  /**
   * Turned views are called ID_SUFFIX1, ...; another suffix lets several sets of the same photos be joined.
   * @default 'p'
   */
  suffix?: string;
  /** @default 92 */
  quality?: number;
  fit?: FitFaceOptions;
  signal?: AbortSignal;
  /** Told about progress and about faces that were left out. */
  log?: (line: string) => void;
}

export const PROFILED_SET_DEFAULTS: PoseDistribution & {
  unturned: boolean;
  size: number;
  seed: number;
  suffix: string;
  quality: number;
} = { ...POSE_DISTRIBUTION_DEFAULTS, unturned: true, size: 256, seed: 0, suffix: 'p', quality: 92 };

/** What was done. */
export interface ProfiledSetReport {
  readonly directory: string;
  /** Faces of this part that are in the set now, those of earlier runs included. */
  readonly faces: number;
  /** Pictures that this run made. */
  readonly images: number;
  /** Faces that could not be read or fitted. */
  readonly problems: readonly { id: string; message: string }[];
  readonly seconds: number;
}

/**
 * Makes a 3D training set out of 2D-annotated photos, as 300W-LP was made: fits every face, writes the original
 * face with its 3D landmarks and its profiles as a packed set. Several shards write to `outDirectory/shard-i-of-n`. Continues where an interrupted run stopped; the result does not depend on where
 * it was interrupted.
 * @throws RangeError for a bad shard; Error when the folder cannot be written, or was begun with other settings.
 */
export async function createProfiledSet(options: ProfiledSetOptions): Promise<ProfiledSetReport> {
  const settings = withDefaults(PROFILED_SET_DEFAULTS, options);
  const { dataset, log, signal } = settings;
  const shard = settings.shard ?? shardOf(undefined, process.env);
  const directory = join(settings.outDirectory, shardFolder(shard));
  await keepSettings(directory, choicesOf(settings));
  const name = dataset.name + (settings.yaws === 0 ? '-3d' : '-profiles');
  const writer = await createPackedSetWriter(
    directory,
    { name, dims: 3, scheme: IBUG_68 },
    { quality: settings.quality, resume: true },
  );
  const completeFile = join(directory, 'complete.txt');
  const complete = new Set((await readFile(completeFile, 'utf8').catch(() => '')).split('\n'));
  const problems: { id: string; message: string }[] = [];
  const indices = shardIndices(dataset.length, shard);
  const started = performance.now();
  let faces = 0;
  let images = 0;
  for (const [done, index] of indices.entries()) {
    if (signal?.aborted) break;
    const id = dataset.ids[index];
    try {
      if (!complete.has(id)) {
        const sample = await dataset.load(index);
        for (const view of renderViews(settings, sample, index)) {
          if (!writer.ids.has(view.id)) await writer.add(view, view.image);
          images++;
        }
        await writeFile(completeFile, `${id}\n`, { flag: 'a' });
      }
      faces++;
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
  return { directory, faces, images, problems, seconds: (performance.now() - started) / 1000 };
}

/** What decides how the pictures come out: a mixture of two sets would be neither. */
function choicesOf(settings: ProfiledSetOptions): object {
  const { dataset, model, labels, outDirectory, shard, signal, log, ...choices } = settings;
  return { dataset: dataset.name, model: model.name, labels: labels?.name, ...choices };
}
