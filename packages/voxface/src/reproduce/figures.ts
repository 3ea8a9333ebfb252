import type { Dataset } from '@voxface/datasets';
import {
  type Affine,
  countLandmarks,
  cropAffine,
  cropPixels,
  fromUnit,
  type Landmarks,
  type Pixels,
  toUnit,
} from '@voxface/landmarks';
import { loadModel } from '@voxface/models/node';
import {
  type ContactSheetCell,
  contactSheet,
  landmarkColor,
  overlaySvg,
  view3dSvg,
  volumeCloudSvg,
} from '@voxface/plots';
import { photoHref } from '@voxface/plots/node';
import { PRETRAINED_DEFAULT } from '@voxface/pretrained';
import { createVolumeEncoder, marginalizeDepth, type Rgb, VOLUME_DEFAULTS } from '@voxface/volume';
import { openData } from '../data/data.ts';
import { UsageError } from '../options.ts';
import { chooseBackend, findModelFolder } from '../photos/open-model.ts';
import { runNetworks } from '../plot/plot.ts';

/** Pixels of the photo crops of Figs. 5 and 6. */
const PHOTO_SIDE = 320;
/** Columns of Figs. 5 and 6. */
const FACES = 6;

/**
 * Fig. 2 with the annotation of the first face of a dataset: its shape in 3D, the compact and the semantic volume
 * of the paper's last stage, the heatmap that the latter casts along z (Eq. 4), and the colour of each landmark's index.
 * @throws UsageError without a dataset, or when its first face has no depth.
 */
export async function drawRepresentations(root: string | undefined): Promise<string> {
  const { landmarks, box } = await (await openShapes(root)).load(0);
  const unit = toUnit(landmarks, cropAffine(box));
  const count = countLandmarks(unit);
  const { width, height, depths } = VOLUME_DEFAULTS;
  const depth = depths[depths.length - 1];
  const encode = (colors: 'compact' | 'sorted') => {
    const { channels, encode } = createVolumeEncoder(count, { colors, depths: [depth] });
    return { values: encode(unit)[0], shape: { width, height, depth, channels } };
  };
  const [compact, semantic] = [encode('compact'), encode('sorted')];
  const heatmap = marginalizeDepth(semantic.values, semantic.shape);
  return contactSheet(
    [
      { svg: view3dSvg(unit), caption: '(a) face shape' },
      { svg: volumeCloudSvg(compact.values, compact.shape), caption: '(b) compact volume' },
      { svg: volumeCloudSvg(semantic.values, semantic.shape), caption: '(c) semantic volume' },
      { svg: heatmapSvg(heatmap, width, height), caption: '(d) semantic heatmap' },
      { svg: colorBarSvg(count), caption: '(e) colour by landmark' },
    ],
    { columns: 5 },
  );
}

/** A heatmap [h, w, 3] as squares, its largest value at full brightness. */
function heatmapSvg(heatmap: Float32Array, width: number, height: number): string {
  const peak = heatmap.reduce((a, b) => Math.max(a, b), 0);
  let cells = '';
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = heatmap.subarray(3 * i, 3 * i + 3).map((value) => value / peak);
    if (Math.max(r, g, b) < 1 / 255) continue;
    cells += `<rect class="cell" x="${i % width}" y="${Math.floor(i / width)}" width="1" height="1" fill="${cssColor([r, g, b])}"/>`;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${4 * width}" height="${4 * height}" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="#000"/><g shape-rendering="crispEdges">${cells}</g></svg>`;
}

/** One bar for each landmark from the first at the top to the last, with the index of some beside it. */
function colorBarSvg(count: number): string {
  const side = 100;
  const step = side / count;
  let bars = '';
  for (let i = 0; i < count; i++) {
    const y = (i * step).toFixed(2);
    bars += `<rect class="bar" x="40" y="${y}" width="20" height="${step.toFixed(2)}" fill="${cssColor(landmarkColor(i, count))}"/>`;
    const every = Math.ceil(count / 12);
    if ((i % every === 0 && i + every / 2 < count - 1) || i === count - 1)
      bars += `<text x="63" y="${((i + 0.5) * step + 1.5).toFixed(2)}" font-size="4" fill="#999">${i}</text>`;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="480" viewBox="0 -4 ${side} ${side + 8}">${bars}</svg>`;
}

function cssColor(color: Rgb): string {
  return `rgb(${color.map((v) => Math.round(255 * v)).join(',')})`;
}

/**
 * Figs. 5 and 6 with a model's own outputs on faces spread over a dataset, a column each: the photo with the predicted
 * landmarks, the predicted volume, and the predicted shape in blue with the annotated one in red.
 * @throws UsageError without a dataset, when it has no depth, or when there is no such model.
 */
export async function drawExamples(flags: {
  root?: string;
  model?: string;
  limit?: string;
  /** Kind of dataset, where its files do not tell. */
  kind?: string;
}): Promise<string> {
  const dataset = await openShapes(flags.root, flags.kind);
  const count = Math.min(dataset.length, Number(flags.limit ?? FACES));
  await chooseBackend('auto');
  const model = await loadModel(findModelFolder(flags.model ?? PRETRAINED_DEFAULT));
  const rows: ContactSheetCell[][] = [[], [], []];
  for (let i = 0; i < count; i++) {
    const { id, image, landmarks, box } = await dataset.load(
      Math.floor(((i + 0.5) * dataset.length) / count),
    );
    const crop = cropAffine(box);
    const { volumes, shapes, coordinates } = await runNetworks(model, image, box);
    const last = shapes.length - 1;
    rows[0].push({ svg: await photoSvg(image, crop, coordinates), caption: id });
    rows[1].push({ svg: volumeCloudSvg(volumes[last], shapes[last]), caption: 'predicted volume' });
    const truth = toUnit(landmarks, crop);
    rows[2].push({ svg: view3dSvg(coordinates, { truth, yaw: 20 }), caption: 'truth red, prediction blue' });
  }
  model.dispose();
  return contactSheet(rows.flat(), { columns: count });
}

/** What the network sees, with landmarks in crop unit space. */
async function photoSvg(image: Pixels, crop: Affine, unit: Landmarks<3>): Promise<string> {
  const size = PHOTO_SIDE;
  const data = cropPixels(image, crop, size);
  const href = await photoHref({ data, width: size, height: size, channels: 3 });
  const landmarks = fromUnit(unit, [1 / size, 0, 0, 1 / size, 0.5 / size, 0.5 / size]);
  return overlaySvg({ width: size, height: size, href }, [{ landmarks }]);
}

async function openShapes(root: string | undefined, kind?: string): Promise<Dataset<3>> {
  if (root === undefined) {
    throw new UsageError('--root: a dataset with 3D landmarks is needed, whose faces are drawn; got none');
  }
  const dataset = await openData(root, kind, '--root');
  if (dataset.dims !== 3) {
    throw new UsageError(`--root: expected a dataset with 3D landmarks, got 2D ones in ${root}`);
  }
  return dataset as Dataset<3>;
}
