/** Vertices and faces of a Wavefront `.obj`. */
export interface ObjMesh {
  /** [v, 3]. */
  readonly vertices: Float32Array;
  /** [t, 3], 0-based; polygons are split into fans. */
  readonly triangles: Uint32Array;
}

/**
 * Reads `v` and `f` lines; everything else (texture coordinates, normals, materials) is skipped.
 * @param where what to call the text in errors.
 * @throws Error when a vertex is not three numbers, a face names a vertex that is not there, or there are no vertices.
 */
export function parseObj(text: string, where: string): ObjMesh {
  const vertices: number[] = [];
  const triangles: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('v ')) {
      const point = line.trim().split(/\s+/).slice(1, 4).map(Number);
      if (point.length !== 3 || !point.every(Number.isFinite)) {
        throw new Error(
          `parseObj: a vertex must be three numbers, got "${line.trim()}" at line ${index + 1} of ${where}`,
        );
      }
      vertices.push(...point);
    } else if (line.startsWith('f ')) {
      const corners = line.trim().split(/\s+/).slice(1);
      const face = corners.map((corner) => {
        const number = Number.parseInt(corner, 10);
        return number < 0 ? vertices.length / 3 + number : number - 1;
      });
      if (face.length < 3 || face.some((vertex) => !(vertex >= 0 && vertex < vertices.length / 3))) {
        throw new Error(
          `parseObj: a face must name three or more of ${vertices.length / 3} vertices, got "${line.trim()}" at line ${index + 1} of ${where}`,
        );
      }
      for (let k = 2; k < face.length; k++) triangles.push(face[0], face[k - 1], face[k]);
    }
  }
  if (vertices.length === 0) throw new Error(`parseObj: expected vertices, got none in ${where}`);
  return { vertices: Float32Array.from(vertices), triangles: Uint32Array.from(triangles) };
}
