import type { Command } from 'commander';

/** `voxface plot RUN... [--out DIR]` */
export function addPlot(program: Command): void {
  program
    .command('plot')
    .description(
      'Plot the curves of training runs and, with --photos, sheets of predictions of the best model.',
    )
    .argument('<runs...>', 'folders of training runs')
    .option('-o, --out <dir>', "output folder (default: the run's own)")
    .option('--photos <dir>', 'annotated photos (300W layout) for sheets of predicted faces and volumes')
    .action(async (runs: string[], flags: { out?: string; photos?: string }) => {
      const { plotRuns } = await import('./plot.ts');
      await plotRuns(runs, flags);
    });
}
