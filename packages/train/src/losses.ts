import {
  add,
  div,
  mean,
  mul,
  neg,
  reshape,
  type Scalar,
  scalar,
  slice,
  sqrt,
  square,
  squaredDifference,
  sum,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { TrainingBatch } from './batch.ts';

/**
 * How coordinate errors count: `squared` as in Eq. 6 and 8, or `distance`, the sum of the landmarks' Euclidean
 * distances. The latter is what NME measures and does not let a few bad faces rule the gradient; it is not in the paper.
 */
export type CoordinateLossForm = 'squared' | 'distance';

/** A loss and its share per stage: `total` is the sum of `stages`. */
export interface StagedLoss {
  readonly total: Scalar;
  readonly stages: Scalar[];
}

/**
 * Voxel loss of the volume estimator: Eq. 5 on 3D batches, Eq. 7 on 2D batches (the predicted volume is summed
 * over depth and compared with the heatmap of Eq. 3 at every stage). Sum over voxels, mean over the batch.
 * A 2D sample whose landmarks are not all annotated has no complete heatmap and counts as zero.
 * @param predicted one tensor per stage [b, h, w, d_m * c], c fastest.
 * @throws RangeError when the number of stages is not the batch's.
 */
export function volumeLoss(predicted: readonly Tensor4D[], batch: TrainingBatch): StagedLoss {
  const stages =
    batch.kind === '3d'
      ? checkedStages(predicted, batch.stages).map((stage, m) => squaredError(stage, batch.stages[m]))
      : predicted.map((stage) => planeError(stage, batch.heatmap, batch.complete));
  return { total: addScalars(stages), stages };
}

/**
 * Coordinate loss of the regressor: Eq. 6 on 3D batches, Eq. 8 on 2D batches (x and y only, annotated landmarks
 * only). Sum over coordinates in crop units, mean over the batch.
 * @param predicted [b, n, 3] crop unit coordinates.
 */
export function coordinateLoss(
  predicted: Tensor3D,
  batch: TrainingBatch,
  form: CoordinateLossForm = 'squared',
): Scalar {
  const compared = batch.kind === '3d' ? predicted : slice(predicted, [0, 0, 0], [-1, -1, 2]);
  const mask = batch.kind === '3d' ? undefined : batch.mask;
  const squares = squaredDifference(compared, batch.unit);
  const errors = form === 'squared' ? squares : distances(squares);
  return meanOverBatch(mask === undefined ? errors : mul(errors, mask));
}

/** Square roots of the sums over the last axis, kept; smooth within a thousandth of the crop. [b, n, 2 or 3] to [b, n, 1]. */
function distances(squares: Tensor): Tensor {
  return sqrt(add(sum(squares, -1, true), 1e-6));
}

/**
 * Reconstruction error of the discriminator, Eq. 10 (L_real on true volumes, L_fake on predicted ones) and, as a
 * function of the volumes, the adversarial loss of Eq. 13. Sum over voxels and stages, mean over the batch.
 * @param volumes what the discriminator saw, one tensor per stage [b, h, w, d_m * c].
 * @param reconstructed what it returned, same shapes.
 * @throws RangeError when the number of stages differs.
 */
export function reconstructionLoss(
  volumes: readonly Tensor4D[],
  reconstructed: readonly Tensor4D[],
): StagedLoss {
  const stages = checkedStages(volumes, reconstructed).map((stage, m) =>
    squaredError(stage, reconstructed[m]),
  );
  return { total: addScalars(stages), stages };
}

/** How L_real, L_fake and L_adv count. */
export interface AdversaryOptions {
  /**
   * `literal`: Eq. 10 and 13, squared errors summed over voxels. `relative`, which is not in the paper: each image's
   * squared error of a stage over the energy of the volume that is reconstructed. A volume that shrinks does not lower
   * it, where the literal L_adv falls with the square of the volume's scale, and that is most of its gradient on G.
   */
  form: 'literal' | 'relative';
  /**
   * Of the relative form: norm of L_adv's gradient with respect to the predicted volumes over that of L_vox + lambda_coord
   * L_coord. It takes the place of lambda_adv, which fits one unit of L_adv and one size of volumes.
   */
  share: number;
}

export const ADVERSARY_DEFAULTS: AdversaryOptions = { form: 'literal', share: 0.05 };

/**
 * L_real, L_fake or L_adv in the chosen form. In the relative one every stage of an image counts its squared error over
 * its own energy, 1 where D returns nothing; sum over stages, mean over the batch, so that it lies in 0..M for a D that
 * has learned anything.
 * @param volumes what the discriminator saw [b, h, w, d_m * c]. @param reconstructed what it returned, same shapes.
 */
export function adversaryEnergy(
  volumes: readonly Tensor4D[],
  reconstructed: readonly Tensor4D[],
  form: AdversaryOptions['form'],
): Scalar {
  if (form === 'literal') return reconstructionLoss(volumes, reconstructed).total;
  return addScalars(
    checkedStages(volumes, reconstructed).map((stage, m) => {
      const error = sum(squaredDifference(stage, reconstructed[m]), [1, 2, 3]);
      return mean(div(error, add(sum(square(stage), [1, 2, 3]), 1e-6))) as Scalar;
    }),
  );
}

/** Sum of scalars; zero for an empty list. */
export function addScalars(values: readonly Scalar[]): Scalar {
  return tidy(() => values.reduce((total, value) => add(total, value) as Scalar, scalar(0)));
}

function squaredError(a: Tensor, b: Tensor): Scalar {
  return meanOverBatch(squaredDifference(a, b));
}

/** Eq. 4 on the prediction, then the squared distance to the heatmap. */
function planeError(stage: Tensor4D, heatmap: Tensor4D, complete: Tensor4D | undefined): Scalar {
  const [b, h, w, depthChannels] = stage.shape;
  const channels = heatmap.shape[3];
  const depth = depthChannels / channels;
  const plane = depth === 1 ? stage : sum(reshape(stage, [b, h, w, depth, channels]), 3);
  const error = squaredDifference(plane, heatmap);
  return meanOverBatch(complete === undefined ? error : mul(error, complete));
}

function meanOverBatch(squares: Tensor): Scalar {
  return mul(sum(squares), 1 / squares.shape[0]) as Scalar;
}

function checkedStages<T>(predicted: readonly T[], target: readonly unknown[]): readonly T[] {
  if (predicted.length !== target.length) {
    throw new RangeError(
      `volumeLoss: expected one volume per stage (${target.length}), got ${predicted.length} (the encoder's depths must be the model's)`,
    );
  }
  return predicted;
}

/** Weights of the loss terms. */
export interface LossWeights {
  /** lambda_coord of Eq. 9 and Eq. 14. */
  coordinate: number;
  /** lambda_aux of Eq. 11. */
  auxiliary: number;
  /** lambda_adv of Eq. 14. */
  adversarial: number;
}

/** The paper's values (Sec. IV-A); they presume losses summed over voxels and coordinates in crop units. */
export const LOSS_WEIGHTS: Required<LossWeights> = { coordinate: 1, auxiliary: 0.1, adversarial: 0.001 };

/** Eq. 9: L = L_vox + lambda_coord L_coord. */
export function jointObjective(
  volume: Scalar,
  coordinate: Scalar,
  weights: Pick<LossWeights, 'coordinate'>,
): Scalar {
  return add(volume, mul(coordinate, weights.coordinate)) as Scalar;
}

/**
 * Eq. 11: L_D = L_real + lambda_aux L_coord(s|V) + (-mu L_fake + lambda_aux L_coord(s|V^)). Each term is the mean
 * over its own images (3D images for the first two, all images for the last two).
 */
export function discriminatorObjective(
  terms: { real: Scalar; fake: Scalar; trueCoordinate?: Scalar; coordinate?: Scalar },
  mu: number | Scalar,
  weights: LossWeights,
): Scalar {
  let total = add(terms.real, neg(mul(terms.fake, mu)));
  for (const term of [terms.trueCoordinate, terms.coordinate]) {
    if (term !== undefined) total = add(total, mul(term, weights.auxiliary));
  }
  return total as Scalar;
}

/** Eq. 14: L_G = L_vox + lambda_coord L_coord(s|V^) + lambda_adv L_adv. */
export function generatorObjective(
  volume: Scalar,
  coordinate: Scalar,
  adversarial: Scalar,
  weights: { coordinate: number; adversarial: number | Scalar },
): Scalar {
  return add(jointObjective(volume, coordinate, weights), mul(adversarial, weights.adversarial)) as Scalar;
}
