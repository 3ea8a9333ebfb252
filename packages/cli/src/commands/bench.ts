import type { Command } from 'commander';

/** `voxface bench` */
export function addBench(program: Command): void {
  program
    .command('bench')
    .description(
      'Measure models on the backends of this machine side by side: interleaved rounds, medians, ratios.',
    )
    .option('--models <list>', 'pretrained names, saved models or presets (paper, small, ...)', 'small')
    .option('--backends <list>', 'of wasm, node, cpu, webgpu, onnx', 'wasm,onnx')
    .option('--batch <n>', 'faces at once', '1')
    .option('--rounds <n>', 'interleaved rounds', '15')
    .option('--json <file>', 'write the figures')
    .option('--markdown <file>', 'write the table')
    .action(async (flags: Record<string, string>) => {
      const { runBench } = await import('../run-bench.ts');
      await runBench(flags);
    });
}
