import type { FitBasis } from './fit-basis.ts';
import type { FitState, Pull } from './fit-state.ts';

/** What jaw landmarks mark, see `FitFaceOptions.jaw`. */
export type JawLine = 'contour' | 'vertices' | 'ignore';

/**
 * One pull per landmark that takes part, toward its target; those of the jaw along the normal of the annotated line,
 * outward.
 * @param targets [68, 2] normalised image units.
 * @param given [68] whether the landmark was annotated; the others pull at nothing.
 */
export function createPulls(
  basis: FitBasis,
  targets: Float64Array,
  given: readonly boolean[],
  jaw: JawLine,
): Pull[] {
  let [innerX, innerY, inner] = [0, 0, 0];
  for (let i = 17; i < 68; i++) {
    if (!given[i]) continue;
    innerX += targets[2 * i];
    innerY += targets[2 * i + 1];
    inner++;
  }
  innerX /= inner;
  innerY /= inner;
  const pulls: Pull[] = [];
  for (let i = jaw === 'ignore' ? 17 : 0; i < 68; i++) {
    if (!given[i]) continue;
    const [targetX, targetY] = [targets[2 * i], targets[2 * i + 1]];
    let [normalX, normalY] = [1, 0];
    if (i < 17) {
      const before = i > 0 && given[i - 1] ? i - 1 : i;
      const after = i < 16 && given[i + 1] ? i + 1 : i;
      const tangentX = targets[2 * after] - targets[2 * before];
      const tangentY = targets[2 * after + 1] - targets[2 * before + 1];
      const length = Math.hypot(tangentX, tangentY) || 1;
      normalX = tangentY / length;
      normalY = -tangentX / length;
      if (normalX * (targetX - innerX) + normalY * (targetY - innerY) < 0) {
        normalX = -normalX;
        normalY = -normalY;
      }
    }
    pulls.push({
      landmark: i,
      row: basis.landmarkRows[i],
      targetX,
      targetY,
      normalX,
      normalY,
      normalWeight: 0,
      tangentWeight: 0,
    });
  }
  return pulls;
}

/** Gives each jaw pull the vertex of its path that lies farthest out along the pull's normal. */
export function slideContour(
  basis: FitBasis,
  state: FitState,
  shape: Float64Array,
  pulls: readonly Pull[],
): void {
  const { rotation: r } = state;
  for (const pull of pulls) {
    if (pull.landmark >= 17) continue;
    const ax = pull.normalX * r[0] + pull.normalY * r[3];
    const ay = pull.normalX * r[1] + pull.normalY * r[4];
    const az = pull.normalX * r[2] + pull.normalY * r[5];
    let farthest = -Infinity;
    for (const row of basis.pathRows[pull.landmark]) {
      const out = ax * shape[3 * row] + ay * shape[3 * row + 1] + az * shape[3 * row + 2];
      if (out > farthest) {
        farthest = out;
        pull.row = row;
      }
    }
  }
}

/** Weighs both error axes of every pull by their tolerances, less where the error is large (Geman-McClure). */
export function weighPulls(
  state: FitState,
  shape: Float64Array,
  pulls: readonly Pull[],
  tolerances: { jaw: JawLine; noise: number; jawNoise: readonly [number, number] },
  outlier: number,
): void {
  const { jaw, noise, jawNoise } = tolerances;
  for (const pull of pulls) {
    const isJaw = pull.landmark < 17;
    const across = isJaw ? jawNoise[0] : noise;
    const along = isJaw ? (jaw === 'contour' ? jawNoise[1] : jawNoise[0]) : noise;
    const [errorX, errorY] = errorOf(state, shape, pull);
    const a = (errorX * pull.normalX + errorY * pull.normalY) / across;
    const b = (-errorX * pull.normalY + errorY * pull.normalX) / along;
    const trust = 1 / (1 + (a * a + b * b) / (outlier * outlier));
    pull.normalWeight = trust / across;
    pull.tangentWeight = trust / along;
  }
}

/** From the projected vertex to the target, normalised image units. */
export function errorOf(state: FitState, shape: Float64Array, pull: Pull): [number, number] {
  const { rotation: r, scale: s, translation: t } = state;
  const at = 3 * pull.row;
  const [x, y, z] = [shape[at], shape[at + 1], shape[at + 2]];
  return [
    pull.targetX - s * (r[0] * x + r[1] * y + r[2] * z) - t[0],
    pull.targetY - s * (r[3] * x + r[4] * y + r[5] * z) - t[1],
  ];
}
