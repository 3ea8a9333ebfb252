import type { Command } from 'commander';
import { Option } from 'commander';

/** `voxface export --model M --to onnx OUT` */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('Write a model in another form.')
    .argument('<out>', 'file to write (onnx, file) or folder (tfjs)')
    .option('-m, --model <model>', 'name of a pretrained model or folder of a saved one')
    .addOption(
      new Option('--to <form>', 'onnx; tfjs: model.json and shards; file: everything in one file')
        .choices(['onnx', 'tfjs', 'file'])
        .default('onnx'),
    )
    .addOption(
      new Option('--precision <kind>', 'how weights are stored (uint8: tfjs and file only)')
        .choices(['float32', 'float16', 'uint8'])
        .default('float32'),
    )
    .option('--check <dir>', 'annotated photos: compare both runtimes on 50 of their faces (onnx only)')
    .action(async (out: string, flags: { model?: string; to: string; precision: string; check?: string }) => {
      const { exportModel } = await import('../export-model.ts');
      await exportModel(out, flags);
    });
}
