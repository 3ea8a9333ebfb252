import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dispose, div, scalar, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { readImage } from '@voxface/datasets/node';
import { type Box, cropAffine, cropPixels, type Landmarks, type Pixels } from '@voxface/landmarks';
import { estimateFlatVolumes, type FaceShapeModel, regressCoordinates } from '@voxface/models';
import { loadModel } from '@voxface/models/node';
import { contactSheet, overlaySvg, type VolumeShape, view3dSvg, volumeCloudSvg } from '@voxface/plots';
import { renderPng } from '@voxface/plots/node';
import { PRETRAINED_DEFAULT } from '@voxface/pretrained';
import { findModelDirectory } from './resolve-model.ts';
import type { PhotoResult } from './write-faces.ts';

/** What the networks see in one face. */
export interface PredictedVolume {
  /** Last stage's volume [h, w, d, c]. */
  readonly values: Float32Array;
  readonly shape: VolumeShape;
  /** Landmarks in crop unit space [n, 3]. */
  readonly coordinates: Landmarks<3>;
}

/** Runs estimator and regressor on one face of a picture and reads the last volume. */
export async function predictVolume(
  model: FaceShapeModel,
  image: Pixels,
  box: Box,
): Promise<PredictedVolume> {
  const { inputSize: size, volumeSize, depths, channels } = model.options;
  const crop = cropPixels(image, cropAffine(box), size);
  const [volume, coordinates] = tidy(() => {
    const input = div(tensor4d(Float32Array.from(crop), [1, size, size, 3]), scalar(255)) as Tensor4D;
    const stages = estimateFlatVolumes(model, input);
    return [stages[stages.length - 1], regressCoordinates(model, stages, input)];
  });
  const values = (await volume.data()) as Float32Array;
  const points = (await coordinates.data()) as Float32Array;
  dispose([volume, coordinates]);
  const depth = depths[depths.length - 1];
  return {
    values,
    shape: { width: volumeSize, height: volumeSize, depth, channels },
    coordinates: { points, dims: 3 },
  };
}

/**
 * Draws what is known of the largest face found, without its photo: `semantic-volume.png`, the last volume that the
 * estimator predicts, and `summary.png` with landmarks, 3D shape and volume side by side. Returns the files.
 */
export async function drawLargestFace(
  results: readonly PhotoResult[],
  options: { out: string; model?: string },
): Promise<string[]> {
  const faces = results.flatMap((result) => result.faces.map((face) => ({ file: result.image.path, face })));
  faces.sort((a, b) => b.face.box.width - a.face.box.width);
  const { file, face } = faces[0];
  const model = await loadModel(findModelDirectory(options.model ?? PRETRAINED_DEFAULT));
  const { values, shape } = await predictVolume(model, await readImage(file, { orient: true }), face.box);
  model.dispose();
  const volume = volumeCloudSvg(values, shape);
  const summary = contactSheet(
    [
      { svg: overlaySvg(null, [{ landmarks: face.landmarks }], { label: false }), caption: '68 landmarks' },
      { svg: view3dSvg(face.landmarks), caption: '3D shape' },
      { svg: volume, caption: 'predicted semantic volume' },
    ],
    { columns: 3, cell: 320 },
  );
  const pictures = [
    [join(options.out, 'semantic-volume.png'), volume],
    [join(options.out, 'summary.png'), summary],
  ];
  for (const [name, svg] of pictures) await writeFile(name, await renderPng(svg));
  return pictures.map(([name]) => name);
}
