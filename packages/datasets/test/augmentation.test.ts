import { boxOf, createRandom, fromUnit, IBUG_68, type Landmarks, type Pixels } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import {
  type Augmentation,
  applyGains,
  cropOf,
  cropSample,
  drawAugmentation,
  NO_AUGMENTATION,
  type Sample,
} from '../src/index.ts';
import { syntheticLandmarks, syntheticSample } from './synthetic.ts';

/** A black picture, four times as large, with a soft dot on each landmark; its colour says which. */
function dotted(): Sample<2> {
  const [width, height] = [640, 480];
  const points = syntheticLandmarks(3).points.map((value) => value * 4);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < 68; i++) {
    const [cx, cy] = [points[2 * i], points[2 * i + 1]];
    for (let y = Math.floor(cy) - 12; y <= cy + 12; y++) {
      for (let x = Math.floor(cx) - 12; x <= cx + 12; x++) {
        const weight = Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 18);
        if (weight > 0.01) data.set([200 * weight, i * 3 * weight, 0], (y * width + x) * 3);
      }
    }
  }
  const landmarks: Landmarks<2> = { points, dims: 2 };
  const image: Pixels = { data, width, height, channels: 3 };
  const provenance = { dataset: 'dots', files: [], conversions: [] };
  return { id: 'dots', image, landmarks, scheme: IBUG_68, box: boxOf(landmarks), provenance };
}

/** Centre of the red light within `radius` pixels, and the green share there. */
function findDot(
  pixels: Uint8Array,
  size: number,
  x: number,
  y: number,
  radius: number,
): [number, number, number] {
  let [sum, sumX, sumY, green] = [0, 0, 0, 0];
  for (let row = Math.ceil(y - radius); row <= y + radius; row++) {
    for (let column = Math.ceil(x - radius); column <= x + radius; column++) {
      const red = pixels[(row * size + column) * 3];
      sum += red;
      sumX += red * column;
      sumY += red * row;
      green += pixels[(row * size + column) * 3 + 1];
    }
  }
  return [sumX / sum, sumY / sum, green / sum];
}

describe('augmentation', () => {
  it('is plain JSON, replayable, and stays in its ranges', () => {
    const random = createRandom(1);
    let [least, most, mirrored] = [Infinity, -Infinity, 0];
    for (let i = 0; i < 500; i++) {
      const drawn = drawAugmentation(random);
      expect(JSON.parse(JSON.stringify(drawn))).toEqual(drawn);
      least = Math.min(least, drawn.rotation);
      most = Math.max(most, drawn.rotation);
      mirrored += Number(drawn.mirrored);
      for (const gain of drawn.gains) expect(Math.abs(gain - 1)).toBeLessThanOrEqual(0.3);
      expect(Math.abs(drawn.scale - 1)).toBeLessThanOrEqual(0.3);
      expect(Math.max(Math.abs(drawn.shiftX), Math.abs(drawn.shiftY))).toBeLessThanOrEqual(0.05);
    }
    expect([least, most].map(Math.round)).toEqual([-40, 40]);
    expect(mirrored).toBeGreaterThan(200);
    expect(mirrored).toBeLessThan(300);
    expect(() => drawAugmentation(random, { scale: [1.3, 0.7] })).toThrow(/low <= high, got \[1.3,0.7\]/);
    expect(() => drawAugmentation(random, { gain: 2 })).toThrow(
      /cover, edge, noise, mirror and spin in 0..1/,
    );
  });

  it('spins the asked share of the faces to any angle and leaves the other draws alone', () => {
    let spun = 0;
    for (let seed = 0; seed < 600; seed++) {
      const plain = drawAugmentation(createRandom(seed), { rotation: 20 });
      const drawn = drawAugmentation(createRandom(seed), { rotation: 20, spin: 0.3 });
      if (Math.abs(drawn.rotation) > 20) spun++;
      expect({ ...drawn, rotation: 0 }).toEqual({ ...plain, rotation: 0 });
    }
    // 30 % of 600 are spun, eight ninths of them beyond 20 degrees: 160, give or take three deviations of a binomial draw.
    expect(Math.abs(spun - 160)).toBeLessThan(33);
  });

  it('darkens the asked share of the crops, all channels alike, to a tenth at most', () => {
    const lights: number[] = [];
    for (let seed = 0; seed < 600; seed++) {
      const plain = drawAugmentation(createRandom(seed));
      const drawn = drawAugmentation(createRandom(seed), { dark: 0.4 });
      const [red, green, blue] = drawn.gains.map((gain, i) => gain / plain.gains[i]);
      expect([green, blue]).toEqual([expect.closeTo(red, 9), expect.closeTo(red, 9)]);
      if (red < 1) lights.push(red);
      expect({ ...drawn, gains: plain.gains }).toEqual(plain);
    }
    // 40 % of 600, give or take three deviations of a binomial draw; half of a log-uniform draw lies below the root of 0.1.
    expect(Math.abs(lights.length - 240)).toBeLessThan(36);
    expect(Math.min(...lights)).toBeGreaterThanOrEqual(0.1);
    expect(Math.abs(lights.filter((light) => light < Math.sqrt(0.1)).length - 120)).toBeLessThan(33);
  });

  it('covers a rectangle with pixels of the crop itself and leaves the rest, and the landmarks, as they are', () => {
    const sample = syntheticSample(5);
    const size = 40;
    const plain = cropSample(sample, { size });
    const at = (pixels: Uint8Array, x: number, y: number): number[] => [
      ...pixels.subarray(3 * (y * size + x), 3 * (y * size + x + 1)),
    ];
    const cover = { x: 0.25, y: 0.5, width: 0.2, height: 0.75, fromX: 0.8, fromY: 0.1 };
    const covered = cropSample(sample, { size, augmentation: { ...NO_AUGMENTATION, cover } });
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const isUnder = x >= 10 && x < 18 && y >= 20;
        const from = isUnder ? [(x + 32) % size, (y + 4) % size] : [x, y];
        expect(at(covered.pixels, x, y)).toEqual(at(plain.pixels, from[0], from[1]));
      }
    }
    expect(covered.landmarks).toEqual(plain.landmarks);
    let drawn = 0;
    for (let seed = 0; seed < 600; seed++) {
      const { cover } = drawAugmentation(createRandom(seed), { cover: 0.25 });
      if (!cover) continue;
      drawn += 1;
      for (const side of [cover.width, cover.height]) {
        expect(side).toBeGreaterThanOrEqual(0.15);
        expect(side).toBeLessThanOrEqual(0.45);
      }
      expect(Math.min(cover.x + cover.width, cover.y + cover.height)).toBeGreaterThan(0.1);
      expect(Math.max(cover.x, cover.y)).toBeLessThan(0.9);
    }
    expect(Math.abs(drawn - 150)).toBeLessThan(32);
  });

  it('ends the picture along its own axes, turned and mirrored with it, and leaves the landmarks as they are', () => {
    const sample = syntheticSample(5);
    const size = 40;
    for (const mirrored of [false, true]) {
      const plain = cropSample(sample, { size, augmentation: { ...NO_AUGMENTATION, mirrored } });
      const edge = { angle: 90, distance: 0.225 };
      const cut = cropSample(sample, { size, augmentation: { ...NO_AUGMENTATION, mirrored, edge } });
      const kept = 3 * size * 29;
      expect(cut.pixels.subarray(0, kept)).toEqual(plain.pixels.subarray(0, kept));
      expect(Math.max(...plain.pixels.subarray(kept))).toBeGreaterThan(0);
      expect(Math.max(...cut.pixels.subarray(kept))).toBe(0);
      expect(cut.landmarks).toEqual(plain.landmarks);
    }
    const sides = new Map<number, number>();
    for (let seed = 0; seed < 600; seed++) {
      const plain = drawAugmentation(createRandom(seed), { spin: 0.3 });
      const { edge, ...rest } = drawAugmentation(createRandom(seed), { spin: 0.3, edge: 0.25 });
      expect(rest).toEqual(plain);
      if (!edge) continue;
      expect(edge.distance).toBeGreaterThanOrEqual(0.15);
      expect(edge.distance).toBeLessThanOrEqual(0.45);
      const side = (edge.angle + (rest.mirrored ? rest.rotation : -rest.rotation)) / 90;
      expect(side).toBeCloseTo(Math.round(side), 9);
      sides.set(Math.round(side), (sides.get(Math.round(side)) ?? 0) + 1);
    }
    expect([...sides.keys()].sort()).toEqual([0, 1, 2, 3]);
    expect(Math.abs([...sides.values()].reduce((a, b) => a + b) - 150)).toBeLessThan(32);
  });

  it('adds the same noise again, of the asked deviation, and leaves the landmarks as they are', () => {
    const sample = syntheticSample(5);
    const size = 120;
    const gains = [0.5, 0.5, 0.5] as const;
    const plain = cropSample(sample, { size, augmentation: { ...NO_AUGMENTATION, gains } });
    const noise = { deviation: 4, seed: 7 };
    const noisy = cropSample(sample, { size, augmentation: { ...NO_AUGMENTATION, gains, noise } });
    const again = cropSample(sample, { size, augmentation: { ...NO_AUGMENTATION, gains, noise } });
    expect(again.pixels).toEqual(noisy.pixels);
    expect(noisy.landmarks).toEqual(plain.landmarks);
    // Where nothing is clamped; rounding adds a twelfth to the variance.
    const apart = [...plain.pixels].flatMap((value, i) =>
      value > 30 && value < 225 ? [noisy.pixels[i] - value] : [],
    );
    expect(apart.length).toBeGreaterThan(10_000);
    const mean = apart.reduce((a, b) => a + b) / apart.length;
    const deviation = Math.sqrt(apart.reduce((sum, value) => sum + (value - mean) ** 2, 0) / apart.length);
    expect(Math.abs(mean)).toBeLessThan(0.15);
    expect(Math.abs(deviation - Math.sqrt(16 + 1 / 12))).toBeLessThan(0.1);
    let drawn = 0;
    for (let seed = 0; seed < 600; seed++) {
      const { noise, ...rest } = drawAugmentation(createRandom(seed), { noise: 0.25 });
      expect(rest).toEqual(drawAugmentation(createRandom(seed)));
      if (!noise) continue;
      drawn += 1;
      expect(noise.deviation).toBeGreaterThanOrEqual(0);
      expect(noise.deviation).toBeLessThanOrEqual(12);
    }
    expect(Math.abs(drawn - 150)).toBeLessThan(32);
  });

  it('turns the edge with the picture: a picture that ends there looks the same', () => {
    const { image, box, ...rest } = syntheticSample(5);
    const size = 120;
    const half = Math.max(box.width, box.height) * 0.625;
    const end = Math.floor(box.x + box.width / 2 + 0.5 * half);
    const ended = { ...image, data: image.data.slice() };
    for (let y = 0; y < image.height; y++) {
      ended.data.fill(0, (y * image.width + end) * image.channels, (y + 1) * image.width * image.channels);
    }
    const distance = (end - box.x - box.width / 2) / (2 * half);
    for (const mirrored of [false, true]) {
      const turned = { ...NO_AUGMENTATION, rotation: 25, mirrored };
      const edge = { angle: mirrored ? 180 - 25 : 25, distance };
      const expected = cropSample({ ...rest, image: ended, box }, { size, augmentation: turned }).pixels;
      const actual = cropSample({ ...rest, image, box }, { size, augmentation: { ...turned, edge } }).pixels;
      const differing = actual.filter((value, i) => value !== expected[i]).length;
      // Along the line a crop pixel mixes both sides.
      expect(differing / actual.length).toBeLessThan(0.03);
      expect(actual.filter((value) => value === 0).length / actual.length).toBeGreaterThan(0.2);
    }
  });

  it('moves image and landmarks together: drawn dots are found where the landmarks say', () => {
    const sample = dotted();
    const size = 256;
    const random = createRandom(11);
    let checked = 0;
    for (let round = 0; round < 12; round++) {
      const augmentation: Augmentation = {
        ...drawAugmentation(random),
        gains: [1, 1, 1],
        mirrored: round % 2 === 0,
      };
      const crop = cropSample(sample, { size, augmentation });
      for (let i = 0; i < 68; i++) {
        const x = crop.landmarks.points[2 * i] * size - 0.5;
        const y = crop.landmarks.points[2 * i + 1] * size - 0.5;
        if (Math.min(x, y) < 9 || Math.max(x, y) > size - 10) continue;
        const [foundX, foundY, green] = findDot(crop.pixels, size, x, y, 7);
        expect(Math.hypot(foundX - x, foundY - y)).toBeLessThan(0.3);
        const index = crop.mirrored ? partner(i) : i;
        expect(Math.abs((green * 200) / 3 - index)).toBeLessThan(2.5);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(500);
  });

  it('flips twice to where it began, and carries visibility along', () => {
    const sample = {
      ...syntheticSample(1),
      visible: Uint8Array.from({ length: 68 }, (_, i) => (i < 20 ? 0 : 1)),
    };
    const augmentation = { ...NO_AUGMENTATION, mirrored: true };
    const once = cropSample(sample, { size: 64, augmentation });
    const plain = cropSample(sample, { size: 64 });
    for (let i = 0; i < 68; i++) {
      expect(once.visible![i]).toBe(sample.visible[partner(i)]);
      expect(once.landmarks.points[2 * i]).toBeCloseTo(1 - plain.landmarks.points[2 * partner(i)], 5);
    }
    for (let row = 0; row < 64; row++) {
      for (let column = 0; column < 64; column++) {
        const a = (row * 64 + column) * 3;
        const b = (row * 64 + 63 - column) * 3;
        expect(once.pixels.subarray(a, a + 3)).toEqual(plain.pixels.subarray(b, b + 3));
      }
    }
  });

  it('shows the face larger for a larger scale, and turns it clockwise', () => {
    const sample = syntheticSample(2);
    const spread = (augmentation: Augmentation): number =>
      boxOf(cropSample(sample, { size: 32, augmentation }).landmarks).width;
    expect(spread({ ...NO_AUGMENTATION, scale: 1.3 }) / spread(NO_AUGMENTATION)).toBeCloseTo(1.3, 4);
    const { landmarks } = cropSample(sample, {
      size: 32,
      augmentation: { ...NO_AUGMENTATION, rotation: 90 },
    });
    const upright = cropSample(sample, { size: 32 }).landmarks;
    expect(landmarks.points[0]).toBeCloseTo(1 - upright.points[1], 4);
    expect(landmarks.points[1]).toBeCloseTo(upright.points[0], 4);
  });

  it('keeps depth under rotation and leads back to image pixels', () => {
    const flat = syntheticSample(4);
    const points = new Float32Array(204);
    for (let i = 0; i < 68; i++)
      points.set([flat.landmarks.points[2 * i], flat.landmarks.points[2 * i + 1], (i % 7) - 3], 3 * i);
    const sample: Sample<3> = { ...flat, landmarks: { points, dims: 3 } };
    const augmentation = { ...NO_AUGMENTATION, rotation: 33, shiftX: 0.04 };
    const turned = cropSample(sample, { size: 16, augmentation });
    const plain = cropSample(sample, { size: 16 });
    for (let i = 0; i < 68; i++)
      expect(turned.landmarks.points[3 * i + 2]).toBeCloseTo(plain.landmarks.points[3 * i + 2], 6);
    const back = fromUnit(turned.landmarks, cropOf(sample.box, { size: 16, augmentation }));
    for (let i = 0; i < 68; i++) expect(back.points[3 * i]).toBeCloseTo(points[3 * i], 2);
  });

  it('multiplies bytes with rounding and clamping', () => {
    const pixels = Uint8Array.of(10, 100, 200, 0, 255, 255);
    applyGains(pixels, [1.25, 0.7, 1.3]);
    expect(Array.from(pixels)).toEqual([12, 70, 255, 0, 178, 255]);
  });
});

function partner(index: number): number {
  const pair = IBUG_68.mirrorPairs.find((pair) => pair.includes(index));
  return pair ? pair[0] + pair[1] - index : index;
}
