import { boxOf, countLandmarks, fitSimilarity, type Landmarks } from '@voxface/landmarks';

/** [height, width, depth, channels] of a volume, channels fastest. */
export type VolumeSize = readonly [height: number, width: number, depth: number, channels: number];

/** P = 1 / (1 + exp(-(bias + weights . features))). */
export interface LogisticModel {
  readonly bias: number;
  readonly weights: readonly number[];
}

/** What turns a volume and the landmarks found in it into probabilities; made by `calibrateConfidence`, kept with the weights. */
export interface ConfidenceCalibration {
  readonly version: 1;
  /** Mean colour of each landmark in the volumes of good faces, [n, c]. */
  readonly colors: readonly number[];
  /** Mean face in crop unit space, [n, 3]. */
  readonly shape: readonly number[];
  /** It is a face, and its mean error is below a tenth of its box. */
  readonly face: LogisticModel;
  /** Per landmark: its error in the picture is below a twentieth of the box. */
  readonly accurate: readonly LogisticModel[];
  /** Per landmark: nothing hides it, neither the head itself nor anything before it. */
  readonly visible: readonly LogisticModel[];
}

/** Probabilities, 0 to 1. */
export interface Confidence {
  /** It is a face, and its mean 3D error is below 10 % of its box (square root of width x height). */
  readonly confidence: number;
  /** Per landmark: its error in the picture is below 5 % of the box. [n] */
  readonly landmarkConfidence: Float32Array;
  /** Per landmark: nothing hides it. [n] */
  readonly visibility: Float32Array;
}

/** What was read off a volume at its landmarks, before any calibration. */
export interface VolumeReading {
  /** [n, 3] in crop unit space. */
  readonly landmarks: Landmarks<3>;
  /** Largest voxel (sum of the colours) within one voxel of each landmark, [n]. */
  readonly peaks: Float64Array;
  /** Share of the voxels within two voxels of a landmark that lies within one, [n]. */
  readonly sharpness: Float64Array;
  /** Colour of that largest voxel, [n, c]. */
  readonly colors: Float64Array;
  /** Share of the volume's energy within two voxels of a landmark: what the landmarks explain of it. */
  readonly explained: number;
  /** Sum of all voxels. */
  readonly mass: number;
}

/**
 * Probabilities of a face and of its landmarks, from the last volume that the estimator drew and the landmarks that the
 * regressor read off it. Where both agree, blobs of the right colours sit at the landmarks and nothing is left over.
 * @param volume [h, w, d, c]. @param landmarks [n, 3] in crop unit space.
 * @throws RangeError when the calibration was made for another number of landmarks or colours.
 */
export function estimateConfidence(
  volume: Float32Array,
  size: VolumeSize,
  landmarks: Landmarks<3>,
  calibration: ConfidenceCalibration,
): Confidence {
  const n = countLandmarks(landmarks);
  if (calibration.shape.length !== 3 * n || calibration.colors.length !== n * size[3]) {
    throw new RangeError(
      `estimateConfidence: the calibration must be for ${n} landmarks and ${size[3]} colours, got ${calibration.shape.length / 3} landmarks (calibrate this model)`,
    );
  }
  return judgeReading(readVolume(volume, size, landmarks), calibration);
}

/** The same from what was read off a volume before. */
export function judgeReading(reading: VolumeReading, calibration: ConfidenceCalibration): Confidence {
  const { face, points } = describeReading(reading, calibration);
  const logit = logitOf(face, calibration.face);
  for (const features of points) features.push(logit);
  const each = (models: readonly LogisticModel[]): Float32Array =>
    Float32Array.from(points, (features, i) => sigmoid(logitOf(features, models[i])));
  return {
    confidence: sigmoid(logit),
    landmarkConfidence: each(calibration.accurate),
    visibility: each(calibration.visible),
  };
}

/**
 * Reads peaks, colours and energies off a volume, in short loops: the first faces of a process are read before the engine has
 * compiled anything, and a long function is compiled again for every branch that it had not met.
 */
export function readVolume(volume: Float32Array, size: VolumeSize, landmarks: Landmarks<3>): VolumeReading {
  const [height, width, depth, channels] = size;
  const n = countLandmarks(landmarks);
  const peaks = new Float64Array(n);
  const sharpness = new Float64Array(n);
  const colors = new Float64Array(n * channels);
  const isNear = new Uint8Array(height * width * depth);
  const clamp = (value: number, limit: number): number => Math.min(limit - 1, Math.max(0, Math.round(value)));
  let near = 0;
  for (let i = 0; i < n; i++) {
    const x = clamp(landmarks.points[3 * i] * width - 0.5, width);
    const y = clamp(landmarks.points[3 * i + 1] * height - 0.5, height);
    const z = clamp((landmarks.points[3 * i + 2] + 0.5) * depth - 0.5, depth);
    const { inner, outer, peak, peakAt, energy } = readBlock(volume, size, x, y, z, isNear);
    peaks[i] = peak;
    sharpness[i] = outer > 0 ? inner / outer : 0;
    colors.set(volume.subarray(peakAt * channels, (peakAt + 1) * channels), i * channels);
    near += energy;
  }
  const { energy, mass } = sumVoxels(volume);
  return { landmarks, peaks, sharpness, colors, explained: energy > 0 ? near / energy : 0, mass };
}

/**
 * The voxels within two of [x, y, z]: sums of their colours in all of them and in those within one, the largest of the latter, and the
 * energy of those that no block before held; marks them in `isNear`.
 */
function readBlock(
  volume: Float32Array,
  [height, width, depth, channels]: VolumeSize,
  x: number,
  y: number,
  z: number,
  isNear: Uint8Array,
): { inner: number; outer: number; peak: number; peakAt: number; energy: number } {
  let [inner, outer, peak, peakAt, energy] = [0, 0, -1, 0, 0];
  const [first, last] = [Math.max(0, z - 2), Math.min(depth - 1, z + 2)];
  for (let v = Math.max(0, y - 2); v <= Math.min(height - 1, y + 2); v++) {
    for (let u = Math.max(0, x - 2); u <= Math.min(width - 1, x + 2); u++) {
      const isInner = Math.abs(v - y) <= 1 && Math.abs(u - x) <= 1;
      for (let w = first; w <= last; w++) {
        const voxel = (v * width + u) * depth + w;
        let sum = 0;
        let own = 0;
        for (let at = voxel * channels; at < (voxel + 1) * channels; at++) {
          const value = volume[at];
          sum += value;
          own += value * value;
        }
        if (sum < 0) sum = 0;
        outer += sum;
        energy += isNear[voxel] ? 0 : own;
        isNear[voxel] = 1;
        if (!isInner || w < z - 1 || w > z + 1) continue;
        inner += sum;
        if (!(sum > peak)) continue;
        peak = sum;
        peakAt = voxel;
      }
    }
  }
  return { inner, outer, peak, peakAt, energy };
}

/** Sum of all values and of their squares. */
function sumVoxels(volume: Float32Array): { energy: number; mass: number } {
  let energy = 0;
  let mass = 0;
  for (let at = 0; at < volume.length; at++) {
    const value = volume[at];
    mass += value;
    energy += value * value;
  }
  return { energy, mass };
}

/** Peaks of volumes are densities of about 0.1; logarithms stop here. */
const FLOOR = 1e-4;

/** Features of a face, and of each of its landmarks. */
export function describeReading(
  reading: VolumeReading,
  { colors, shape }: Pick<ConfidenceCalibration, 'colors' | 'shape'>,
): { face: number[]; points: number[][] } {
  const { landmarks, peaks, sharpness, explained, mass } = reading;
  const n = peaks.length;
  const channels = colors.length / n;
  const { residual, facing } = compareShape(landmarks, { points: Float32Array.from(shape), dims: 3 });
  const logPeaks = Array.from(peaks, (peak) => Math.log(Math.max(FLOOR, peak)));
  const matches = Array.from({ length: n }, (_, i) => cosine(reading.colors, colors, i * channels, channels));
  const box = boxOf(landmarks);
  const side = Math.log(Math.max(1e-3, box.width, box.height));
  const offset = Math.hypot(box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5);
  const face = [
    mean(logPeaks),
    lowest(logPeaks),
    mean(matches),
    lowest(matches),
    mean(Array.from(sharpness)),
    explained,
    Math.log(Math.max(FLOOR, mass)),
    Math.log(Math.max(1e-3, residual)),
    side,
    offset,
  ];
  return {
    face: [...face, ...face.map((value) => value * value)],
    points: logPeaks.map((peak, i) => [peak, sharpness[i], matches[i], facing[i]]),
  };
}

export function logitOf(features: readonly number[], { bias, weights }: LogisticModel): number {
  let sum = bias;
  for (let k = 0; k < features.length; k++) sum += features[k] * weights[k];
  return sum;
}

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** How far the landmarks are from the mean face (root mean square, mean faces), and how far each faces the camera, -1 to 1. */
function compareShape(
  landmarks: Landmarks<3>,
  shape: Landmarks<3>,
): { residual: number; facing: Float64Array } {
  const n = countLandmarks(shape);
  const facing = new Float64Array(n);
  if (!landmarks.points.every(Number.isFinite)) return { residual: 1, facing };
  const { scale, rotation, translation } = fitSimilarity(shape, landmarks);
  // The head's middle lies half a face behind the mean of its landmarks.
  const box = boxOf(shape);
  const [middleX, middleY, behind] = [box.x + box.width / 2, box.y + box.height / 2, 0.5 * box.width];
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const px = shape.points[3 * i];
    const py = shape.points[3 * i + 1];
    const pz = shape.points[3 * i + 2];
    for (let r = 0; r < 3; r++) {
      const turned = rotation[3 * r] * px + rotation[3 * r + 1] * py + rotation[3 * r + 2] * pz;
      squares += (scale * turned + translation[r] - landmarks.points[3 * i + r]) ** 2;
    }
    const x = px - middleX;
    const y = py - middleY;
    const z = pz - behind;
    facing[i] = -(rotation[6] * x + rotation[7] * y + rotation[8] * z) / (Math.hypot(x, y, z) || 1);
  }
  return { residual: Math.sqrt(squares / n) / (scale || 1), facing };
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>, start: number, length: number): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let k = start; k < start + length; k++) {
    ab += a[k] * b[k];
    aa += a[k] * a[k];
    bb += b[k] * b[k];
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean of the lowest tenth. */
function lowest(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return mean(sorted.slice(0, Math.max(1, Math.round(values.length / 10))));
}
