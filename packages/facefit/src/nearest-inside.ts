/**
 * For every cell of a square grid the index of the nearest cell that is inside (itself when inside), by two sweeps of
 * nearest-neighbour propagation (Danielsson's 8SED); near-exact, which is all that a smooth extension needs.
 * @param inside [size, size], non-zero inside.
 * @returns [size, size] cell indices, -1 when nothing is inside.
 */
export function nearestInside(inside: ArrayLike<number>, size: number): Int32Array {
  const nearest = new Int32Array(size * size);
  for (let at = 0; at < nearest.length; at++) nearest[at] = inside[at] ? at : -1;
  const distance = (at: number, x: number, y: number): number => {
    if (at < 0) return 1e9;
    const row = (at / size) | 0;
    const dx = at - row * size - x;
    const dy = row - y;
    return dx * dx + dy * dy;
  };
  const relax = (x: number, y: number, dx: number, dy: number): void => {
    const at = y * size + x;
    if (nearest[at] === at) return;
    const fromX = x + dx;
    const fromY = y + dy;
    if (fromX < 0 || fromY < 0 || fromX >= size || fromY >= size) return;
    const candidate = nearest[fromY * size + fromX];
    if (distance(candidate, x, y) < distance(nearest[at], x, y)) nearest[at] = candidate;
  };
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      relax(x, y, -1, 0);
      relax(x, y, 0, -1);
      relax(x, y, -1, -1);
      relax(x, y, 1, -1);
    }
    for (let x = size - 1; x >= 0; x--) relax(x, y, 1, 0);
  }
  for (let y = size - 1; y >= 0; y--) {
    for (let x = size - 1; x >= 0; x--) {
      relax(x, y, 1, 0);
      relax(x, y, 0, 1);
      relax(x, y, 1, 1);
      relax(x, y, -1, 1);
    }
    for (let x = 0; x < size; x++) relax(x, y, -1, 0);
  }
  return nearest;
}
