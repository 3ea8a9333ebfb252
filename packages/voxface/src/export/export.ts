import { writeFile } from 'node:fs/promises';
import { type Tensor4D, tensor4d } from '@tensorflow/tfjs-core';
import { cropSample } from '@voxface/datasets';
import { openDataset } from '@voxface/datasets/node';
import { encodeModelFile } from '@voxface/models';
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

/** Loads a saved model and writes it as ONNX, as tfjs-layers files, or as one file. */
export async function exportModel(out: string, flags: ExportFlags): Promise<void> {
  const wrong = flags.to === 'onnx' ? 'uint8' : 'int8';
  if (flags.precision === wrong) {
    const kinds = flags.to === 'onnx' ? 'float32, float16 or int8' : 'float32, float16 or uint8';
    throw new UsageError(`--precision: --to ${flags.to} takes ${kinds}, got ${wrong}`);
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
