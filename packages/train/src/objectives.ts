import { add, mul, neg, type Scalar } from '@tensorflow/tfjs-core';

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
export function jointObjective(volume: Scalar, coordinate: Scalar, weights: LossWeights): Scalar {
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
  weights: LossWeights,
): Scalar {
  return add(jointObjective(volume, coordinate, weights), mul(adversarial, weights.adversarial)) as Scalar;
}
