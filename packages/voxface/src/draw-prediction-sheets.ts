import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { takeSamples } from '@voxface/datasets';
import { open300w } from '@voxface/datasets/node';
import { cropAffine, fromUnit } from '@voxface/landmarks';
import { createPredictor } from '@voxface/models';
import { loadModel } from '@voxface/models/node';
import { contactSheet, overlaySvg, view3dSvg, volumeCloudSvg } from '@voxface/plots';
import { photoHref, renderPng } from '@voxface/plots/node';
import { chooseBackend } from './choose-backend.ts';
import { predictVolume } from './draw-volume.ts';
import { findModelDirectory } from './resolve-model.ts';

const FACES = 6;

/** One sheet: photo with landmarks, predicted volume and 3D view of faces spread over a folder (Figs. 5 to 7, 9). */
export async function drawPredictionSheets(run: string, photos: string, out: string): Promise<string[]> {
  const all = await open300w(photos);
  const count = Math.min(FACES, all.length);
  const spread = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * all.length) / count));
  const dataset = takeSamples(all, spread);
  await chooseBackend('auto');
  const model = await loadModel(findModelDirectory(run));
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
