/** Squarings: an eigenvalue that is a millionth smaller than the largest fades in 36 of them. */
const SQUARINGS = 40;

/**
 * Unit eigenvector of the largest eigenvalue of a small symmetric matrix: the matrix, shifted so that no eigenvalue is
 * negative, is squared until only the wanted direction is left. Of several equal largest eigenvalues any one serves.
 * @param symmetric [n, n] row-major; not changed.
 */
export function largestEigenvector(symmetric: readonly number[]): number[] {
  const n = Math.sqrt(symmetric.length);
  const size = Math.hypot(...symmetric) || 1;
  let a = symmetric.map((value, i) => value / size + (i % (n + 1) === 0 ? 1 : 0));
  for (let step = 0; step < SQUARINGS; step++) {
    const squared = a.map((_, at) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[at - (at % n) + k] * a[k * n + (at % n)];
      return sum;
    });
    const most = Math.max(...squared);
    a = squared.map((value) => value / most);
  }
  // Every column is a multiple of the eigenvector; the one with the largest entry on the diagonal is the longest.
  let best = 0;
  for (let i = 1; i < n; i++) if (a[i * n + i] > a[best * n + best]) best = i;
  const column = a.filter((_, at) => at % n === best);
  const length = Math.hypot(...column);
  return column.map((value) => value / length);
}
