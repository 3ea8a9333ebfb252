import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import {
  BACKENDS_HELP,
  CROPS_HELP,
  catchStops,
  describeError,
  isVideo,
  MODEL_HELP,
  parseBox,
  parseCount,
  parseCrops,
  parsePositive,
  type SetExitCode,
  SHARD_HELP,
  UsageError,
  WorkError,
} from '../options.ts';
import type { DemoOptions } from './demo.ts';

interface LocalizeFlags {
  out: string;
  model?: string;
  box?: string;
  detector: string;
  minFace?: string;
  rotations: string;
  backend: string;
  format: string;
  overlay?: boolean;
  view3d?: boolean;
  flip?: boolean;
  crops?: number;
  resume?: boolean;
  overwrite?: boolean;
  shard?: string;
  threads?: string;
}

/** `voxface localize PHOTO... --out DIR` */
export function addLocalize(program: Command, setExitCode: SetExitCode): void {
  program
    .command('localize')
    .description('Find the 68 3D landmarks of every face in photos.')
    .argument(
      '<photos...>',
      'image files, folders (searched recursively), glob patterns, http(s) addresses or video files; - reads more of them from standard input, one a line',
    )
    .requiredOption(
      '-o, --out <dir>',
      'output folder, created if missing; NAME.jsonl writes one file with a line of JSON per photo, - prints them',
    )
    .option('-m, --model <model>', MODEL_HELP)
    .option('--box <x,y,w,h>', 'face box in pixels instead of a detector (used for every photo)')
    .option('--detector <name>', 'ssd (accurate), tiny (fast)', 'ssd')
    .option('--min-face <pixels>', 'smallest faces to find; small ones are looked for in tiles of the photo')
    .option(
      '--rotations <when>',
      'look for faces on their side or upside down: doubtful, always, never',
      'doubtful',
    )
    .option('--backend <name>', BACKENDS_HELP, 'auto')
    .option('--format <list>', 'json, csv, pts; comma-separated', 'json')
    .option('--overlay', 'also write each photo or video with the landmarks drawn')
    .option('--view3d', 'also write a 3D view of each face')
    .option('--overwrite', 'replace files of the output folder that other photos or programs have written')
    .option('--resume', 'skip photos and videos whose results are already in the output folder')
    .option('--flip', 'average with the mirrored face: slower, a little more accurate')
    .option('--crops <n>', CROPS_HELP, parseCrops)
    .option('--shard <i/n>', SHARD_HELP)
    .option('--threads <n>', 'threads on this machine, each with its own networks (default: one per core)')
    .addHelpText(
      'after',
      `
Results of a folder's photos keep its subfolders. Parts (--shard) keep what a killed attempt has done; those of one
NAME.jsonl are joined by voxface merge NAME.jsonl.
DIR/<stem>.json contains { image, model, backend, faces: [{ box, score, landmarks: [[x, y, z] x 68], pose }] }.
A video (.mp4, .mov, .mkv, .webm, ...; read by ffmpeg, which must be installed) becomes DIR/<stem>.jsonl, a line per frame:
{ frame, time, faces: [{ id, box, landmarks, ... }], lost }, faces followed and smoothed over time.
x points right, y down, from the centre of the top-left pixel; z in pixels, zero mean, away from the camera.
Angles are in degrees.`,
    )
    .action(async (given: string[], flags: LocalizeFlags) => {
      const [{ localizeToFolder, localizeToLines, readInputs }, { parseFormats }, { readShard }] =
        await Promise.all([import('./localize.ts'), import('./write-faces.ts'), import('../parts.ts')]);
      const { format, ...rest } = flags;
      const options = {
        ...rest,
        minFace: flags.minFace === undefined ? null : parsePositive('--min-face', flags.minFace),
        box: flags.box === undefined ? undefined : parseBox(flags.box),
        formats: parseFormats(format),
        shard: readShard(flags.shard),
        threads: flags.threads === undefined ? undefined : parseCount('--threads', flags.threads),
      };
      const inputs = await readInputs(given);
      if (inputs.length === 0) console.error('voxface: nothing to do: standard input named no photo');
      const videos = inputs.filter(isVideo);
      let failedVideos = 0;
      const photos = inputs.filter((input) => !isVideo(input));
      if (videos.length > 0) {
        if (options.box !== undefined || flags.out.endsWith('.jsonl')) {
          throw new UsageError('videos: expected a folder or - as --out and no --box, faces are followed');
        }
        const stems = videos.map((video) => basename(video, extname(video)));
        const twice = videos.filter((_, k) => stems.indexOf(stems[k]) !== stems.lastIndexOf(stems[k]));
        if (flags.out !== '-' && twice.length > 0) {
          throw new UsageError(
            `videos: expected different names, got ${twice.join(' and ')} (an --out for each)`,
          );
        }
        const { localizeVideo } = await import('./video.ts');
        for (const video of videos) {
          try {
            await localizeVideo(video, options);
          } catch (error) {
            if (!(error instanceof WorkError)) throw error;
            console.error(`voxface: ${describeError(error)}`);
            failedVideos++;
          }
        }
        setExitCode(failedVideos > 0 ? 1 : 0);
      }
      if (photos.length === 0) return;
      const stop = catchStops('stopping after the photos under way (press Ctrl-C again to stop at once)');
      try {
        const failed = flags.out.endsWith('.jsonl')
          ? (await localizeToLines(photos, options, stop.signal)).failed
          : (await localizeToFolder(photos, options, stop.signal)).failed.length;
        setExitCode(stop.code() || (failed + failedVideos > 0 ? 1 : 0));
      } finally {
        stop.release();
      }
    });
}

/** `voxface demo` */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('Localize the faces in the sample photos of @vladmandic/face-api, and draw them.')
    .option('-o, --out <dir>', 'output folder; created if missing', 'demo-output')
    .option('-m, --model <model>', MODEL_HELP)
    .option('--backend <name>', BACKENDS_HELP, 'auto')
    .action(async (flags: DemoOptions) => {
      const { runDemo } = await import('./demo.ts');
      await runDemo(flags);
    });
}
