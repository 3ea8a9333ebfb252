// Products of a row with a matrix, where the tiles of convolution.c would be mostly empty.
#include "kernels.h"

// out[n] = sum over k of row[k] * matrix[k, n]; streams through the matrix once.
void EXPORT(row_times_matrix)(const f32 *row, const f32 *matrix, f32 *out, i32 depth, i32 columns) {
  __builtin_memset(out, 0, (unsigned)columns * sizeof(f32));
  i32 k = 0;
  for (; k + 4 <= depth; k += 4) {
    const f32 *m0 = matrix + k * columns, *m1 = m0 + columns, *m2 = m1 + columns, *m3 = m2 + columns;
    v128_t a0 = splat(row + k), a1 = splat(row + k + 1), a2 = splat(row + k + 2), a3 = splat(row + k + 3);
    i32 n = 0;
    for (; n + LANES <= columns; n += LANES) {
      v128_t low = multiply_add(a1, load(m1 + n), wasm_f32x4_mul(a0, load(m0 + n)));
      v128_t high = multiply_add(a3, load(m3 + n), wasm_f32x4_mul(a2, load(m2 + n)));
      store(out + n, wasm_f32x4_add(load(out + n), wasm_f32x4_add(low, high)));
    }
    for (; n < columns; n++)
      out[n] += (row[k] * m0[n] + row[k + 1] * m1[n]) + (row[k + 2] * m2[n] + row[k + 3] * m3[n]);
  }
  for (; k < depth; k++)
    for (i32 n = 0; n < columns; n++) out[n] += row[k] * matrix[k * columns + n];
}

// out[n] = sum over k of row[k] * matrix[n, k].
void EXPORT(row_times_transposed)(const f32 *row, const f32 *matrix, f32 *out, i32 depth, i32 columns) {
  for (i32 n = 0; n < columns; n++, matrix += depth) {
    v128_t s0 = wasm_f32x4_const_splat(0), s1 = s0;
    i32 k = 0;
    for (; k + 8 <= depth; k += 8) {
      s0 = multiply_add(load(row + k), load(matrix + k), s0);
      s1 = multiply_add(load(row + k + 4), load(matrix + k + 4), s1);
    }
    f32 sum = lane_sum(wasm_f32x4_add(s0, s1));
    for (; k < depth; k++) sum += row[k] * matrix[k];
    out[n] = sum;
  }
}
