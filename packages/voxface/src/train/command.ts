import type { Command } from 'commander';
import type { SetExitCode } from '../options.ts';
import type { TrainFlags } from './train.ts';

/** `voxface train CONFIG [--resume DIR] [--workers N]`, or the name of an experiment instead of a file. */
export function addTrain(program: Command, setExitCode: SetExitCode): void {
  program
    .command('train')
    .description('Train a model from a config file; Ctrl-C saves and stops.')
    .argument(
      '<config>',
      "JSON file (see docs/training.md), or the name of an experiment from the paper, such as 'table8-adversarial'",
    )
    .option('--resume <dir>', 'continue the run in this output folder; fails if it has no checkpoint')
    .option('--overwrite', 'start over in an output folder that holds another run: deletes its checkpoints')
    .option(
      '--workers <n>',
      "data-parallel workers on this machine; auto: one per core, as far as the batch divides (default: the configuration's, else auto)",
    )
    .option('--size <size>', 'size of an experiment: paper, small, tiny, micro', 'small')
    .option(
      '--set <name=path...>',
      "folders of datasets, by name: those of a configuration by their 'name' or the last part of their root; of an experiment instead of sets/NAME",
    )
    .option('--seed <n>', 'seed of an experiment', '0')
    .option('--backend <name>', 'auto, wasm, cpu, webgpu, node, node-gpu', 'auto')
    .action(async (config: string, flags: TrainFlags) => {
      const { trainFromConfig } = await import('./train.ts');
      setExitCode(await trainFromConfig(config, flags));
    });
}
