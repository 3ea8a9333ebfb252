import { chartSvg } from './chart-svg.ts';
import type { ThemeName } from './theme.ts';

/** Errors of one method on one set. */
export interface CedCurve {
  readonly name: string;
  /** One error per image, fractions; Infinity for a face that was missed. */
  readonly errors: ArrayLike<number>;
}

export interface CedOptions {
  /** Largest error shown, a fraction. */
  limit?: number;
  /** Pixels of the plot's inside. */
  width?: number;
  height?: number;
  /** Label of the error axis; ` (%)` is added. */
  label?: string;
  title?: string;
  theme?: ThemeName;
}

export const CED_DEFAULTS: Required<CedOptions> = {
  limit: 0.08,
  width: 460,
  height: 320,
  label: 'normalized mean error',
  title: '',
  theme: 'light',
};

/**
 * Cumulative error distribution: for every error, the share of images that stay at or under it. Exact steps, no
 * bins; the legend gives the mean error of the images that were found.
 * @throws RangeError when there is no curve, a curve has no error, or an error is negative or NaN.
 */
export async function cedSvg(curves: readonly CedCurve[], options: CedOptions = {}): Promise<string> {
  const { limit, width, height, label, title, theme } = { ...CED_DEFAULTS, ...options };
  if (curves.length === 0) throw new RangeError('cedSvg: expected at least one curve, got none');
  if (!(limit > 0)) throw new RangeError(`cedSvg: limit must be positive, got ${limit}`);
  const names = curves.map(legendName);
  const values = curves.flatMap((curve, i) =>
    cedSteps(curve, limit).map(([error, share]) => ({
      error: error * 100,
      share: share * 100,
      curve: names[i],
    })),
  );
  return chartSvg(
    {
      width,
      height,
      ...(title ? { title } : {}),
      data: { values },
      mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, clip: true },
      encoding: {
        x: {
          field: 'error',
          type: 'quantitative',
          title: `${label} (%)`,
          scale: { domain: [0, limit * 100], nice: false },
        },
        y: { field: 'share', type: 'quantitative', title: 'images (%)', scale: { domain: [0, 100] } },
        color: {
          field: 'curve',
          type: 'nominal',
          sort: names,
          title: null,
          legend: { orient: 'bottom', columns: 1 },
        },
      },
    },
    theme,
  );
}

/** [error, share] corners of the step curve from 0 to `limit`. */
function cedSteps(curve: CedCurve, limit: number): [number, number][] {
  const sorted = Float64Array.from(curve.errors).sort();
  const steps: [number, number][] = [[0, 0]];
  sorted.forEach((error, i) => {
    if (error <= limit && error !== sorted[i + 1]) steps.push([error, (i + 1) / sorted.length]);
  });
  steps.push([limit, steps[steps.length - 1][1]]);
  return steps;
}

function legendName(curve: CedCurve): string {
  if (curve.errors.length === 0) {
    throw new RangeError(`cedSvg: expected at least one error, got none in ${curve.name}`);
  }
  let sum = 0;
  let found = 0;
  for (let i = 0; i < curve.errors.length; i++) {
    const error = curve.errors[i];
    if (!(error >= 0))
      throw new RangeError(`cedSvg: errors must not be negative, got ${error} in ${curve.name}`);
    if (Number.isFinite(error)) {
      sum += error;
      found++;
    }
  }
  return found === 0
    ? `${curve.name} (none found)`
    : `${curve.name} (mean ${((100 * sum) / found).toFixed(2)} %)`;
}
