import { writeFile } from 'node:fs/promises';
import { type Tensor4D, tensor4d } from '@tensorflow/tfjs-core';
import { cropSample } from '@voxface/datasets';
import { openDataset } from '@voxface/datasets/node';
import { encodeModelFile, encodeSafetensors } from '@voxface/models';
import { loadModel, saveModel } from '@voxface/models/node';
import { saveOnnx } from '@voxface/onnx/export/node';
import { cropsToUnitRange } from '@voxface/predict';
import { PRETRAINED_DEFAULT } from '@voxface/pretrained';
import { UsageError } from '../options.ts';
import { chooseBackend, findModelFolder } from '../photos/open-model.ts';

export interface ExportFlags {
  model?: string;
  to: string;
  precision: string;
  /** Annotated photos to compare the two runtimes on. */
  check?: string;
}

/** Faces that `--check` compares on. */
const CHECK_FACES = 50;

/** Weight types of each form; int8 and uint8 are another kind of quantisation each. */
const PRECISIONS: Readonly<Record<string, readonly string[]>> = {
  onnx: ['float32', 'float16', 'int8'],
  tfjs: ['float32', 'float16', 'uint8'],
  file: ['float32', 'float16', 'uint8'],
  safetensors: ['float32', 'float16'],
};

/** Loads a saved model and writes it as ONNX, as tfjs-layers files, as one file, or its weights as safetensors. */
export async function exportModel(out: string, flags: ExportFlags): Promise<void> {
  const kinds = PRECISIONS[flags.to];
  if (!kinds.includes(flags.precision)) {
    const list = `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}`;
    throw new UsageError(`--precision: --to ${flags.to} takes ${list}, got ${flags.precision}`);
  }
  if (flags.check !== undefined && flags.to !== 'onnx') {
    throw new UsageError(`--check: compares ONNX files only, got --to ${flags.to}`);
  }
  const directory = findModelFolder(flags.model ?? PRETRAINED_DEFAULT);
  await chooseBackend('wasm');
  const model = await loadModel(directory);
  const precision = flags.precision as 'float32' | 'float16' | 'uint8';
  if (flags.to === 'onnx') {
    const faces = flags.check === undefined ? null : await readFaces(flags.check, model.options.inputSize);
    const { check } = await saveOnnx(model, out, {
      precision: precision as 'float32' | 'float16' | 'int8',
      check: true,
      ...(faces && { checkImages: faces }),
    });
    const pixels = 256 * check!.landmarks;
    console.log(
      `ONNX Runtime and TensorFlow.js differ by at most ${check!.landmarks.toExponential(1)} crop units, ` +
        `${pixels.toFixed(4)} px of a 256-px crop, on ${faces ? `${faces.shape[0]} faces of ${flags.check}` : '2 crops of random blocks'}`,
    );
    faces?.dispose();
  } else if (flags.to === 'file') {
    await writeFile(out, await encodeModelFile(model, { precision }));
  } else if (flags.to === 'safetensors') {
    await writeFile(out, await encodeSafetensors(model, { precision: precision as 'float32' | 'float16' }));
  } else {
    await saveModel(model, out, { precision });
  }
  model.dispose();
  console.log(`wrote ${out}`);
}

/** The first faces of a set of annotated photos, cut as prediction cuts them: [b, size, size, 3] in 0..1. */
async function readFaces(root: string, size: number): Promise<Tensor4D> {
  const dataset = await openDataset(root);
  const count = Math.min(CHECK_FACES, dataset.length);
  const crops: Uint8Array[] = [];
  for (let i = 0; i < count; i++) crops.push(cropSample(await dataset.load(i), { size }).pixels);
  return tensor4d(cropsToUnitRange(crops, size), [count, size, size, 3]);
}
