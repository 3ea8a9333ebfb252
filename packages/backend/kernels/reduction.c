// Sums over one axis, and batch normalization in training. Long sums go through partial sums of a few rows, so that
// rounding errors stay small.
#include "kernels.h"

#define ROWS 64

// Adds (x - shift)^power, power 1 or 2, over `rows` rows of `width` floats to `total`; `partial` has room for `width`.
static void add_rows(const f32 *x, i32 rows, i32 width, i32 power, const f32 *shift, f32 *partial, f32 *total) {
  while (rows > 0) {
    i32 count = rows < ROWS ? rows : ROWS;
    __builtin_memset(partial, 0, (unsigned)width * sizeof(f32));
    for (i32 r = 0; r < count; r++, x += width) {
      i32 c = 0;
      if (power == 1) {
        for (; c + LANES <= width; c += LANES) store(partial + c, wasm_f32x4_add(load(partial + c), load(x + c)));
        for (; c < width; c++) partial[c] += x[c];
      } else {
        for (; c + LANES <= width; c += LANES) {
          v128_t d = wasm_f32x4_sub(load(x + c), load(shift + c));
          store(partial + c, multiply_add(d, d, load(partial + c)));
        }
        for (; c < width; c++) partial[c] += (x[c] - shift[c]) * (x[c] - shift[c]);
      }
    }
    for (i32 c = 0; c < width; c++) total[c] += partial[c];
    rows -= count;
  }
}

static f32 sum_run(const f32 *x, i32 count) {
  double total = 0;
  while (count > 0) {
    i32 block = count < 1024 ? count : 1024, i = 0;
    v128_t s0 = wasm_f32x4_const_splat(0), s1 = s0;
    for (; i + 8 <= block; i += 8) {
      s0 = wasm_f32x4_add(s0, load(x + i));
      s1 = wasm_f32x4_add(s1, load(x + i + 4));
    }
    f32 sum = lane_sum(wasm_f32x4_add(s0, s1));
    for (; i < block; i++) sum += x[i];
    total += sum;
    x += block;
    count -= block;
  }
  return (f32)total;
}

// out[outer, inner] = factor * sum over the middle axis of x[outer, middle, inner]; partial has room for `inner`.
void EXPORT(sum_middle)(const f32 *x, f32 *out, i32 outer, i32 middle, i32 inner, f32 factor, f32 *partial) {
  for (i32 o = 0; o < outer; o++, x += middle * inner, out += inner) {
    if (inner == 1) {
      *out = sum_run(x, middle) * factor;
    } else {
      __builtin_memset(out, 0, (unsigned)inner * sizeof(f32));
      add_rows(x, middle, inner, 1, 0, partial, out);
      for (i32 c = 0; c < inner; c++) out[c] *= factor;
    }
  }
}

// out[row, c] = x[row, c] * factor[c] + offset[c].
void EXPORT(scale_rows)(const f32 *x, const f32 *factor, const f32 *offset, f32 *out, i32 rows, i32 width) {
  for (i32 r = 0; r < rows; r++, x += width, out += width) {
    i32 c = 0;
    for (; c + LANES <= width; c += LANES)
      store(out + c, multiply_add(load(x + c), load(factor + c), load(offset + c)));
    for (; c < width; c++) out[c] = x[c] * factor[c] + offset[c];
  }
}

// factor = scale / sqrt(variance + epsilon), shift = offset - mean * factor.
void EXPORT(fold_normalization)(const f32 *mean, const f32 *variance, const f32 *scale, const f32 *offset, f32 *factor,
                                f32 *shift, i32 width, f32 epsilon) {
  for (i32 c = 0; c < width; c++) {
    factor[c] = scale[c] / __builtin_sqrtf(variance[c] + epsilon);
    shift[c] = offset[c] - mean[c] * factor[c];
  }
}

// Mean and (biased) variance of each column of x [rows, width]; partial has room for `width`.
void EXPORT(moments)(const f32 *x, i32 rows, i32 width, f32 *mean, f32 *variance, f32 *partial) {
  f32 share = 1.0f / rows;
  __builtin_memset(mean, 0, (unsigned)width * sizeof(f32));
  add_rows(x, rows, width, 1, 0, partial, mean);
  for (i32 c = 0; c < width; c++) mean[c] *= share;
  __builtin_memset(variance, 0, (unsigned)width * sizeof(f32));
  add_rows(x, rows, width, 2, mean, partial, variance);
  for (i32 c = 0; c < width; c++) variance[c] *= share;
}

// Gradients of batch normalization with the batch's statistics, x^ = (x - mean) / s, s = sqrt(variance + epsilon):
//   d_offset = sum dy, d_scale = sum dy x^, dx = scale / s * (dy - (d_offset + x^ d_scale) / rows).
// scratch has room for 4 * width.
void EXPORT(normalization_gradient)(const f32 *dy, const f32 *x, const f32 *mean, const f32 *variance, const f32 *scale,
                                    f32 *dx, f32 *d_scale, f32 *d_offset, i32 rows, i32 width, f32 epsilon,
                                    f32 *scratch) {
  f32 *partial_dy = scratch, *partial_product = scratch + width, *factor = scratch + 2 * width;
  f32 *slope = scratch + 3 * width;
  __builtin_memset(d_scale, 0, (unsigned)width * sizeof(f32));
  __builtin_memset(d_offset, 0, (unsigned)width * sizeof(f32));
  const f32 *g = dy, *value = x;
  for (i32 left = rows; left > 0; left -= ROWS) {
    i32 count = left < ROWS ? left : ROWS;
    __builtin_memset(partial_dy, 0, (unsigned)width * 2 * sizeof(f32));
    for (i32 r = 0; r < count; r++, g += width, value += width) {
      i32 c = 0;
      for (; c + LANES <= width; c += LANES) {
        v128_t d = load(g + c);
        store(partial_dy + c, wasm_f32x4_add(load(partial_dy + c), d));
        v128_t centered = wasm_f32x4_sub(load(value + c), load(mean + c));
        store(partial_product + c, multiply_add(d, centered, load(partial_product + c)));
      }
      for (; c < width; c++) {
        partial_dy[c] += g[c];
        partial_product[c] += g[c] * (value[c] - mean[c]);
      }
    }
    for (i32 c = 0; c < width; c++) d_offset[c] += partial_dy[c], d_scale[c] += partial_product[c];
  }
  // dx = factor * dy + slope * x + shift; the shift goes where the partial sums were.
  f32 *shift = partial_dy;
  for (i32 c = 0; c < width; c++) {
    f32 inverse = 1.0f / __builtin_sqrtf(variance[c] + epsilon);
    d_scale[c] *= inverse;
    factor[c] = scale[c] * inverse;
    slope[c] = -factor[c] * inverse * d_scale[c] / rows;
    shift[c] = -factor[c] * d_offset[c] / rows - slope[c] * mean[c];
  }
  for (i32 r = 0; r < rows; r++, dy += width, x += width, dx += width) {
    i32 c = 0;
    for (; c + LANES <= width; c += LANES) {
      v128_t sum = multiply_add(load(x + c), load(slope + c), load(shift + c));
      store(dx + c, multiply_add(load(dy + c), load(factor + c), sum));
    }
    for (; c < width; c++) dx[c] = dy[c] * factor[c] + x[c] * slope[c] + shift[c];
  }
}
