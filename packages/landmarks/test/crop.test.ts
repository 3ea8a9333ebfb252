import { expectClose } from '@voxface/test-utils';
import { describe, expect, it } from 'vitest';
import {
  boxOf,
  createLandmarks,
  createRandom,
  cropAffine,
  cropPixels,
  flipLandmarks,
  fromUnit,
  IBUG_68,
  type Landmarks,
  type Pixels,
  squareBox,
  toUnit,
  transformLandmarks,
} from '../src/index.ts';

function randomFace(): Landmarks<3> {
  const random = createRandom(68);
  return createLandmarks(
    Array.from({ length: 204 }, (_, i) => random.uniform(0, 90) + (i % 3 === 2 ? 500 : 40)),
    3,
  );
}

/** A black picture with one bright, round, smooth dot whose centre need not be a pixel's. */
function dotPicture(width: number, height: number, x: number, y: number, radius: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const squared = ((i % width) - x) ** 2 + (Math.floor(i / width) - y) ** 2;
    data.fill(Math.round(255 * Math.exp(-squared / (2 * radius * radius))), 3 * i, 3 * i + 3);
  }
  return { data, width, height, channels: 3 };
}

/** Centre of brightness of a crop, in crop unit space. */
function brightCenter(crop: Uint8Array, size: number): [number, number] {
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < size * size; i++) {
    sum += crop[3 * i];
    sumX += crop[3 * i] * (i % size);
    sumY += crop[3 * i] * Math.floor(i / size);
  }
  return [(sumX / sum + 0.5) / size, (sumY / sum + 0.5) / size];
}

describe('cropAffine', () => {
  it('maps the edges of a square of 1.25 times the longer side to 0 and 1', () => {
    const box = { x: 10, y: 20, width: 40, height: 60 };
    const square = squareBox(box, 1.25);
    expect(square).toEqual({ x: 30 - 37.5, y: 50 - 37.5, width: 75, height: 75 });
    const corners = createLandmarks([square.x, square.y, square.x + 75, square.y + 75, 30, 50], 2);
    expectClose(transformLandmarks(corners, cropAffine(box)).points, [0, 0, 1, 1, 0.5, 0.5]);
  });

  it('turns the content clockwise on screen about the centre', () => {
    const box = { x: 10, y: 20, width: 40, height: 60 };
    // A point right of the centre goes below it (y is down).
    const right = createLandmarks([30 + 15, 50], 2);
    expectClose(transformLandmarks(right, cropAffine(box, { rotation: 90 })).points, [0.5, 0.7]);
  });

  it('refuses boxes without size', () => {
    expect(() => cropAffine({ x: 0, y: 0, width: 0, height: 0 })).toThrow(
      'expected a box with positive finite size',
    );
    expect(() => cropAffine({ x: Number.NaN, y: 0, width: 1, height: 1 })).toThrow('cropAffine');
  });
});

describe('toUnit and fromUnit', () => {
  it('give x, y in crop sides from the edge and z in crop sides with zero mean', () => {
    const face = randomFace();
    const box = boxOf(face);
    const side = 1.25 * Math.max(box.width, box.height);
    const unit = toUnit(face, cropAffine(box));
    const meanZ = (shape: Landmarks<3>): number =>
      shape.points.reduce((sum, value, i) => sum + (i % 3 === 2 ? value : 0), 0) / 68;
    expect(meanZ(unit)).toBeCloseTo(0, 6);
    expect(unit.points[0]).toBeCloseTo((face.points[0] - (box.x + box.width / 2)) / side + 0.5, 5);
    expect(unit.points[2]).toBeCloseTo((face.points[2] - meanZ(face)) / side, 5);
    const back = fromUnit(unit, cropAffine(box));
    const centered = Array.from(face.points, (value, i) => (i % 3 === 2 ? value - meanZ(face) : value));
    expectClose(back.points, centered, { absolute: 1e-3 });
  });

  it('commutes with mirroring the picture', () => {
    const face = randomFace();
    const width = 200;
    const mirroredFirst = flipLandmarks(face, IBUG_68, width - 1);
    const a = toUnit(mirroredFirst, cropAffine(boxOf(mirroredFirst)));
    const b = flipLandmarks(toUnit(face, cropAffine(boxOf(face))), IBUG_68, 1);
    expectClose(a.points, b.points, { absolute: 1e-5 });
  });
});

describe('flipLandmarks', () => {
  it('undoes itself and exchanges the eyes', () => {
    const face = randomFace();
    const flipped = flipLandmarks(face, IBUG_68, 199);
    expectClose(flipLandmarks(flipped, IBUG_68, 199).points, face.points, { absolute: 1e-4 });
    expect(flipped.points[36 * 3]).toBe(199 - face.points[45 * 3]);
    expect(flipped.points.slice(36 * 3 + 1, 36 * 3 + 3)).toEqual(face.points.slice(45 * 3 + 1, 45 * 3 + 3));
  });

  it('refuses landmarks of another scheme', () => {
    expect(() => flipLandmarks(createLandmarks(new Float32Array(42), 2), IBUG_68, 1)).toThrow(
      'flipLandmarks: ibug-68 has 68 landmarks, got 21',
    );
  });
});

describe('cropPixels on a drawn dot', () => {
  it.each([
    ['straight', 1, 0, false],
    ['turned by 30 degrees', 1, 30, false],
    ['mirrored', 1, 0, true],
    ['turned and mirrored', 1, -40, true],
    ['enlarged twice', 0.5, 15, false],
    ['shrunk more than three times', 3.4, 15, false],
  ])('puts the dot where toUnit puts its landmark: %s', (_, relative, rotation, mirrored) => {
    const [x, y] = [83.3, 61.8];
    const picture = dotPicture(180, 140, x, y, 3 * relative);
    const size = 48;
    const box = {
      x: x - 12 * relative,
      y: y - 21 * relative,
      width: 32 * relative,
      height: 38.4 * relative,
    };
    const crop = cropAffine(box, { rotation });
    const unit = toUnit(createLandmarks([x, y], 2), crop).points;
    const [u, v] = brightCenter(cropPixels(picture, crop, size, mirrored), size);
    // A fiftieth of a crop pixel: the limit of 8-bit values.
    expect(Math.abs(u - (mirrored ? 1 - unit[0] : unit[0]))).toBeLessThan(0.02 / size);
    expect(Math.abs(v - unit[1])).toBeLessThan(0.02 / size);
  });

  it('copies pixels exactly where crop and picture coincide', () => {
    const random = createRandom(4);
    const data = Uint8Array.from({ length: 16 * 16 * 3 }, () => random.integer(256));
    const picture: Pixels = { data, width: 16, height: 16, channels: 3 };
    const crop = cropAffine({ x: -0.5, y: -0.5, width: 16, height: 16 }, { scale: 1 });
    expect(cropPixels(picture, crop, 16)).toEqual(data);
  });
});
