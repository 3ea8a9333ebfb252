/**
 * Measures whether annotations sit systematically off the picture, from the picture alone. From the root:
 *
 *   npx tsx --conditions=voxface-source packages/datasets/bench/annotation-offset.ts
 *
 * Vertical: in closed mouths the lips meet in a dark line, which the inner lip landmarks (61-63, 65-67) mark; the
 * distance from their mean to the darkest row near them, to a part of a pixel. Horizontal: the iris is the darkest
 * part of an eye; the distance from the mean of the six eye landmarks to the centre of the dark, averaged over both
 * eyes, so that the nose-side lean of an eye's outline and squinting cancel. Faces tilted by more than 12 degrees
 * are left out. Positive: the picture's feature lies right of or below the landmarks as the loader gives them.
 *
 * AFLW2000-3D, `pt3d_68`: also against people's points on the same pictures (MERL-RAV; 0-based), the median over the faces
 * of the median over a face's nose, eyes and mouth (27..67; the brows of the Basel face model lie elsewhere on the face).
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { annotationOf, type Dataset, type Sample } from '../src/index.ts';
import { open300w, openAflw20003d, openDataset, openKeypointCsv } from '../src/node.ts';

const data = path.resolve(fileURLToPath(import.meta.url), '../../../../..', 'shared/data');
const inData = (part: string): string => path.join(data, part);

for (const dataset of [
  await open300w(inData('300w/afw'), { name: '300w/afw' }),
  await open300w(inData('300w/helen/trainset'), { name: '300w/helen/trainset' }),
  await open300w(inData('300w/helen/testset'), { name: '300w/helen/testset' }),
  await openKeypointCsv(
    inData('youtube-keypoints/training_frames_keypoints.csv'),
    inData('youtube-keypoints/training'),
    {
      name: 'youtube-keypoints/training',
    },
  ),
]) {
  await measure(dataset);
}
const aflw2000 = await openAflw20003d(inData('aflw2000-3d-full'));
await measure(aflw2000);
await comparePeople(aflw2000, await openDataset(inData('aflw2000-3d-full/merl-rav-68.csv')));

async function comparePeople(fits: Dataset, people: Dataset): Promise<void> {
  const offsets: [number[], number[]] = [[], []];
  for (const [i, id] of people.ids.entries()) {
    const marked = await annotationOf(people, i);
    const fitted = await annotationOf(fits, fits.ids.indexOf(id));
    for (const axis of [0, 1]) {
      const differences: number[] = [];
      for (let k = 27; k < 68; k++) {
        if (marked.visible && !marked.visible[k]) continue;
        const { points, dims } = fitted.landmarks;
        differences.push(marked.landmarks.points[2 * k + axis] - points[dims * k + axis]);
      }
      if (differences.length > 0)
        offsets[axis].push(differences.toSorted((a, b) => a - b)[differences.length >> 1]);
    }
  }
  console.log(
    `${fits.name} against people's points: down ${describe(offsets[1])}, right ${describe(offsets[0])}`,
  );
}

async function measure(dataset: Dataset): Promise<void> {
  const vertical: number[] = [];
  const horizontal: number[] = [];
  let side = 0;
  for (let i = 0; i < dataset.length; i++) {
    const sample = await dataset.load(i);
    side += Math.max(sample.box.width, sample.box.height) / dataset.length;
    const { points, dims } = sample.landmarks;
    const at = (k: number): [number, number] => [points[dims * k], points[dims * k + 1]];
    const roll = Math.atan2(at(45)[1] - at(36)[1], at(45)[0] - at(36)[0]);
    if (Math.abs(roll) > (12 * Math.PI) / 180) continue;
    const y = lipLine(sample, at);
    if (y !== undefined) vertical.push(y);
    const x = irisOffset(sample, at);
    if (x !== undefined) horizontal.push(x);
  }
  console.log(
    `${dataset.name} (faces of ${side.toFixed(0)} px): down ${describe(vertical)}, right ${describe(horizontal)}`,
  );
}

function describe(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const trimmed = sorted.slice(Math.floor(sorted.length * 0.1), Math.ceil(sorted.length * 0.9));
  const mean = trimmed.reduce((a, b) => a + b, 0) / trimmed.length;
  const spread = Math.sqrt(trimmed.reduce((a, b) => a + (b - mean) ** 2, 0) / (trimmed.length - 1));
  return `${mean.toFixed(2)} +- ${(spread / Math.sqrt(trimmed.length)).toFixed(2)} px (median ${sorted[sorted.length >> 1].toFixed(2)}, ${values.length} faces)`;
}

function brightness({ image }: Sample, x: number, y: number): number {
  const { data, width, height, channels } = image;
  const px = Math.min(width - 1, Math.max(0, x));
  const py = Math.min(height - 1, Math.max(0, y));
  const at = (py * width + px) * channels;
  return 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
}

function lipLine(sample: Sample, at: (k: number) => [number, number]): number | undefined {
  const size = Math.max(sample.box.width, sample.box.height);
  const offsets: number[] = [];
  for (const [upper, lower] of [
    [61, 67],
    [62, 66],
    [63, 65],
  ]) {
    const opening = at(lower)[1] - at(upper)[1];
    if (Math.abs(opening) > 0.012 * size) return undefined;
    const x = Math.round((at(upper)[0] + at(lower)[0]) / 2);
    const y = (at(upper)[1] + at(lower)[1]) / 2;
    const reach = Math.max(3, Math.round(0.03 * size));
    const first = Math.round(y) - reach;
    const rows = Array.from({ length: 2 * reach + 1 }, (_, i) => {
      let sum = 0;
      for (let dx = -2; dx <= 2; dx++) sum += brightness(sample, x + dx, first + i);
      return sum;
    });
    const darkest = rows.indexOf(Math.min(...rows));
    if (darkest === 0 || darkest === rows.length - 1) return undefined;
    const [a, b, c] = rows.slice(darkest - 1, darkest + 2);
    offsets.push(first + darkest + (0.5 * (a - c)) / (a - 2 * b + c || 1) - y);
  }
  return offsets.reduce((sum, value) => sum + value / offsets.length, 0);
}

function irisOffset(sample: Sample, at: (k: number) => [number, number]): number | undefined {
  const offsets: number[] = [];
  for (const eye of [
    [36, 37, 38, 39, 40, 41],
    [42, 43, 44, 45, 46, 47],
  ]) {
    const xs = eye.map((k) => at(k)[0]);
    const ys = eye.map((k) => at(k)[1]);
    const width = Math.max(...xs) - Math.min(...xs);
    if (Math.max(...ys) - Math.min(...ys) < 0.22 * width) return undefined;
    const center = xs.reduce((a, b) => a + b / 6, 0);
    const pixels: [number, number][] = [];
    for (let y = Math.ceil(Math.min(...ys)); y <= Math.max(...ys); y++) {
      for (let x = Math.ceil(center - width / 2); x <= center + width / 2; x++)
        pixels.push([x, brightness(sample, x, y)]);
    }
    const limit = pixels.map(([, value]) => value).toSorted((a, b) => a - b)[
      Math.floor(pixels.length * 0.35)
    ];
    let weight = 0;
    let sum = 0;
    for (const [x, value] of pixels) {
      weight += Math.max(0, limit - value);
      sum += Math.max(0, limit - value) * x;
    }
    if (weight === 0) return undefined;
    offsets.push(sum / weight - center);
  }
  return (offsets[0] + offsets[1]) / 2;
}
