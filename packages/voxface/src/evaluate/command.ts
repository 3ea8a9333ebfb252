import type { Command } from 'commander';
import { BACKENDS_HELP, KINDS_HELP, MODEL_HELP, SHARD_HELP } from '../options.ts';

/** `voxface evaluate --dataset NAME --root DIR` */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description("Evaluate a model, or another tool's predictions, on an annotated dataset.")
    .requiredOption('--dataset <kind>', KINDS_HELP)
    .option('--root <path>', 'folder or annotation file of the dataset')
    .option('-m, --model <model>', MODEL_HELP)
    .option('--predictions <file>', 'JSON { id: [[x, y(, z)] ...] } in image pixels, instead of a model')
    .option(
      '--protocol <name>',
      'evaluation protocol, see docs/evaluating.md (the default depends on the dataset)',
    )
    .option('--detector <name>', "use a detector's boxes (ssd, tiny) instead of the ground truth")
    .option('--flip', 'average with the mirrored face')
    .option('--mean-shape', 'evaluate the mean face placed in the box instead of a model, as a baseline')
    .option('--backend <name>', BACKENDS_HELP, 'auto')
    .option('--shard <i/n>', `${SHARD_HELP}; the parts are joined by voxface merge`)
    .option('--split <name>', 'split of a keypoint-csv file, or yaw of aflw2000-3d: fitted or paper')
    .option('--occluded <rule>', 'count or mask: points that are annotated although hidden', 'count')
    .option('--limit <n>', 'evaluate only the first n samples')
    .option('--json <file>', 'write the result')
    .option('--report <dir>', 'write report.md with the worst faces, and the CED curve')
    .option('--no-tables', 'do not print the published tables of the protocol')
    .addHelpText(
      'after',
      `
Errors are in percent of the protocol's normalizer. Ground-truth boxes are used unless --detector is given.
  voxface evaluate --dataset 300w --root 300w/helen/testset --protocol 300w/box/51 --json helen.json`,
    )
    .action(async (flags) => {
      const { runEvaluation } = await import('./evaluate.ts');
      await runEvaluation(flags);
    });
}
