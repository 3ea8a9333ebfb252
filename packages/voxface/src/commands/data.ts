import type { Command } from 'commander';
import type { ProfileFlags } from '../profile-data.ts';
import type { SetExitCode } from '../program.ts';

const KINDS = 'voxface, 300w, 300w-lp, aflw2000-3d, aflw, wflw, keypoint-csv';

/** `voxface data inspect | convert | profile` */
export function addData(program: Command, setExitCode: SetExitCode): void {
  const data = program.command('data').description('Look at, convert and enlarge annotated sets.');
  data
    .command('inspect')
    .description('Say what a folder or annotation file holds: counts, ranges, every broken file by name.')
    .argument('<path>', 'folder, .csv, WFLW list or .sqlite file')
    .option('--kind <kind>', `kind of dataset (${KINDS}); told by the files when absent`)
    .option('--split <name>', 'only the rows of this split (keypoint-csv with a column split)')
    .option('--sheet <file>', 'write a contact sheet (PNG) with the landmarks drawn')
    .option('--json <file>', 'write the report')
    .action(async (path: string, flags: { kind?: string; split?: string; sheet?: string; json?: string }) => {
      const { inspectData } = await import('../inspect-data.ts');
      if ((await inspectData(path, flags)) > 0) setExitCode(1);
    });
  data
    .command('convert')
    .description('Write a dataset in the packed form that training reads fastest.')
    .argument('<path>', 'folder or annotation file')
    .argument('<out>', 'folder to write')
    .option('--kind <kind>', `kind of dataset (${KINDS}); told by the files when absent`)
    .option('--split <name>', 'only the rows of this split (keypoint-csv with a column split)')
    .option('--size <pixels>', 'store a square of this many pixels around each face')
    .option('--scale <factor>', 'side of that square over the landmark box', '2')
    .option('--only <file>', 'keep only the identifiers of this JSON list (a validation split, say)')
    .option('--except <file>', 'leave out the identifiers of this JSON list')
    .option('--resume', 'go on with an interrupted conversion')
    .action(async (path: string, out: string, flags: Record<string, string>) => {
      const { convertData } = await import('../convert-data.ts');
      if ((await convertData(path, out, flags)) > 0) setExitCode(1);
    });
  data
    .command('profile')
    .description('Fit a 3D face to each photo and render it at larger yaws (face profiling).')
    .requiredOption('--dataset <kind>', `kind of dataset (${KINDS})`)
    .requiredOption('--root <paths...>', 'folders or annotation files, one set after the other')
    .requiredOption(
      '--facekit <path>',
      "the morphable face: ICT-FaceKit's folder (arrays or .obj), a BFM-like .mat, a FLAME-like .npz, a folder of .npy",
    )
    .option(
      '--facekit-landmarks <file>',
      'JSON list of its 68 landmark vertices, from 0 (default: NAME.landmarks.json beside it, or its own)',
    )
    .requiredOption('-o, --out <dir>', 'folder of the packed set to write')
    .option(
      '--yaws <list>',
      'target yaws in degrees, with commas; 4x: four per face, spread up to 90; none',
      '8x',
    )
    .option('--no-unturned', 'leave out the un-turned faces')
    .option('--size <pixels>', 'side of the written pictures', '256')
    .option(
      '--shard <i/n>',
      'this process does part i of n (1-based; without it the index of a Slurm array or a Kubernetes indexed job)',
    )
    .option('--workers <n>', 'processes on this machine', '1')
    .option('--seed <n>', 'seed of the yaw jitter', '0')
    .addHelpText(
      'after',
      `
An interrupted run goes on where it stopped when the same command is given again.
  voxface data profile --dataset 300w --root 300w/afw helen/trainset --facekit ict-facekit --out profiles --workers 2
Other morphable faces than ICT-FaceKit: docs/facefit.md says which arrays and names are read.`,
    )
    .action(async (flags: ProfileFlags) => {
      const { profileData } = await import('../profile-data.ts');
      await profileData(flags);
    });
}
