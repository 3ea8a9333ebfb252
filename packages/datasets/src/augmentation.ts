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
  /** Probability of mirroring. @default 0.5 */
  mirror?: number;
  /** Each shift is uniform in +-shift, crop sides. @default 0.05 */
  shift?: number;
}

/** Sec. IV-A of the paper: +-40 degrees, 0.7 to 1.3, +-30 % per channel, flip. Shift and spin are ours. */
export const AUGMENTATION_DEFAULTS: Required<AugmentationOptions> = {
  rotation: 40,
  spin: 0,
  scale: [0.7, 1.3],
  gain: 0.3,
  mirror: 0.5,
  shift: 0.05,
};

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
  const { rotation, spin, scale, gain, mirror, shift } = withDefaults(AUGMENTATION_DEFAULTS, options);
  if (!(scale[0] > 0 && scale[1] >= scale[0])) {
    throw new RangeError(`drawAugmentation: scale must be [low, high] with 0 < low <= high, got [${scale}]`);
  }
  const isShare = (value: number): boolean => value >= 0 && value <= 1;
  if (!(rotation >= 0 && shift >= 0 && [gain, mirror, spin].every(isShare))) {
    throw new RangeError(
      `drawAugmentation: rotation and shift must be >= 0, gain, mirror and spin in 0..1, got ${JSON.stringify({ rotation, shift, gain, mirror, spin })}`,
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
  const gains: [number, number, number] = [drawGain(), drawGain(), drawGain()];
  const isSpun = random.next() < spin;
  const turn = random.uniform(-180, 180);
  return { ...drawn, gains, ...(isSpun && { rotation: turn }) };
}
