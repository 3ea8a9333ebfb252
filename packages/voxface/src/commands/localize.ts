import type { Command } from 'commander';
import { parseBox } from '../parse-box.ts';
import type { SetExitCode } from '../program.ts';
import { parseFormats } from '../write-faces.ts';

interface LocalizeFlags {
  out: string;
  model?: string;
  box?: string;
  detector: string;
  backend: string;
  format: string;
  overlay?: boolean;
  view3d?: boolean;
  flip?: boolean;
}

/** `voxface localize PHOTO... --out DIR` */
export function addLocalize(program: Command, setExitCode: SetExitCode): void {
  program
    .command('localize')
    .description('Find the 68 3D landmarks of every face in photos.')
    .argument('<photos...>', 'picture files, folders (searched recursively) or glob patterns')
    .requiredOption('-o, --out <dir>', 'folder for the results; made when absent')
    .option('-m, --model <model>', 'name of a pretrained model, folder of a saved one, or .onnx file')
    .option('--box <x,y,w,h>', 'face box in pixels instead of a detector (for every photo given)')
    .option('--detector <name>', 'ssd (accurate), tiny (fast)', 'ssd')
    .option('--backend <name>', 'auto, onnx, wasm, cpu, webgpu, node, node-gpu', 'auto')
    .option('--format <list>', 'json, csv, pts; several with commas', 'json')
    .option('--overlay', 'also write the photo with the landmarks drawn')
    .option('--view3d', 'also write a 3D view of each face')
    .option('--flip', 'average with the mirrored face: slower, a little more accurate')
    .addHelpText(
      'after',
      `
DIR/<stem>.json holds { image, model, backend, faces: [{ box, score, landmarks: [[x, y, z] x 68], pose }] }.
x right, y down, origin at the centre of the top-left pixel; z in pixels, zero mean, away from the camera; degrees.`,
    )
    .action(async (photos: string[], flags: LocalizeFlags) => {
      const { localizePhotos } = await import('../localize-photos.ts');
      const box = flags.box === undefined ? undefined : parseBox(flags.box);
      const summary = await localizePhotos(photos, { ...flags, box, formats: parseFormats(flags.format) });
      if (summary.failed.length > 0) setExitCode(1);
    });
}
