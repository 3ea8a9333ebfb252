import { boxOf } from './box.ts';
import { checkLandmarks, type Landmarks } from './landmarks.ts';

export interface SmootherOptions {
  /** Cutoff frequency of a face at rest, Hz: lower is calmer. @default 1 */
  minCutoff?: number;
  /** Hz added per speed of one face size per second: higher lags less. @default 10 */
  beta?: number;
  /** Cutoff frequency of the speed itself, Hz. @default 1 */
  derivativeCutoff?: number;
}

/** Calm at rest, under a frame of lag in motion; see the tests for figures. */
export const SMOOTHER_DEFAULTS: Required<SmootherOptions> = { minCutoff: 1, beta: 10, derivativeCutoff: 1 };

/** Takes the landmarks of one face frame by frame. */
export interface LandmarkSmoother {
  /**
   * @param shape [n, D] of this frame, any unit.
   * @param seconds time of the frame; must grow from frame to frame.
   * @returns the smoothed landmarks; the first frame is returned as it is.
   */
  smooth<D extends 2 | 3>(shape: Landmarks<D>, seconds: number): Landmarks<D>;
  /** Forgets the past: call it when another face appears or the track was lost. */
  reset(): void;
}

interface Past {
  seconds: number;
  points: Float64Array;
  speeds: Float64Array;
}

/**
 * The One-Euro filter (Casiez, Roussel, Vogel, CHI 2012) on every coordinate. Speeds are measured in face sizes
 * (longer side of the landmark box) per second, so that the options hold at every picture size.
 * @example
 * ```js
 * import { createLandmarkSmoother, MEAN_FACE_68 } from '@voxface/landmarks';
 *
 * const smoother = createLandmarkSmoother({ minCutoff: 0.5 });
 * for (const seconds of [0, 1 / 30, 2 / 30]) {
 *   const smooth = smoother.smooth(MEAN_FACE_68, seconds);
 *   console.log(smooth.points.length); // => 204
 * }
 * ```
 */
export function createLandmarkSmoother(options: SmootherOptions = {}): LandmarkSmoother {
  const minCutoff = options.minCutoff ?? SMOOTHER_DEFAULTS.minCutoff;
  const beta = options.beta ?? SMOOTHER_DEFAULTS.beta;
  const derivativeCutoff = options.derivativeCutoff ?? SMOOTHER_DEFAULTS.derivativeCutoff;
  let past: Past | undefined;
  return {
    smooth<D extends 2 | 3>(shape: Landmarks<D>, seconds: number): Landmarks<D> {
      checkLandmarks(shape, 'LandmarkSmoother.smooth');
      if (past && past.points.length !== shape.points.length) {
        throw new RangeError(
          `LandmarkSmoother.smooth: expected ${past.points.length} coordinates as before, got ${shape.points.length} (reset for another face)`,
        );
      }
      const elapsed = past ? seconds - past.seconds : 1;
      if (!(elapsed > 0 && Number.isFinite(elapsed))) {
        throw new RangeError(
          `LandmarkSmoother.smooth: time must grow, got ${seconds} after ${past?.seconds} seconds (reset to start again)`,
        );
      }
      if (!past) {
        past = {
          seconds,
          points: Float64Array.from(shape.points),
          speeds: new Float64Array(shape.points.length),
        };
        return { points: Float32Array.from(shape.points), dims: shape.dims };
      }
      const box = boxOf(shape);
      const size = Math.max(box.width, box.height) || 1;
      const speedShare = smoothingShare(derivativeCutoff, elapsed);
      for (let i = 0; i < shape.points.length; i++) {
        const speed = (shape.points[i] - past.points[i]) / elapsed;
        past.speeds[i] += speedShare * (speed - past.speeds[i]);
        const cutoff = minCutoff + (beta * Math.abs(past.speeds[i])) / size;
        past.points[i] += smoothingShare(cutoff, elapsed) * (shape.points[i] - past.points[i]);
      }
      past.seconds = seconds;
      return { points: Float32Array.from(past.points), dims: shape.dims };
    },
    reset() {
      past = undefined;
    },
  };
}

/** Share of the new value in a first-order low-pass of `cutoff` Hz after `elapsed` seconds. */
function smoothingShare(cutoff: number, elapsed: number): number {
  const rate = 2 * Math.PI * cutoff * elapsed;
  return rate / (rate + 1);
}
