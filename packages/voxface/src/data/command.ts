import type { Command } from 'commander';
import { BASIS_HELP, IMAGES_HELP, KINDS_HELP, type SetExitCode, SHARD_HELP, SPLIT_HELP } from '../options.ts';
import type { ProfileFlags } from './profile.ts';

const KIND_OPTION = `format of the dataset (${KINDS_HELP}); detected from the files if omitted`;

/** `voxface data inspect | convert | profile` */
export function addData(program: Command, setExitCode: SetExitCode): void {
  const data = program.command('data').description('Inspect, convert and augment annotated datasets.');
  data
    .command('inspect')
    .description(
      'Report what a folder or annotation file contains: counts, ranges, and every broken file by name.',
    )
    .argument('<path>', 'folder, .csv, .json, WFLW list or .sqlite file')
    .option('--kind <kind>', KIND_OPTION)
    .option('--split <name>', SPLIT_HELP)
    .option('--images <dir>', IMAGES_HELP)
    .option('--basis <dir>', BASIS_HELP)
    .option('--sheet <file>', 'write a contact sheet (PNG) with the landmarks drawn')
    .option('--json <file>', 'write the report')
    .option('--shard <i/n>', SHARD_HELP)
    .action(async (path: string, flags: Parameters<typeof import('./data.ts').inspectData>[1]) => {
      const { inspectData } = await import('./data.ts');
      if ((await inspectData(path, flags)) > 0) setExitCode(1);
    });
  data
    .command('convert')
    .description('Convert a dataset to the packed format, which training reads fastest.')
    .argument('<path>', 'folder or annotation file')
    .argument('<out>', 'output folder')
    .option('--kind <kind>', KIND_OPTION)
    .option('--split <name>', SPLIT_HELP)
    .option('--images <dir>', IMAGES_HELP)
    .option('--basis <dir>', BASIS_HELP)
    .option('--size <pixels>', 'store only a square around each face, resized to this many pixels')
    .option('--scale <factor>', 'side of that square relative to the landmark box', '2')
    .option('--only <file>', 'keep only the identifiers in this JSON list (such as a validation split)')
    .option('--except <file>', 'omit the identifiers in this JSON list')
    .option(
      '--conform <folder>',
      'move all landmarks to those of the Basel face model (bfm-68) fitted to them: the convention of 300W-LP itself',
    )
    .option(
      '--refine <model>',
      'then move them toward the predictions of a model (name, folder or .onnx), farther where the two disagree',
    )
    .option('--decoded', 'store pixels instead of JPEG: about ten times the space, nothing to decode in training')
    .option('--resume', 'continue an interrupted conversion')
    .option('--shard <i/n>', `${SHARD_HELP}, into a subfolder of <out>`)
    .action(async (path: string, out: string, flags: Record<string, string>) => {
      const { convertData } = await import('./data.ts');
      if ((await convertData(path, out, flags)) > 0) setExitCode(1);
    });
  data
    .command('profile')
    .description('Fit a 3D face to each photo and render it in other poses (face profiling).')
    .requiredOption('--dataset <kind>', `format of the dataset (${KINDS_HELP})`)
    .requiredOption('--root <paths...>', 'one or more folders or annotation files')
    .requiredOption(
      '--facekit <path>',
      "morphable face: ICT-FaceKit's folder (arrays or .obj), a BFM-like .mat, a FLAME-like .npz, or a folder of .npy",
    )
    .option(
      '--facekit-landmarks <file>',
      'JSON list of the 68 landmark vertices, 0-based (default: NAME.landmarks.json beside the model, or its own)',
    )
    .option(
      '--labels <folder>',
      'the 68 points of the Basel face model (bfm-68): depth and jaw line come from a fit of them, as in 300W-LP',
    )
    .option('--split <name>', 'only the rows of this split (keypoint-csv with a column split)')
    .requiredOption('-o, --out <dir>', 'folder of the packed dataset to write')
    .option(
      '--yaws <list>',
      'target yaw angles in degrees, comma-separated; 4x: four per face, spread up to 90 degrees; none',
      '8x',
    )
    .option(
      '--pitch <from,to>',
      "draw the pitch of each profile from this range of degrees, most often near the face's own; own: keep it",
      '-40,50',
    )
    .option('--roll <from,to>', 'the same for roll', 'own')
    .option('--suffix <text>', 'name profiles ID_TEXT1, ...; datasets of the same photos need different ones', 'p')
    .option('--no-unturned', 'omit the original, unrotated faces')
    .option('--size <pixels>', 'side of the rendered images', '256')
    .option('--shard <i/n>', `${SHARD_HELP}, into a subfolder of <dir>`)
    .option('--workers <n>', 'processes on this machine', '1')
    .option('--seed <n>', 'seed of the poses', '0')
    .addHelpText(
      'after',
      `
Repeat the same command to continue an interrupted run.
  voxface data profile --dataset 300w --root 300w/afw helen/trainset --facekit ict-facekit --out profiles --workers 2
For morphable faces other than ICT-FaceKit, docs/facefit.md lists the arrays and names that are read.`,
    )
    .action(async (flags: ProfileFlags) => {
      const { profileData } = await import('./profile.ts');
      await profileData(flags);
    });
}

/** `voxface merge OUT` */
export function addMerge(program: Command, setExitCode: SetExitCode): void {
  program
    .command('merge')
    .description('Join the parts that --shard has written, once all are there.')
    .argument('<out>', 'what the parts were asked to write: NAME.jsonl, a --json file, or a folder of packed sets')
    .option('--report <dir>', 'of an evaluation: write report.md with tables, CED curve and errors by landmark')
    .addHelpText(
      'after',
      `
Parts that are missing, unfinished, or made with other settings are named, and nothing is written. Packed sets are joined in
place: set.json names the files of the parts.
  voxface localize photos --out found.jsonl --shard 1/2
  voxface localize photos --out found.jsonl --shard 2/2
  voxface merge found.jsonl`,
    )
    .action(async (out: string, flags: { report?: string }) => {
      const { mergeData } = await import('./data.ts');
      const failed = await mergeData(out, async (job) => {
        const { mergeEvaluation } = await import('../evaluate/evaluate.ts');
        await mergeEvaluation(job, { json: out, ...flags });
      });
      if (failed > 0) setExitCode(1);
    });
}
