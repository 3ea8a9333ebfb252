import type { Command } from 'commander';

/** `voxface bench [parts...]` */
export function addBench(program: Command): void {
  program
    .command('bench')
    .description(
      'Measure side by side: interleaved rounds, medians, ratios. Other work on the machine spoils it.',
    )
    .argument('[parts...]', 'models, training, peers, photos, parts; all when none is named')
    .option('--models <list>', 'pretrained names, saved models or presets', 'small,paper')
    .option(
      '--backends <list>',
      'of onnx, torch, torch-frozen, wasm, cpu, webgpu, node; the first is what others are compared with',
      'onnx,torch,torch-frozen,wasm,webgpu',
    )
    .option('--batch <n>', 'faces at once', '1')
    .option('--rounds <n>', 'interleaved rounds', '9')
    .option('--threads <n>', 'threads of ONNX Runtime and PyTorch (default: every core)')
    .option('--python <program>', 'Python interpreter with PyTorch', 'python3')
    .option('--peers <dir>', 'where peers are installed by npm (default: FACE_API_FOLDER)')
    .option('--photos <dir>', 'annotated photos for photos and peers')
    .option('--count <n>', 'photos of the photos part', '300')
    .option('--json <file>', 'write the figures')
    .option('--markdown <file>', 'write the tables')
    .addHelpText(
      'after',
      `
models    models on backends and in PyTorch, from cropped bytes to landmarks
training  a training step of the small preset against PyTorch (from the repository only)
peers     the shipped model against @vladmandic/face-api on wasm and MediaPipe face mesh in Chromium
photos    a folder of photos: all cores against a plain loop, with detector and with boxes given
parts     volume encoding, metrics, reading and augmenting (from the repository only)`,
    )
    .action(async (parts: string[], flags: Record<string, string>) => {
      const { runBench } = await import('../run-bench.ts');
      await runBench(parts, flags);
    });
}
