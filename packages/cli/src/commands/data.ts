import type { Command } from 'commander';
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
    .option('--sheet <file>', 'write a contact sheet (PNG) with the landmarks drawn')
    .option('--json <file>', 'write the report')
    .action(async (path: string, flags: { kind?: string; sheet?: string; json?: string }) => {
      const { inspectData } = await import('../inspect-data.ts');
      if ((await inspectData(path, flags)) > 0) setExitCode(1);
    });
  data
    .command('convert')
    .description('Write a dataset in the packed form that training reads fastest.')
    .argument('<path>', 'folder or annotation file')
    .argument('<out>', 'folder to write')
    .option('--kind <kind>', `kind of dataset (${KINDS}); told by the files when absent`)
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
    .requiredOption('--root <path>', 'folder or annotation file')
    .requiredOption('--facekit <dir>', 'folder of the morphable face (ICT-FaceKit arrays)')
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
      'this process does part i of n (1-based; Slurm and Kubernetes indices are understood)',
    )
    .option('--workers <n>', 'processes on this machine', '1')
    .option('--seed <n>', 'seed of the yaw jitter', '0')
    .action(async (flags: Record<string, string>) => {
      const { profileData } = await import('../profile-data.ts');
      await profileData(flags);
    });
}
