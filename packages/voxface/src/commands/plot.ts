import type { Command } from 'commander';

/** `voxface plot RUN... [--out DIR]` */
export function addPlot(program: Command): void {
  program
    .command('plot')
    .description('Draw the curves of training runs and, from the best model of each, sheets of predictions.')
    .argument('<runs...>', 'folders of training runs')
    .option('-o, --out <dir>', 'folder for the pictures (default: the run itself)')
    .option('--photos <dir>', 'annotated photos (300W layout) for sheets of predicted faces and volumes')
    .action(async (runs: string[], flags: { out?: string; photos?: string }) => {
      const { plotRuns } = await import('../plot-runs.ts');
      await plotRuns(runs, flags);
    });
}
