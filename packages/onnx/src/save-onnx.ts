import { rename, writeFile } from 'node:fs/promises';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { FaceShapeModel } from '@voxface/models';
import { checkOnnx, type OnnxCheck } from './check-onnx.ts';
import { EXPORT_ONNX_DEFAULTS, type ExportOnnxOptions, exportOnnx } from './export-onnx.ts';

export interface SaveOnnxOptions extends ExportOnnxOptions {
  /** Run the file with onnxruntime-node and compare with TensorFlow.js before it is written. */
  check?: boolean;
  /** Crops [b, S, S, 3] in 0..1 to check on, which the caller disposes; random blocks when left out. */
  checkImages?: Tensor4D;
  /** Largest difference of landmarks that passes, crop units; null chooses 1e-4, or 1e-3 for half precision. */
  tolerance?: number | null;
}

export const SAVE_ONNX_DEFAULTS: Required<Omit<SaveOnnxOptions, 'card' | 'checkImages'>> = {
  ...EXPORT_ONNX_DEFAULTS,
  check: false,
  tolerance: null,
};

/**
 * Writes a model as an ONNX file; the file appears only when it is complete and, with `check`, right.
 * @returns size of the file and the differences that the check found.
 * @throws RangeError when the check finds more than the tolerance.
 */
export async function saveOnnx(
  model: FaceShapeModel,
  file: string,
  options: SaveOnnxOptions = {},
): Promise<{ bytes: number; check: OnnxCheck | null }> {
  const settings = { ...SAVE_ONNX_DEFAULTS, ...options };
  const bytes = await exportOnnx(model, settings);
  const check = settings.check ? await checkOnnx(bytes, model, { images: settings.checkImages }) : null;
  const tolerance = settings.tolerance ?? (settings.precision === 'float16' ? 1e-3 : 1e-4);
  if (check !== null && !(check.landmarks <= tolerance)) {
    throw new RangeError(
      `saveOnnx: landmarks of ONNX Runtime and TensorFlow.js must agree to ${tolerance}, got a difference of ${check.landmarks} (nothing was written)`,
    );
  }
  const partial = `${file}.partial`;
  await writeFile(partial, bytes);
  await rename(partial, file);
  return { bytes: bytes.length, check };
}
