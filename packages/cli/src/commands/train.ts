import type { Command } from 'commander';

/** `voxface train CONFIG [--resume DIR] [--workers N]` */
export function addTrain(program: Command): void {
  program
    .command('train')
    .description('Train a model as a config file describes it; Ctrl-C saves and stops.')
    .argument('<config>', 'JSON file (see docs/training.md and packages/train/configs)')
    .option('--resume <dir>', 'continue the run whose checkpoints lie in this folder')
    .option('--workers <n>', 'data-parallel workers on this machine')
    .option('--backend <name>', 'auto, wasm, cpu, webgpu, node, node-gpu', 'auto')
    .action(async (config: string, flags: { resume?: string; workers?: string; backend: string }) => {
      const { trainFromConfig } = await import('../train-from-config.ts');
      await trainFromConfig(config, flags);
    });
}
