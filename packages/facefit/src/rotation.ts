/** Row-major 3 x 3 matrix [9]. */
export type Matrix3 = Float64Array;

/** Matrix product of two row-major 3 x 3 matrices. */
export function multiply3(a: ArrayLike<number>, b: ArrayLike<number>): Matrix3 {
  const product = new Float64Array(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      product[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
    }
  }
  return product;
}

/** Rodrigues' formula: the rotation by |axis| radians about `axis` [3]. */
export function rotationOfVector(axis: ArrayLike<number>): Matrix3 {
  const angle = Math.hypot(axis[0], axis[1], axis[2]);
  const a = angle < 1e-8 ? 1 - (angle * angle) / 6 : Math.sin(angle) / angle;
  const b = angle < 1e-8 ? 0.5 - (angle * angle) / 24 : (1 - Math.cos(angle)) / (angle * angle);
  const [x, y, z] = [axis[0], axis[1], axis[2]];
  return Float64Array.of(
    1 - b * (y * y + z * z),
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    1 - b * (x * x + z * z),
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    1 - b * (x * x + y * y),
  );
}
