import type { Command } from 'commander';
import {
  BACKENDS_HELP,
  BASIS_HELP,
  CROPS_HELP,
  IMAGES_HELP,
  KINDS_HELP,
  MODEL_HELP,
  parseCrops,
  SHARD_HELP,
} from '../options.ts';

/** `voxface evaluate --dataset NAME --root DIR` */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description(
      "Evaluate models, or other tools' predictions, on an annotated dataset; several at once are compared.",
    )
    .requiredOption('--dataset <kind>', KINDS_HELP)
    .option('--root <path>', 'folder or annotation file of the dataset')
    .option('--images <dir>', IMAGES_HELP)
    .option('--basis <dir>', BASIS_HELP)
    .option('-m, --model <models...>', `each [NAME=] ${MODEL_HELP}`)
    .option('--predictions <files...>', 'each [NAME=] JSON { id: [[x, y(, z)] ...] } in image pixels')
    .option(
      '--protocol <name>',
      'evaluation protocol, see docs/evaluating.md (the default depends on the dataset)',
    )
    .option('--detector <name>', "use a detector's boxes (ssd, tiny) instead of the ground truth")
    .option('--flip', 'average with the mirrored face')
    .option('--crops <n>', CROPS_HELP, parseCrops)
    .option('--mean-shape', 'evaluate the mean face placed in the box, as a baseline')
    .option('--backend <name>', BACKENDS_HELP, 'auto')
    .option('--shard <i/n>', `${SHARD_HELP}; the parts are joined by voxface merge`)
    .option('--split <name>', 'split of a keypoint-csv file, or yaw of aflw2000-3d: fitted or paper')
    .option('--occluded <rule>', 'count or mask: annotated points that are hidden', 'count')
    .option('--limit <n>', 'evaluate only the first n samples')
    .option('--json <file>', 'write the result (of several systems: a list)')
    .option(
      '--report <dir>',
      'write report.md: tables, CED curve, errors by landmark, images of the worst faces',
    )
    .option('--no-tables', 'do not print the published tables of the protocol')
    .addHelpText(
      'after',
      `
Errors are in percent of the protocol's normalizer. Ground-truth boxes are used unless --detector is given.
  voxface evaluate --dataset 300w --root 300w/helen/testset --protocol 300w/box/51 --json helen.json
  voxface evaluate --dataset 300w --root 300w-test --model small --predictions mine=mine.json --report compared`,
    )
    .action(async (flags) => {
      const { runEvaluation } = await import('./evaluate.ts');
      await runEvaluation(flags);
    });
}
