import type { Command } from 'commander';
import { BACKENDS_HELP, CROPS_HELP, MODEL_HELP, parseCrops } from '../options.ts';

/** `voxface reproduce WHAT` */
export function addReproduce(program: Command): void {
  program
    .command('reproduce')
    .description('Print a table of the paper with your own rows, or draw a figure; trains what is missing.')
    .argument('<what>', 'table1 to table9, 300w, figure1 to figure6, figure8, figure10, figure11')
    .option(
      '--root <dir>',
      'folder of the test set: AFLW2000-3D, for tables 1 and 2 and figure 5 3DFAW, for 300w its test sets',
    )
    .option('-m, --model <model>', `tables 1 to 4, 300w, figures 1, 3 to 6: ${MODEL_HELP}`)
    .option('--runs <dir...>', 'training runs to draw, instead of those of the experiments (figures 10, 11)')
    .option('--size <size>', 'size of the experiments: paper, small, tiny, micro', 'small')
    .option('--seed <n>', 'seed of the experiments', '0')
    .option(
      '--set <name=path...>',
      'folders of packed sets of the experiments, by name, instead of sets/NAME',
    )
    .option('--no-train', 'fail where a run is missing instead of training it')
    .option('--limit <n>', 'evaluate only the first n faces; figures 5 and 6: draw n instead of 6')
    .option('--flip', 'average with the mirrored face')
    .option('--crops <n>', CROPS_HELP, parseCrops)
    .option('--backend <name>', BACKENDS_HELP, 'auto')
    .option('-o, --out <dir>', 'output folder of figures', '.')
    .addHelpText(
      'after',
      `
Figures 1 and 2 draw the first face of a folder (for figure 2 one with 3D landmarks), figures 5 and 6 faces spread over
it with the annotated shape in red. Tables 5 to 9 and figures 8, 10 and 11 are experiments: each row is a run in runs/NAME-SIZE-SEED, which is trained if
missing and continued if it was interrupted (docs/training.md says which sets it needs). Each figure in a table carries
its difference from the paper's line.

3DFAW needs a licence; put its validation set into one folder: images, and for each a text file (or .mat) of 66 rows
of x, y, z, named NAME.txt beside the image, or NAME_lm.txt in a folder train_lm beside train_img.

  voxface reproduce table3 --root AFLW2000-3D --model small
  voxface reproduce table8 --root AFLW2000-3D --size micro --set profiles=sets/profiles aflw=sets/aflw
  voxface reproduce figure11 --runs runs/first --out figures`,
    )
    .action(async (what: string, flags) => {
      const { reproduce } = await import('./reproduce.ts');
      await reproduce(what, flags);
    });
}
