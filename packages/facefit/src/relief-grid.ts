/**
 * Depth of the nearest inside cell, smoothed outside.
 * @param nearest of each cell, the inside cell next to it; -1 where there is none.
 */
export function extendDepth(depth: Float32Array, nearest: Int32Array, side: number): Float32Array {
  let current = Float32Array.from(depth, (_, at) => (nearest[at] < 0 ? 0 : depth[nearest[at]]));
  for (let pass = 0; pass < 12; pass++) {
    const next = Float32Array.from(current);
    for (let y = 1; y < side - 1; y++) {
      for (let x = 1; x < side - 1; x++) {
        const at = y * side + x;
        if (nearest[at] === at) continue;
        next[at] = (current[at - 1] + current[at + 1] + current[at - side] + current[at + side]) / 4;
      }
    }
    current = next;
  }
  return current;
}

/**
 * The grid's triangles, then the skull's, whose points follow the grid's.
 * @param side points per side of the grid.
 */
export function joinTriangles(skull: Uint32Array, side: number): Uint32Array {
  const grid = (side - 1) * (side - 1) * 6;
  const triangles = new Uint32Array(grid + skull.length);
  let at = 0;
  for (let y = 0; y < side - 1; y++) {
    for (let x = 0; x < side - 1; x++) {
      const a = y * side + x;
      triangles[at++] = a;
      triangles[at++] = a + 1;
      triangles[at++] = a + side;
      triangles[at++] = a + 1;
      triangles[at++] = a + side + 1;
      triangles[at++] = a + side;
    }
  }
  for (let i = 0; i < skull.length; i++) triangles[grid + i] = skull[i] + side * side;
  return triangles;
}
