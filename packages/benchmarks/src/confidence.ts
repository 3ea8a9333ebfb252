// Calibrates the confidences of a model on faces that it was not trained on and on crops without a face, or measures them.
//
//   node --conditions=voxface-source --import tsx packages/benchmarks/src/confidence.ts calibrate MODEL \
//     --faces PACKED_SET... --flags AFLW/landmarks-68.csv --photos 300W_FOLDER...
//   node ... confidence.ts measure MODEL --aflw2000 FOLDER --faces PACKED_SET... --flags AFLW/landmarks-68.csv \
//     --page docs/confidence.md
//
// `calibrate` writes `confidence` into MODEL/voxface.json. Of faces with flags (MERL-RAV's of AFLW) it takes every
// other face; `measure` takes the ones between. `--page` replaces the tables of that page between its two comments, and its picture.
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { setupBackend } from '@voxface/backend';
import type { Dataset, Sample } from '@voxface/datasets';
import { open300w, openAflw20003d, openKeypointCsv, openPackedSet } from '@voxface/datasets/node';
import {
  type Box,
  boxOverlap,
  createRandom,
  cropAffine,
  cropPixels,
  type Landmarks,
  type Pixels,
  type Random,
  toUnit,
} from '@voxface/landmarks';
import { loadModel } from '@voxface/models/node';
import { exportOnnx } from '@voxface/onnx/export';
import { createOnnxPredictor, type OnnxPredictor } from '@voxface/onnx/node';
import { type CurvePanel, curvePanelsSvg } from '@voxface/plots';
import { renderPng } from '@voxface/plots/node';
import {
  type ConfidenceCalibration,
  type ConfidenceSample,
  calibrateConfidence,
  judgeReading,
  readVolume,
  type VolumeSize,
} from '@voxface/predict';

/** Flags of MERL-RAV by picture: whether each landmark can be seen. */
type Flags = ReadonlyMap<string, readonly boolean[]>;

/** A crop with its truth: the landmarks in crop unit space, or none. */
interface Crop {
  readonly pixels: Uint8Array;
  readonly truth: Landmarks<3> | null;
  readonly visible: readonly (boolean | null)[];
}

/** How well one kind of probability did on one set. */
interface Judgement {
  readonly set: string;
  readonly crops: number;
  readonly what: string;
  readonly auroc: number;
  readonly ece: number;
  /** Ten of them; sums of what was said, and how often it came true. */
  readonly bins: readonly { count: number; sum: number; hits: number }[];
}

const judgements: Judgement[] = [];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    faces: { type: 'string', multiple: true, default: [] },
    photos: { type: 'string', multiple: true, default: [] },
    flags: { type: 'string' },
    aflw2000: { type: 'string' },
    seed: { type: 'string', default: '20' },
    page: { type: 'string' },
  },
});
const [command, folder] = positionals;
if ((command !== 'calibrate' && command !== 'measure') || folder === undefined) {
  throw new Error(`confidence: expected calibrate|measure MODEL, got ${positionals.join(' ')}`);
}
await setupBackend('cpu');
const model = await loadModel(folder);
const predictor = await createOnnxPredictor(await exportOnnx(model), { confidence: false, threads: 1 });
const flags = values.flags === undefined ? new Map() : await readFlags(values.flags);
const random = createRandom(Number(values.seed));
if (command === 'calibrate') await calibrate();
else await measure();
predictor.dispose();

async function calibrate(): Promise<void> {
  const samples: ConfidenceSample[] = [];
  for (const root of values.faces) {
    const faces = await openFaces(root);
    for await (const judged of judgeAll(
      cropsOf(faces, 0, (sample) => disturbedCrop(sample, random, flags)),
    )) {
      samples.push(judged);
    }
  }
  const count = samples.length;
  const photos = await Promise.all(values.photos.map((root) => open300w(root)));
  for await (const judged of judgeAll(otherCrops(photos, count, random))) samples.push(judged);
  const calibration = calibrateConfidence(samples);
  const good = samples.filter(({ isGood }) => isGood).length;
  console.log(`${count} faces, ${good} of them met well; ${samples.length - count} other crops`);
  report('calibration set', samples, calibration);
  const file = join(folder, 'voxface.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, `${JSON.stringify({ ...manifest, confidence: calibration })}\n`);
  console.log(`written to ${file}`);
}

async function measure(): Promise<void> {
  if (model.confidence === undefined)
    throw new Error(`confidence: ${folder} has no calibration (calibrate it)`);
  if (values.aflw2000 !== undefined) {
    const dataset = await openAflw20003d(values.aflw2000);
    const samples: ConfidenceSample[] = [];
    for await (const judged of judgeAll(cropsOf(dataset, null, (sample) => plainCrop(sample))))
      samples.push(judged);
    for await (const judged of judgeAll(otherCrops([dataset], samples.length, random))) samples.push(judged);
    report('AFLW2000-3D and as many crops beside faces', samples, model.confidence);
  }
  for (const root of values.faces) {
    const samples: ConfidenceSample[] = [];
    const faces = await openFaces(root);
    for await (const judged of judgeAll(cropsOf(faces, 1, (sample) => plainCrop(sample, flags))))
      samples.push(judged);
    report(flags.size > 0 ? "AFLW's test split, the other half" : root, samples, model.confidence);
  }
  if (values.page !== undefined) await writePage(values.page);
}

async function openFaces(root: string): Promise<Dataset<3>> {
  return (await openPackedSet(root)) as Dataset<3>;
}

/** @param parity 0 or 1 takes every other one of the faces with flags; null takes all. */
async function* cropsOf(
  dataset: Dataset<3>,
  parity: 0 | 1 | null,
  cut: (sample: Sample<3>) => Crop,
): AsyncGenerator<Crop> {
  for (let i = 0; i < dataset.length; i++) {
    if (parity !== null && flags.has(dataset.ids[i]) && i % 2 !== parity) continue;
    yield cut(await dataset.load(i));
  }
}

/** The crop around the true box. */
function plainCrop(sample: Sample<3>, known: Flags = new Map()): Crop {
  const affine = cropAffine(sample.box);
  const visible = known.get(sample.id) ?? new Array<null>(68).fill(null);
  return {
    pixels: cropPixels(sample.image, affine, predictor.inputSize),
    truth: toUnit(sample.landmarks, affine),
    visible,
  };
}

/** As detectors and people give them: boxes off, heads turned, a seventh turned any way, a fifth partly covered. */
function disturbedCrop(sample: Sample<3>, draw: Random, known: Flags): Crop {
  const between = (low: number, high: number): number => low + (high - low) * draw.next();
  const off = draw.next() < 0.5 ? 0 : 1;
  const { box, image, landmarks } = sample;
  const scale = between(1 - 0.18 * off, 1 + 0.22 * off);
  const [width, height] = [box.width * scale, box.height * scale];
  const x = box.x + (box.width - width) / 2 + off * between(-0.1, 0.1) * box.width;
  const y = box.y + (box.height - height) / 2 + off * between(-0.1, 0.1) * box.height;
  const rotation = draw.next() < 1 / 7 ? between(-180, 180) : between(-20, 20);
  const affine = cropAffine({ x, y, width, height }, { rotation });
  const size = predictor.inputSize;
  const pixels = cropPixels(image, affine, size);
  const truth = toUnit(landmarks, affine);
  const visible: (boolean | null)[] = [...(known.get(sample.id) ?? new Array<null>(68).fill(null))];
  if (draw.next() < 0.2) {
    const patch = {
      x: between(0, 0.6),
      y: between(0, 0.6),
      width: between(0.2, 0.6),
      height: between(0.2, 0.5),
    };
    cover(pixels, size, patch, draw);
    for (let i = 0; i < visible.length; i++) {
      const [u, v] = [truth.points[3 * i], truth.points[3 * i + 1]];
      const isCovered = u > patch.x && u < patch.x + patch.width && v > patch.y && v < patch.y + patch.height;
      if (isCovered) visible[i] = false;
    }
  }
  return { pixels, truth, visible };
}

/** A flat or noisy rectangle, in shares of the crop. */
function cover(pixels: Uint8Array, size: number, patch: Box, draw: Random): void {
  const color = [0, 1, 2].map(() => draw.integer(256));
  const noise = draw.next() < 0.5 ? 0 : 80;
  for (let v = Math.floor(patch.y * size); v < Math.min(size, (patch.y + patch.height) * size); v++) {
    for (let u = Math.floor(patch.x * size); u < Math.min(size, (patch.x + patch.width) * size); u++) {
      for (let c = 0; c < 3; c++) {
        pixels[3 * (v * size + u) + c] = Math.max(0, Math.min(255, color[c] + noise * (draw.next() - 0.5)));
      }
    }
  }
}

/** Crops beside the faces of photos; one in ten is flat, noise or a gradient. */
async function* otherCrops(
  datasets: readonly Dataset<2 | 3>[],
  count: number,
  draw: Random,
): AsyncGenerator<Crop> {
  const size = predictor.inputSize;
  const visible = new Array<null>(68).fill(null);
  const length = datasets.reduce((sum, dataset) => sum + dataset.length, 0);
  for (let made = 0, photo = 0; made < count; photo = (photo + 1) % length) {
    if (draw.next() < 0.1) {
      yield { pixels: plainPicture(size, draw), truth: null, visible };
      made++;
      continue;
    }
    let at = photo;
    const dataset = datasets.find((candidate) => {
      if (at < candidate.length) return true;
      at -= candidate.length;
      return false;
    })!;
    const { image, box } = await dataset.load(at);
    const place = placeBeside(image, box, draw);
    if (place === null) continue;
    yield { pixels: cropPixels(image, cropAffine(place), size), truth: null, visible };
    made++;
  }
}

function plainPicture(size: number, draw: Random): Uint8Array {
  const pixels = new Uint8Array(size * size * 3);
  const [from, to] = [0, 1].map(() => [0, 1, 2].map(() => draw.integer(256)));
  const noise = [0, 0, 60, 200][draw.integer(4)];
  for (let i = 0; i < size * size; i++) {
    const share = Math.floor(i / size) / size;
    for (let c = 0; c < 3; c++) {
      const value = from[c] + share * (to[c] - from[c]) + noise * (draw.next() - 0.5);
      pixels[3 * i + c] = Math.max(0, Math.min(255, value));
    }
  }
  return pixels;
}

/** A box that lies in the picture and shares next to nothing with the face; null after thirty tries. */
function placeBeside(image: Pixels, face: Box, draw: Random): Box | null {
  for (let attempt = 0; attempt < 30; attempt++) {
    const side = Math.max(face.width, face.height) * (0.3 + 0.7 * draw.next());
    if (side >= image.width || side >= image.height) continue;
    const [x, y] = [draw.next() * (image.width - side), draw.next() * (image.height - side)];
    const place = { x, y, width: side, height: side };
    if (boxOverlap(place, face) < 0.02) return place;
  }
  return null;
}

/** Runs the networks over crops, sixteen at a time. */
async function* judgeAll(crops: AsyncIterable<Crop>): AsyncGenerator<ConfidenceSample> {
  let waiting: Crop[] = [];
  for await (const crop of crops) {
    waiting.push(crop);
    if (waiting.length < 16) continue;
    yield* await judge(waiting, predictor);
    waiting = [];
  }
  yield* await judge(waiting, predictor);
}

async function judge(crops: readonly Crop[], runtime: OnnxPredictor): Promise<ConfidenceSample[]> {
  if (crops.length === 0) return [];
  const pixels = crops.map((crop) => crop.pixels);
  const [shapes, volumes] = [await runtime.predictUnit(pixels), await runtime.estimateVolumes(pixels)];
  const size = runtime.info.volume as VolumeSize;
  return crops.map(({ truth, visible }, i) => {
    const reading = readVolume(volumes[i], size, shapes[i]);
    const errors = truth && errorsOf(shapes[i], truth);
    return {
      reading,
      isGood: errors !== null && errors.space < 0.1,
      accurate: errors ? errors.plane.map((error) => error < 0.05) : new Array<null>(68).fill(null),
      visible,
    };
  });
}

/** Errors over the square root of width x height of the true box: mean in 3D, each in the picture. */
function errorsOf(shape: Landmarks<3>, truth: Landmarks<3>): { space: number; plane: number[] } {
  const xs = Array.from({ length: 68 }, (_, i) => truth.points[3 * i]);
  const ys = Array.from({ length: 68 }, (_, i) => truth.points[3 * i + 1]);
  const size = Math.sqrt((Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys)));
  const distance = (i: number, dims: number): number =>
    Math.hypot(...Array.from({ length: dims }, (_, k) => shape.points[3 * i + k] - truth.points[3 * i + k])) /
    size;
  const indices = Array.from({ length: 68 }, (_, i) => i);
  return {
    space: indices.reduce((sum, i) => sum + distance(i, 3), 0) / 68,
    plane: indices.map((i) => distance(i, 2)),
  };
}

/** Prints how well probabilities rank (AUROC) and how far they are from the shares that come true (ECE, ten bins). */
function report(
  name: string,
  samples: readonly ConfidenceSample[],
  calibration: ConfidenceCalibration,
): void {
  const judged = samples.map(({ reading }) => judgeReading(reading, calibration));
  console.log(`\n${name}: ${samples.length} crops, ${samples.filter(({ isGood }) => isGood).length} good`);
  const describe = (what: string, probabilities: readonly number[], truth: readonly boolean[]): void => {
    const { auroc: ranked, ece, bins } = compare(probabilities, truth);
    judgements.push({ set: name, crops: samples.length, what, auroc: ranked, ece, bins });
    console.log(`${what}: AUROC ${ranked.toFixed(3)}, ECE ${ece.toFixed(3)}`);
    for (const row of reliabilityRows(bins)) console.log(`  ${row.join(', ')}`);
  };
  describe(
    'face, 3D error below 10 %',
    judged.map(({ confidence }) => confidence),
    samples.map(({ isGood }) => isGood),
  );
  const each = (
    truth: 'accurate' | 'visible',
    probability: 'landmarkConfidence' | 'visibility',
    title: string,
  ): void => {
    const known = samples.flatMap((sample, s) =>
      sample[truth].flatMap((value, i) => (value === null ? [] : [{ p: judged[s][probability][i], value }])),
    );
    if (known.length === 0) return;
    describe(
      title,
      known.map(({ p }) => p),
      known.map(({ value }) => value),
    );
  };
  each('accurate', 'landmarkConfidence', 'landmark, error below 5 %');
  each('visible', 'visibility', 'landmark visible');
}

function compare(
  probabilities: readonly number[],
  truth: readonly boolean[],
): Pick<Judgement, 'auroc' | 'ece' | 'bins'> {
  const bins = Array.from({ length: 10 }, () => ({ count: 0, sum: 0, hits: 0 }));
  probabilities.forEach((p, i) => {
    const bin = bins[Math.min(9, Math.floor(10 * p))];
    bin.count += 1;
    bin.sum += p;
    bin.hits += truth[i] ? 1 : 0;
  });
  const ece = bins.reduce((sum, { sum: p, hits }) => sum + Math.abs(p - hits), 0) / probabilities.length;
  return { auroc: auroc(probabilities, truth), ece, bins };
}

/** From and to, how many, what was said on average, how often it came true. */
function reliabilityRows(bins: Judgement['bins']): string[][] {
  return bins.flatMap(({ count, sum, hits }, k) => {
    if (count === 0) return [];
    const shares = [sum / count, hits / count].map((share) => share.toFixed(2));
    return [[`${k / 10} to ${(k + 1) / 10}`, String(count), ...shares]];
  });
}

/** Replaces what stands between the comments of a page, and draws the reliability diagrams beside it. */
async function writePage(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const [open, close] = ['<!-- measured -->', '<!-- /measured -->'];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`confidence: ${file} has no ${open} and ${close}`);
  const table = ([head, ...rows]: readonly (readonly string[])[]): string =>
    [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const figures = judgements.map((j) => [j.set, `${j.crops}`, j.what, j.auroc.toFixed(3), j.ece.toFixed(3)]);
  const [first] = judgements;
  const said = table([['`confidence`', 'crops', 'said', 'true'], ...reliabilityRows(first.bins)]);
  const all = table([['set', 'crops', 'what', 'AUROC', 'ECE'], ...figures]);
  const parts = [all, `Predicted against actual: ${first.what}, ${first.set}.`, said];
  await writeFile(file, `${text.slice(0, from)}${open}\n\n${parts.join('\n\n')}\n\n${text.slice(to)}`);
  const panels = [...new Set(judgements.map(({ what }) => what))].map((what): CurvePanel => {
    const shown = judgements.filter((judgement) => judgement.what === what);
    const curves = shown.map(({ set, bins }) => ({
      name: set,
      points: bins
        .filter(({ count }) => count >= 5)
        .map(({ count, sum, hits }) => [(100 * sum) / count, (100 * hits) / count] as const),
    }));
    const ideal = { name: 'as it should be', points: [0, 100].map((value) => [value, value] as const) };
    return { title: what, x: 'said (%)', y: 'true (%)', dots: true, curves: [ideal, ...curves] };
  });
  const png = await renderPng(await curvePanelsSvg(panels, { columns: 3 }), { width: 1400 });
  await writeFile(join(dirname(file), 'pictures/confidence.png'), png);
}

/** Probability that a true case is ranked above a false one; ties count half. */
function auroc(probabilities: readonly number[], truth: readonly boolean[]): number {
  const order = probabilities.map((p, i) => ({ p, hit: truth[i] })).sort((a, b) => a.p - b.p);
  let [rankSum, hits, at] = [0, 0, 0];
  while (at < order.length) {
    let end = at;
    while (end < order.length && order[end].p === order[at].p) end++;
    for (let k = at; k < end; k++) {
      if (!order[k].hit) continue;
      hits += 1;
      rankSum += (at + end + 1) / 2;
    }
    at = end;
  }
  return (rankSum - (hits * (hits + 1)) / 2) / (hits * (order.length - hits));
}

async function readFlags(file: string): Promise<Flags> {
  const dataset = await openKeypointCsv(file, join(dirname(file), 'images'));
  const flags = dataset.ids.map(async (id, i) => {
    const { visible, occluded } = await dataset.annotate!(i);
    return [id, Array.from({ length: 68 }, (_, k) => visible?.[k] !== 0 && occluded?.[k] !== 1)] as const;
  });
  return new Map(await Promise.all(flags));
}
