/**
 * How models bear what photos do to faces: little light, something before the face, the picture's edge. Every face of packed or
 * other 3D sets is spoilt in each way, always the same for the same set; boxes are true, `flip` is on. From the root:
 *
 *   node --conditions=voxface-source --import tsx packages/voxface/bench/hard-faces.ts SET[,SET ...] EVERY MODEL ...
 *
 * Per model and set: NME of all points in the plane, percent of the square root of the box, and how many faces lie beyond 15 %.
 */
import { openDataset } from '@voxface/datasets/node';
import { type Box, boxOf, createRandom, type Pixels, type Random, toPlane } from '@voxface/landmarks';
import { boxSize, nme } from '@voxface/metrics';
import { openModel } from '../src/photos/open-model.ts';

/** Beyond this the face is lost, percent. */
const LOST = 15;
type Spoil = (image: Pixels, box: Box, random: Random) => Pixels;
const SPOILS: Readonly<Record<string, Spoil>> = {
  'as they are': (image) => image,
  'a quarter of the light': (image, _box, random) => darken(image, 0.25, random),
  'a tenth': (image, _box, random) => darken(image, 0.1, random),
  covered: coverEllipse,
  "at the picture's edge": cutPicture,
};

const [sets = '', every = '1', ...models] = process.argv.slice(2);
console.log(`| model | set | faces | ${Object.keys(SPOILS).join(' | ')} |`);
console.log(`| --- | --- | --- |${' --- |'.repeat(Object.keys(SPOILS).length)}`);
for (const name of models) {
  const { predictor } = await openModel(name, { flip: true });
  for (const set of sets.split(',')) {
    const errors = await measureSet(set, predictor.predict);
    const cells = errors.map((values) => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      return `${mean.toFixed(2)} (${values.filter((value) => value > LOST).length})`;
    });
    console.log(`| ${name} | ${set} | ${errors[0].length} | ${cells.join(' | ')} |`);
  }
  predictor.dispose();
}

/** Errors of every face for each way of spoiling it, percent. */
async function measureSet(
  set: string,
  predict: Awaited<ReturnType<typeof openModel>>['predictor']['predict'],
): Promise<number[][]> {
  const dataset = await openDataset(set, {});
  const errors: number[][] = Object.keys(SPOILS).map(() => []);
  for (let i = 0; i < dataset.length; i += Number(every)) {
    const { image, landmarks } = await dataset.load(i);
    const box = boxOf(landmarks);
    for (const [k, spoil] of Object.values(SPOILS).entries()) {
      const found = await predict(spoil(image, box, createRandom(i)), box);
      errors[k].push(100 * nme(toPlane(found.landmarks), toPlane(landmarks), { normalizer: boxSize }));
    }
  }
  return errors;
}

/** Less light, and the noise that cameras add then: 7 levels about a black of 6. */
function darken(image: Pixels, light: number, random: Random): Pixels {
  return {
    ...image,
    data: Uint8ClampedArray.from(image.data, (value) => light * value + 6 + 7 * random.normal()),
  };
}

/** An ellipse of one colour, radii of 0.2 to 0.35 of the box, with its centre somewhere in it. */
function coverEllipse(image: Pixels, box: Box, random: Random): Pixels {
  const data = image.data.slice();
  const { width, height, channels } = image;
  const [x, y] = [box.x + random.next() * box.width, box.y + random.next() * box.height];
  const [a, b] = [box.width * random.uniform(0.2, 0.35), box.height * random.uniform(0.2, 0.35)];
  const color = [random.uniform(60, 220), random.uniform(40, 180), random.uniform(30, 150)];
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      if (((u - x) / a) ** 2 + ((v - y) / b) ** 2 < 1) data.set(color, (v * width + u) * channels);
    }
  }
  return { ...image, data };
}

/** The picture ends within the box, 0.1 to 0.35 of it lost at one side. */
function cutPicture(image: Pixels, box: Box, random: Random): Pixels {
  const data = image.data.slice();
  const { width, height, channels } = image;
  const [side, lost] = [Math.floor(4 * random.next()), random.uniform(0.1, 0.35)];
  const isBeyond = (u: number, v: number): boolean => {
    const [x, y] = [(u + 0.5 - box.x) / box.width, (v + 0.5 - box.y) / box.height];
    return [x < lost, y < lost, x > 1 - lost, y > 1 - lost][side];
  };
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      if (isBeyond(u, v)) data.fill(0, (v * width + u) * channels, (v * width + u + 1) * channels);
    }
  }
  return { ...image, data };
}
