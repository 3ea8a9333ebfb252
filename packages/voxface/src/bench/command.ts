import type { Command } from 'commander';

/** `voxface bench [parts...]` */
export function addBench(program: Command): void {
  addBenchOptions(program.command('bench'), 'onnx,wasm', 'small')
    .description(
      'Measure speed on this machine: interleaved rounds, medians, ratios. Close other programs first.',
    )
    .argument('[parts...]', 'models, photos; all if omitted')
    .addHelpText(
      'after',
      `
models    each model on each backend, from cropped pixels to landmarks
photos    a folder of photos: all cores against a plain loop, with the detector and with given boxes`,
    )
    .action(async (parts: string[], flags: Record<string, string>) => {
      const { runBench } = await import('./bench.ts');
      await runBench(parts, flags);
    });
}

/** Adds the options that every benchmark takes. */
export function addBenchOptions(command: Command, backends: string, models: string): Command {
  return command
    .option('--models <list>', 'pretrained names, saved models or presets; comma-separated', models)
    .option(
      '--backends <list>',
      'onnx, wasm, cpu, webgpu, node, node-gpu; comma-separated; the first is the reference',
      backends,
    )
    .option('--batch <n>', 'faces per run', '1')
    .option('--rounds <n>', 'interleaved rounds', '9')
    .option('--threads <n>', 'threads of native runtimes (default: every core)')
    .option('--photos <dir>', 'annotated photos for the photos part')
    .option('--count <n>', 'number of photos', '300')
    .option('--json <file>', 'write the figures')
    .option('--markdown <file>', 'write the tables');
}
