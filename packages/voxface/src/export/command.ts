import type { Command } from 'commander';
import { Option } from 'commander';

/** `voxface export --model M --to onnx OUT` */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('Convert a model to ONNX, TensorFlow.js files, a single file or safetensors.')
    .argument('<out>', 'output file (onnx, file, safetensors) or folder (tfjs)')
    .option('-m, --model <model>', 'name of a pretrained model or folder of a saved one')
    .addOption(
      new Option(
        '--to <form>',
        'onnx; tfjs: model.json with shards; file: everything in one file; safetensors: the weights, for Python and the Hugging Face hub',
      )
        .choices(['onnx', 'tfjs', 'file', 'safetensors'])
        .default('onnx'),
    )
    .addOption(
      new Option('--precision <kind>', 'storage of the weights (int8: onnx only; uint8: tfjs and file only)')
        .choices(['float32', 'float16', 'int8', 'uint8'])
        .default('float32'),
    )
    .option('--check <dir>', 'compare both runtimes on 50 faces of these annotated photos (onnx only)')
    .action(async (out: string, flags: { model?: string; to: string; precision: string; check?: string }) => {
      const { exportModel } = await import('./export.ts');
      await exportModel(out, flags);
    });
}
