import type { Command } from 'commander';

/** `voxface demo` */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('Localize the faces of the photos that ship with @vladmandic/face-api, and draw them.')
    .option('-o, --out <dir>', 'folder for pictures and JSON', 'demo-output')
    .option('-m, --model <model>', 'model to show')
    .option('--backend <name>', 'auto, onnx, wasm, cpu, webgpu, node, node-gpu', 'auto')
    .action(async (flags: { out: string; model?: string; backend: string }) => {
      const { runDemo } = await import('../run-demo.ts');
      await runDemo(flags);
    });
}
