import { type Random, withDefaults } from '@voxface/landmarks';

/** One drawn augmentation: plain JSON, so that a crop can be made again exactly. */
export interface Augmentation {
  /** In-plane rotation of the face, degrees, clockwise on screen. z stays as it is. */
  readonly rotation: number;
  /** Size of the face in the crop relative to the unaugmented crop: 1.3 shows it 1.3 times as large. */
  readonly scale: number;
  /** Shift of the face in the crop, crop sides, right-positive. */
  readonly shiftX: number;
  /** Shift of the face in the crop, crop sides, down-positive. */
  readonly shiftY: number;
  readonly mirrored: boolean;
  /** Factors of the red, green and blue bytes; results are rounded and clamped to 0..255. */
  readonly gains: readonly [number, number, number];
  /** A part of the crop that hides under pixels of the crop's own; none when left out. */
  readonly cover?: Cover;
  /** Where the picture ends within the crop: what lies beyond is black. Nowhere when left out. */
  readonly edge?: Edge;
  /** Noise of the sensor; none when left out. */
  readonly noise?: Noise;
}

/** A rectangle of the crop and where its pixels come from, crop sides; what lies beyond an edge enters at the opposite one. */
export interface Cover {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The source of a pixel lies so far to its right. */
  readonly fromX: number;
  /** The source of a pixel lies so far below it. */
  readonly fromY: number;
}

/** A straight line across the crop. */
export interface Edge {
  /** Direction from the crop's middle to the line, degrees: 0 is right, 90 is down. */
  readonly angle: number;
  /** Distance of the line from the crop's middle, crop sides. */
  readonly distance: number;
}

/** Normal noise of every byte, after light and gains. */
export interface Noise {
  /** Standard deviation, levels of 0..255. */
  readonly deviation: number;
  readonly seed: number;
}

export interface AugmentationOptions {
  /** Rotation is uniform in +-rotation, degrees. @default 40 */
  rotation?: number;
  /**
   * Probability that the rotation is uniform in -180..180 degrees instead, so that a first pass knows heads at any angle.
   * @default 0
   */
  spin?: number;
  /** Scale is uniform in [low, high]. @default [0.7, 1.3] */
  scale?: readonly [number, number];
  /** Each colour gain is uniform in [1 - gain, 1 + gain]. @default 0.3 */
  gain?: number;
  /** Probability of little light: one factor more for all three gains, log-uniform in [0.1, 1]. @default 0 */
  dark?: number;
  /** Probability that a rectangle with sides of 0.15 to 0.45 crop sides hides under another part of the crop. @default 0 */
  cover?: number;
  /**
   * Probability that the picture ends 0.15 to 0.45 crop sides right of, below, left of or above the crop's middle, along its own axes.
   * @default 0
   */
  edge?: number;
  /** Probability of noise with a standard deviation of 0 to 12 levels, every byte on its own. @default 0 */
  noise?: number;
  /** Probability of mirroring. @default 0.5 */
  mirror?: number;
  /** Each shift is uniform in +-shift, crop sides. @default 0.05 */
  shift?: number;
}

/** Sec. IV-A of the paper: +-40 degrees, 0.7 to 1.3, +-30 % per channel, flip. The rest is ours. */
export const AUGMENTATION_DEFAULTS: Required<AugmentationOptions> = {
  rotation: 40,
  spin: 0,
  scale: [0.7, 1.3],
  gain: 0.3,
  dark: 0,
  cover: 0,
  edge: 0,
  noise: 0,
  mirror: 0.5,
  shift: 0.05,
};

/** The least factor of `dark`; the sides of `cover` and the distances of `edge` in crop sides; the most levels of `noise`. */
const DARKEST = 0.1;
const COVER_SIDES = [0.15, 0.45] as const;
const EDGE_DISTANCES = [0.15, 0.45] as const;
const NOISIEST = 12;

/** The augmentation that changes nothing. */
export const NO_AUGMENTATION: Augmentation = {
  rotation: 0,
  scale: 1,
  shiftX: 0,
  shiftY: 0,
  mirrored: false,
  gains: [1, 1, 1],
};

/**
 * Draws one augmentation. Always consumes the same number of random numbers, whatever the options.
 * @throws RangeError when a range is negative, reversed or leaves nothing of the face.
 * @example
 * ```js
 * import { drawAugmentation } from '@voxface/datasets';
 * import { createRandom } from '@voxface/landmarks';
 *
 * const { rotation } = drawAugmentation(createRandom(0), { rotation: 10, mirror: 0 });
 * console.log(Math.abs(rotation) <= 10); // => true
 * ```
 */
export function drawAugmentation(random: Random, options: AugmentationOptions = {}): Augmentation {
  const { rotation, spin, scale, gain, dark, cover, edge, noise, mirror, shift } = withDefaults(
    AUGMENTATION_DEFAULTS,
    options,
  );
  if (!(scale[0] > 0 && scale[1] >= scale[0])) {
    throw new RangeError(`drawAugmentation: scale must be [low, high] with 0 < low <= high, got [${scale}]`);
  }
  const isShare = (value: number): boolean => value >= 0 && value <= 1;
  if (!(rotation >= 0 && shift >= 0 && [gain, dark, cover, edge, noise, mirror, spin].every(isShare))) {
    throw new RangeError(
      `drawAugmentation: rotation and shift must be >= 0, gain, dark, cover, edge, noise, mirror and spin in 0..1, got ${JSON.stringify({ rotation, shift, gain, dark, cover, edge, noise, mirror, spin })}`,
    );
  }
  const drawn = {
    rotation: random.uniform(-rotation, rotation),
    scale: random.uniform(scale[0], scale[1]),
    shiftX: random.uniform(-shift, shift),
    shiftY: random.uniform(-shift, shift),
    mirrored: random.next() < mirror,
  };
  const drawGain = (): number => random.uniform(1 - gain, 1 + gain);
  const gains = [drawGain(), drawGain(), drawGain()];
  const isSpun = random.next() < spin;
  const turn = random.uniform(-180, 180);
  const light = (random.next() < dark ? DARKEST : 1) ** random.next();
  const isCovered = random.next() < cover;
  const covered = drawCover(random);
  const isCut = random.next() < edge;
  const [side, distance] = [Math.floor(4 * random.next()), random.uniform(...EDGE_DISTANCES)];
  const isNoisy = random.next() < noise;
  const grain = { deviation: NOISIEST * random.next(), seed: Math.floor(2 ** 32 * random.next()) };
  const turned = isSpun ? turn : drawn.rotation;
  return {
    ...drawn,
    rotation: turned,
    gains: gains.map((value) => value * light) as [number, number, number],
    ...(isCovered && { cover: covered }),
    // The picture's axes turn with its content; mirroring comes after turning.
    ...(isCut && { edge: { angle: 90 * side + (drawn.mirrored ? -turned : turned), distance } }),
    ...(isNoisy && { noise: grain }),
  };
}

/** Centre within the middle 80 % of the crop, source anywhere. */
function drawCover(random: Random): Cover {
  const [width, height] = [random.uniform(...COVER_SIDES), random.uniform(...COVER_SIDES)];
  const [x, y] = [random.uniform(0.1, 0.9) - width / 2, random.uniform(0.1, 0.9) - height / 2];
  return { x, y, width, height, fromX: random.next(), fromY: random.next() };
}
