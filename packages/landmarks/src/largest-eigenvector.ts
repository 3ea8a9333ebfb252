const MAX_SWEEPS = 50;

/**
 * Unit eigenvector of the largest eigenvalue of a small symmetric matrix, by cyclic Jacobi rotations (exact to
 * rounding, also for eigenvalues close to each other).
 * @param symmetric [n, n]; not changed.
 */
export function largestEigenvector(symmetric: readonly (readonly number[])[]): number[] {
  const n = symmetric.length;
  const a = symmetric.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)));
  const size = Math.hypot(...a.flat());
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonal(a) > 1e-16 * size; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p][q] !== 0) rotate(a, vectors, p, q);
      }
    }
  }
  let best = 0;
  for (let i = 1; i < n; i++) if (a[i][i] > a[best][best]) best = i;
  return vectors.map((row) => row[best]);
}

function offDiagonal(a: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) for (let j = 0; j < i; j++) sum += a[i][j] * a[i][j];
  return Math.sqrt(sum);
}

/** One Jacobi rotation that clears a[p][q]. */
function rotate(a: number[][], vectors: number[][], p: number, q: number): void {
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cos = 1 / Math.sqrt(t * t + 1);
  const sin = t * cos;
  for (const row of [...a, ...vectors]) {
    const kp = row[p];
    const kq = row[q];
    row[p] = cos * kp - sin * kq;
    row[q] = sin * kp + cos * kq;
  }
  for (let k = 0; k < a.length; k++) {
    const pk = a[p][k];
    const qk = a[q][k];
    a[p][k] = cos * pk - sin * qk;
    a[q][k] = sin * pk + cos * qk;
  }
}
