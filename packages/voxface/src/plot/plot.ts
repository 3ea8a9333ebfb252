import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { dispose, div, scalar, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { takeSamples } from '@voxface/datasets';
import { open300w } from '@voxface/datasets/node';
import { type Box, cropAffine, cropPixels, fromUnit, type Landmarks, type Pixels } from '@voxface/landmarks';
import {
  createPredictor,
  estimateFlatVolumes,
  type FaceShapeModel,
  regressCoordinates,
} from '@voxface/models';
import { loadModel } from '@voxface/models/node';
import {
  contactSheet,
  overlaySvg,
  parseTrainingLog,
  trainingCurvesSvg,
  type VolumeShape,
  view3dSvg,
  volumeCloudSvg,
} from '@voxface/plots';
import { photoHref, renderPng } from '@voxface/plots/node';
import { UsageError } from '../options.ts';
import { chooseBackend, findModelFolder } from '../photos/open-model.ts';

/** Draws `curves.svg` and `.png` for each run, and prediction sheets where photos are given. */
export async function plotRuns(
  runs: readonly string[],
  flags: { out?: string; photos?: string },
): Promise<void> {
  for (const run of runs) {
    const log = join(run, 'log.jsonl');
    if (!existsSync(log)) throw new UsageError(`${run}: not a training run, it holds no log.jsonl`);
    const out = flags.out ? join(flags.out, basename(run)) : run;
    await mkdir(out, { recursive: true });
    const svg = await trainingCurvesSvg(parseTrainingLog(await readFile(log, 'utf8')), {
      title: basename(run),
    });
    await writeFile(join(out, 'curves.svg'), svg);
    await writeFile(join(out, 'curves.png'), await renderPng(svg));
    console.log(`wrote ${join(out, 'curves.svg')} and .png`);
    if (flags.photos) console.log(`wrote ${(await drawPredictionSheets(run, flags.photos, out)).join(', ')}`);
  }
}

const FACES = 6;

/** One sheet: photo with landmarks, predicted volume and 3D view of faces spread over a folder (Figs. 5 to 7, 9). */
async function drawPredictionSheets(run: string, photos: string, out: string): Promise<string[]> {
  const all = await open300w(photos);
  const count = Math.min(FACES, all.length);
  const spread = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * all.length) / count));
  const dataset = takeSamples(all, spread);
  await chooseBackend('auto');
  const model = await loadModel(findModelFolder(run));
  const predictor = createPredictor(model);
  const cells = [];
  for (let i = 0; i < dataset.length; i++) {
    const { id, image, box } = await dataset.load(i);
    const crop = cropAffine(box);
    const { landmarks } = await predictor.predict(image, box);
    const { values, shape, coordinates } = await predictVolume(model, image, box);
    const href = await photoHref(image);
    cells.push(
      {
        svg: overlaySvg({ width: image.width, height: image.height, href }, [{ landmarks, box }]),
        caption: id,
      },
      { svg: volumeCloudSvg(values, shape), caption: 'predicted volume' },
      { svg: view3dSvg(fromUnit(coordinates, crop)), caption: 'predicted shape' },
    );
  }
  predictor.dispose();
  model.dispose();
  const file = join(out, 'predictions.png');
  await writeFile(file, await renderPng(contactSheet(cells, { columns: 3 })));
  return [file];
}

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
