import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { dispose, div, scalar, type Tensor, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { takeSamples } from '@voxface/datasets';
import { open300w } from '@voxface/datasets/node';
import { type Box, cropAffine, cropPixels, fromUnit, type Landmarks, type Pixels } from '@voxface/landmarks';
import {
  createPredictor,
  estimateFlatVolumes,
  type FaceShapeModel,
  regressCoordinates,
  regressorFeed,
  type VolumeDiscriminator,
} from '@voxface/models';
import { loadDiscriminator, loadModel } from '@voxface/models/node';
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
import { PRETRAINED_DEFAULT } from '@voxface/pretrained';
import { openData } from '../data/data.ts';
import { UsageError } from '../options.ts';
import { chooseBackend, findModelFolder } from '../photos/open-model.ts';

/** Draws `curves.svg` and `.png` for each run, and prediction sheets where photos are given. */
export async function plotRuns(
  runs: readonly string[],
  flags: { out?: string; photos?: string },
): Promise<void> {
  const names = nameRuns(runs);
  for (const run of runs) {
    const log = join(run, 'log.jsonl');
    if (!existsSync(log)) throw new UsageError(`${run}: not a training run, it holds no log.jsonl`);
    const out = flags.out ? join(flags.out, names.get(run)!) : run;
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

/** A folder's name for each run: its own, with those of its parents where two runs share it. */
function nameRuns(runs: readonly string[]): Map<string, string> {
  const parts = runs.map((run) => resolve(run).split(sep).filter(Boolean));
  const nameAt = (i: number): string => {
    for (let depth = 1; depth <= parts[i].length; depth++) {
      const name = parts[i].slice(-depth).join('-');
      if (parts.every((other, k) => runs[k] === runs[i] || other.slice(-depth).join('-') !== name))
        return name;
    }
    return parts[i].join('-');
  };
  return new Map(runs.map((run, i) => [run, nameAt(i)]));
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
    const { volumes, shapes, coordinates } = await runNetworks(model, image, box);
    const href = await photoHref(image);
    cells.push(
      {
        svg: overlaySvg({ width: image.width, height: image.height, href }, [{ landmarks, box }]),
        caption: id,
      },
      {
        svg: volumeCloudSvg(volumes[volumes.length - 1], shapes[shapes.length - 1]),
        caption: 'predicted volume',
      },
      { svg: view3dSvg(fromUnit(coordinates, crop)), caption: 'predicted shape' },
    );
  }
  predictor.dispose();
  model.dispose();
  const file = join(out, 'predictions.png');
  await writeFile(file, await renderPng(contactSheet(cells, { columns: 3 })));
  return [file];
}

/** What the networks make of one face. */
export interface NetworkOutputs {
  /** Volumes of G, one per stage [h, w, d, c]. */
  readonly volumes: readonly Float32Array[];
  /** What D returns for them, for the last stages; empty without D. */
  readonly rebuilt: readonly Float32Array[];
  readonly shapes: readonly VolumeShape[];
  /** Landmarks in crop unit space [n, 3]. */
  readonly coordinates: Landmarks<3>;
}

/** Runs G, P and, where there is one, D on one face of a picture. */
export async function runNetworks(
  model: FaceShapeModel,
  image: Pixels,
  box: Box,
  discriminator?: VolumeDiscriminator,
): Promise<NetworkOutputs> {
  const { inputSize: size, volumeSize, depths, channels } = model.options;
  const crop = cropPixels(image, cropAffine(box), size);
  const outputs = tidy(() => {
    const input = div(tensor4d(Float32Array.from(crop), [1, size, size, 3]), scalar(255)) as Tensor4D;
    const stages = estimateFlatVolumes(model, input);
    const judged = discriminator?.network.apply(regressorFeed(model, stages, input));
    const rebuilt = ([judged ?? []].flat() as Tensor[]).filter(({ rank }) => rank === 4);
    return [regressCoordinates(model, stages, input) as Tensor, ...stages, ...rebuilt];
  });
  const [points, ...volumes] = (await Promise.all(outputs.map((t) => t.data()))) as Float32Array[];
  dispose(outputs);
  return {
    volumes: volumes.slice(0, depths.length),
    rebuilt: volumes.slice(depths.length),
    shapes: depths.map((depth) => ({ width: volumeSize, height: volumeSize, depth, channels })),
    coordinates: { points, dims: 3 },
  };
}

/**
 * Fig. 1 with a model's own outputs on the first face of a dataset: photo, the volumes of every stage of G, the shape of
 * P, and below what D returns for each volume, where the model has a D.
 * @throws UsageError without a dataset, or when there is no such model.
 */
export async function drawFramework(flags: { model?: string; root?: string }): Promise<string> {
  if (flags.root === undefined) {
    throw new UsageError('--root: an annotated folder is needed, whose first face is drawn; got none');
  }
  await chooseBackend('auto');
  const folder = findModelFolder(flags.model ?? PRETRAINED_DEFAULT);
  const model = await loadModel(folder);
  const discriminator = await loadDiscriminator(model, folder);
  const { image, box } = await (await openData(flags.root, undefined, '--root')).load(0);
  const { volumes, rebuilt, shapes, coordinates } = await runNetworks(model, image, box, discriminator);
  discriminator?.dispose();
  model.dispose();
  const landmarks = fromUnit(coordinates, cropAffine(box));
  const href = await photoHref(image);
  const shape = { svg: view3dSvg(landmarks), caption: 'shape, P' };
  const photo = { svg: overlaySvg({ ...image, href }, [{ landmarks, box }]), caption: 'photo' };
  const cloud = (values: Float32Array, m: number, caption: string) => ({
    svg: volumeCloudSvg(values, shapes[m]),
    caption,
  });
  const first = shapes.length - rebuilt.length;
  const cells = [
    photo,
    ...volumes.map((values, m) => cloud(values, m, `stage ${m + 1}, G`)),
    shape,
    ...(rebuilt.length === 0
      ? []
      : [
          { ...photo, caption: 'what D sees with it' },
          ...volumes.slice(0, first).map((values, m) => cloud(values, m, `stage ${m + 1}: not judged`)),
          ...rebuilt.map((values, m) => cloud(values, first + m, `stage ${first + m + 1}, D`)),
          { ...shape, caption: 'auxiliary: shape, P' },
        ]),
  ];
  return contactSheet(cells, { columns: shapes.length + 2 });
}
