import { writeFile } from 'node:fs/promises';
import { encodeModelFile } from '@voxface/models';
import { loadModel, saveModel } from '@voxface/models/node';
import { saveOnnx } from '@voxface/onnx/node';
import { PRETRAINED_DEFAULT } from '@voxface/pretrained';
import { chooseBackend } from './choose-backend.ts';
import { UsageError } from './errors.ts';
import { findModelDirectory } from './resolve-model.ts';

export interface ExportFlags {
  model?: string;
  to: string;
  precision: string;
}

/** Loads a saved model and writes it as ONNX, as tfjs-layers files, or as one file. */
export async function exportModel(out: string, flags: ExportFlags): Promise<void> {
  if (flags.to === 'onnx' && flags.precision === 'uint8') {
    throw new UsageError('--precision: ONNX takes float32 or float16, got uint8');
  }
  const directory = findModelDirectory(flags.model ?? PRETRAINED_DEFAULT);
  await chooseBackend('wasm');
  const model = await loadModel(directory);
  const precision = flags.precision as 'float32' | 'float16' | 'uint8';
  if (flags.to === 'onnx') {
    const { check } = await saveOnnx(model, out, {
      precision: precision as 'float32' | 'float16',
      check: true,
    });
    if (check)
      console.log(
        `ONNX Runtime and TensorFlow.js differ by at most ${check.landmarks.toExponential(1)} crop units`,
      );
  } else if (flags.to === 'file') {
    await writeFile(out, await encodeModelFile(model, { precision }));
  } else {
    await saveModel(model, out, { precision });
  }
  model.dispose();
  console.log(`wrote ${out}`);
}
