/** Hyper-parameters of the control variable mu, Eq. 12. */
export interface BalanceOptions {
  /** gamma: the wanted ratio L_fake / L_real. */
  gamma: number;
  /** lambda_mu: step of mu per unit of loss and training step; losses are sums over voxels in the volume's own unit. */
  rate: number;
}

/** The paper's values (Sec. IV-A). */
export const BALANCE_DEFAULTS: Required<BalanceOptions> = { gamma: 0.7, rate: 0.001 };

/**
 * Eq. 12: mu_(t+1) = mu_t + lambda_mu (gamma L_real - L_fake), clipped to its range [0, 1].
 * The losses are divided by `unit` first, so that one `rate` serves volumes of any amplitude: mean-reduced or
 * peak-1 volumes move mu too slowly or saturate it in one step otherwise.
 * @param unit energy of a true volume in the unit of the losses over its energy in the paper's unit; 1 for density volumes at sigma 1.
 * @throws RangeError when a loss is not finite.
 */
export function nextBalance(
  mu: number,
  real: number,
  fake: number,
  options: Partial<BalanceOptions> = {},
  unit = 1,
): number {
  const gamma = options.gamma ?? BALANCE_DEFAULTS.gamma;
  const rate = options.rate ?? BALANCE_DEFAULTS.rate;
  if (!Number.isFinite(real + fake)) {
    throw new RangeError(
      `nextBalance: losses must be finite, got real ${real}, fake ${fake} (lower the learning rate or clip gradients)`,
    );
  }
  return Math.min(1, Math.max(0, mu + (rate * (gamma * real - fake)) / unit));
}
