import {
  type ConfidenceCalibration,
  describeReading,
  type LogisticModel,
  logitOf,
  type VolumeReading,
} from './confidence.ts';

/** A crop whose truth is known: of a face, or of anything else. */
export interface ConfidenceSample {
  readonly reading: VolumeReading;
  /** Whether it is a face with a mean 3D error below 10 % of its box. */
  readonly isGood: boolean;
  /** Whether each landmark's error is below 5 % of the box; null where the truth is not known. [n] */
  readonly accurate: readonly (boolean | null)[];
  /** Whether each landmark can be seen; null where nobody said. [n] */
  readonly visible: readonly (boolean | null)[];
}

/**
 * Fits the probabilities of `estimateConfidence` to crops of faces and of other things, by logistic regression. Faces with
 * good and bad landmarks (turned, covered, badly boxed) and crops without a face should be there in the proportions in
 * which the probabilities are to hold; landmarks are judged on faces alone.
 * @throws RangeError when there are fewer than ten good and ten other samples.
 */
export function calibrateConfidence(samples: readonly ConfidenceSample[]): ConfidenceCalibration {
  const good = samples.filter(({ isGood }) => isGood);
  if (good.length < 10 || samples.length - good.length < 10) {
    throw new RangeError(
      `calibrateConfidence: expected ten good and ten other samples or more, got ${good.length} and ${samples.length - good.length}`,
    );
  }
  const reference = {
    colors: meanOf(good.map(({ reading }) => reading.colors)),
    shape: meanOf(good.map(({ reading }) => reading.landmarks.points)),
  };
  const described = samples.map(({ reading }) => describeReading(reading, reference));
  const face = fitLogistic(
    described.map((features) => features.face),
    samples.map(({ isGood }) => isGood),
  );
  const logits = described.map((features) => logitOf(features.face, face));
  const fitEach = (truth: 'accurate' | 'visible'): LogisticModel[] =>
    Array.from({ length: reference.shape.length / 3 }, (_, i) => {
      const known = samples.flatMap((sample, s) => (typeof sample[truth][i] === 'boolean' ? [s] : []));
      return fitLogistic(
        known.map((s) => [...described[s].points[i], logits[s]]),
        known.map((s) => samples[s][truth][i] === true),
        described[0].points[i].length + 1,
      );
    });
  return { version: 1, ...reference, face, accurate: fitEach('accurate'), visible: fitEach('visible') };
}

function meanOf(rows: readonly ArrayLike<number>[]): number[] {
  return Array.from({ length: rows[0].length }, (_, k) =>
    rounded(rows.reduce((sum, row) => sum + row[k], 0) / rows.length),
  );
}

/** Weight of the prior that keeps the weights of standardized features small. */
const RIDGE = 1;
const STEPS = 25;

/** Logistic regression by Newton's method, on standardized features with a ridge; weights are of the features as given. */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  truth: readonly boolean[],
  size: number = rows[0].length,
): LogisticModel {
  const positive = truth.filter(Boolean).length;
  // One side alone says nothing about the features: Laplace's rule.
  if (positive === 0 || positive === truth.length) {
    const odds = (positive + 1) / (truth.length - positive + 1);
    return { bias: rounded(Math.log(odds)), weights: new Array<number>(size).fill(0) };
  }
  const means = Array.from({ length: size }, (_, k) => rows.reduce((s, row) => s + row[k], 0) / rows.length);
  const scales = means.map(
    (mean, k) => Math.sqrt(rows.reduce((s, row) => s + (row[k] - mean) ** 2, 0) / rows.length) || 1,
  );
  const x = rows.map((row) => [1, ...row.map((value, k) => (value - means[k]) / scales[k])]);
  let weights = new Array<number>(size + 1).fill(0);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight, k) => (k === 0 ? 0 : -RIDGE * weight));
    const hessian = weights.map((_, a) => weights.map((__, b) => (a === b ? (a === 0 ? 1e-9 : RIDGE) : 0)));
    for (let r = 0; r < x.length; r++) {
      const p = 1 / (1 + Math.exp(-x[r].reduce((sum, value, k) => sum + value * weights[k], 0)));
      const slope = p * (1 - p);
      for (let a = 0; a <= size; a++) {
        gradient[a] += x[r][a] * ((truth[r] ? 1 : 0) - p);
        for (let b = 0; b <= a; b++) hessian[a][b] += slope * x[r][a] * x[r][b];
      }
    }
    const change = solve(hessian, gradient);
    weights = weights.map((weight, k) => weight + change[k]);
    if (Math.max(...change.map(Math.abs)) < 1e-6) break;
  }
  const raw = scales.map((scale, k) => weights[k + 1] / scale);
  return {
    bias: rounded(weights[0] - raw.reduce((sum, weight, k) => sum + weight * means[k], 0)),
    weights: raw.map(rounded),
  };
}

/** Cholesky's method; the upper half of the matrix is not read. */
function solve(matrix: number[][], right: readonly number[]): number[] {
  const n = right.length;
  const lower = matrix.map((row) => [...row]);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = lower[a][b];
      for (let k = 0; k < b; k++) sum -= lower[a][k] * lower[b][k];
      lower[a][b] = a === b ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[b][b];
    }
  }
  const y = new Array<number>(n);
  for (let a = 0; a < n; a++) {
    let sum = right[a];
    for (let k = 0; k < a; k++) sum -= lower[a][k] * y[k];
    y[a] = sum / lower[a][a];
  }
  for (let a = n - 1; a >= 0; a--) {
    let sum = y[a];
    for (let k = a + 1; k < n; k++) sum -= lower[k][a] * y[k];
    y[a] = sum / lower[a][a];
  }
  return y;
}

/** Six digits are plenty, and keep the file small. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
