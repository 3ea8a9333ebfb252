import type { Command } from 'commander';

/** `voxface evaluate --dataset NAME --root DIR` */
export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('Measure a model, or predictions of any other tool, on an annotated set.')
    .requiredOption('--dataset <kind>', '300w, aflw2000-3d, keypoint-csv, voxface, 300w-lp, aflw, wflw')
    .option('--root <path>', 'folder or annotation file of the dataset (needed unless shards are merged)')
    .option('-m, --model <model>', 'pretrained name, saved model or .onnx file')
    .option('--predictions <file>', 'JSON { id: [[x, y(, z)] ...] } in image pixels instead of a model')
    .option('--protocol <name>', 'what is measured, see docs/evaluating.md (default by dataset)')
    .option('--detector <name>', 'boxes of a detector (ssd, tiny) instead of the ground truth')
    .option('--flip', 'average with the mirrored face')
    .option('--mean-shape', 'score the mean face in the box instead of a model: the floor')
    .option('--backend <name>', 'auto, onnx, wasm, cpu, webgpu, node, node-gpu', 'auto')
    .option('--shard <i/n>', 'evaluate part i of n (1-based); merge the JSON files with --merge')
    .option('--merge <files...>', 'merge JSON files of shards instead of evaluating')
    .option('--split <name>', 'only the rows of this split (keypoint-csv with a column split)')
    .option('--occluded <rule>', 'count or mask: points annotated although something hides them', 'count')
    .option('--limit <n>', 'only the first n samples')
    .option('--json <file>', 'write the result')
    .option('--report <dir>', 'write report.md with the worst faces, and the CED curve')
    .addHelpText(
      'after',
      `
Errors are percent of the protocol's normalizer. Ground-truth boxes unless --detector is given.
  voxface evaluate --dataset 300w --root 300w/helen/testset --protocol 300w/box/51 --json helen.json`,
    )
    .action(async (flags) => {
      const { runEvaluation } = await import('../run-evaluation.ts');
      await runEvaluation(flags);
    });
}
