// Sums over one axis, and batch normalization in training. Long sums go through partial sums of a few rows, so that
// rounding errors stay small.
#include "kernels.h"

#define ROWS 64

// Adds (x - shift)^power, power 1 or 2, over `rows` rows of `width` floats to `total`.
static void add_rows(const f32 *x, i32 rows, i32 width, i32 power, const f32 *shift, f32 *total) {
  v128_t zero = wasm_f32x4_const_splat(0);
  for (; rows > 0; rows -= ROWS, x += ROWS * width) {
    i32 count = rows < ROWS ? rows : ROWS, c = 0;
    for (; c + 2 * LANES <= width; c += 2 * LANES) {
      const f32 *from = x + c;
      v128_t s0 = zero, s1 = zero;
      if (power == 1) {
        for (i32 r = 0; r < count; r++, from += width) {
          s0 = wasm_f32x4_add(s0, load(from));
          s1 = wasm_f32x4_add(s1, load(from + LANES));
        }
      } else {
        v128_t shift0 = load(shift + c), shift1 = load(shift + c + LANES);
        for (i32 r = 0; r < count; r++, from += width) {
          v128_t d0 = wasm_f32x4_sub(load(from), shift0), d1 = wasm_f32x4_sub(load(from + LANES), shift1);
          s0 = multiply_add(d0, d0, s0);
          s1 = multiply_add(d1, d1, s1);
        }
      }
      add_row(total + c, s0, s1, PANEL);
    }
    for (; c < width; c++) {
      f32 sum = 0;
      for (i32 r = 0; r < count; r++) {
        f32 value = x[r * width + c];
        sum += power == 1 ? value : (value - shift[c]) * (value - shift[c]);
      }
      total[c] += sum;
    }
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

// out[outer, inner] = factor * sum over the middle axis of x[outer, middle, inner].
void EXPORT(sum_middle)(const f32 *x, f32 *out, i32 outer, i32 middle, i32 inner, f32 factor) {
  for (i32 o = 0; o < outer; o++, x += middle * inner, out += inner) {
    if (inner == 1) {
      *out = sum_run(x, middle) * factor;
    } else {
      __builtin_memset(out, 0, (unsigned)inner * sizeof(f32));
      add_rows(x, middle, inner, 1, 0, out);
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

// Mean and (biased) variance of each column of x [rows, width].
void EXPORT(moments)(const f32 *x, i32 rows, i32 width, f32 *mean, f32 *variance) {
  f32 share = 1.0f / rows;
  __builtin_memset(mean, 0, (unsigned)width * sizeof(f32));
  add_rows(x, rows, width, 1, 0, mean);
  for (i32 c = 0; c < width; c++) mean[c] *= share;
  __builtin_memset(variance, 0, (unsigned)width * sizeof(f32));
  add_rows(x, rows, width, 2, mean, variance);
  for (i32 c = 0; c < width; c++) variance[c] *= share;
}

// Gradients of batch normalization with the batch's statistics, x^ = (x - mean) / s, s = sqrt(variance + epsilon):
//   d_offset = sum dy, d_scale = sum dy x^, dx = scale / s * (dy - (d_offset + x^ d_scale) / rows).
// scratch has room for 3 * width.
void EXPORT(normalization_gradient)(const f32 *dy, const f32 *x, const f32 *mean, const f32 *variance, const f32 *scale,
                                    f32 *dx, f32 *d_scale, f32 *d_offset, i32 rows, i32 width, f32 epsilon,
                                    f32 *scratch) {
  f32 *shift = scratch, *factor = scratch + width, *slope = scratch + 2 * width;
  v128_t zero = wasm_f32x4_const_splat(0);
  __builtin_memset(d_scale, 0, (unsigned)width * sizeof(f32));
  __builtin_memset(d_offset, 0, (unsigned)width * sizeof(f32));
  // The rows of both tensors stay in the first-level cache while the columns pass.
  i32 block = width < 32 ? ROWS : width > 256 ? ROWS / 8 : 2048 / width;
  for (i32 first = 0; first < rows; first += block) {
    i32 count = rows - first < block ? rows - first : block, c = 0;
    const f32 *g = dy + first * width, *value = x + first * width;
    for (; c + 2 * LANES <= width; c += 2 * LANES) {
      const f32 *from_g = g + c, *from = value + c;
      v128_t mean0 = load(mean + c), mean1 = load(mean + c + LANES), s0 = zero, s1 = zero, p0 = zero, p1 = zero;
      for (i32 r = 0; r < count; r++, from_g += width, from += width) {
        v128_t d0 = load(from_g), d1 = load(from_g + LANES);
        s0 = wasm_f32x4_add(s0, d0);
        s1 = wasm_f32x4_add(s1, d1);
        p0 = multiply_add(d0, wasm_f32x4_sub(load(from), mean0), p0);
        p1 = multiply_add(d1, wasm_f32x4_sub(load(from + LANES), mean1), p1);
      }
      add_row(d_offset + c, s0, s1, PANEL);
      add_row(d_scale + c, p0, p1, PANEL);
    }
    for (; c < width; c++) {
      f32 sum = 0, products = 0;
      for (i32 r = 0; r < count; r++) {
        f32 d = g[r * width + c];
        sum += d;
        products += d * (value[r * width + c] - mean[c]);
      }
      d_offset[c] += sum, d_scale[c] += products;
    }
  }
  // dx = factor * dy + slope * x + shift.
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

// dx = dy where the output of a rectifier is positive, slope * dy elsewhere.
void EXPORT(rectifier_gradient)(const f32 *dy, const f32 *y, f32 *dx, i32 count, f32 slope) {
  v128_t zero = wasm_f32x4_const_splat(0), factor = wasm_f32x4_splat(slope);
  i32 i = 0;
  for (; i + LANES <= count; i += LANES) {
    v128_t d = load(dy + i);
    store(dx + i, wasm_v128_bitselect(d, wasm_f32x4_mul(d, factor), wasm_f32x4_gt(load(y + i), zero)));
  }
  for (; i < count; i++) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
}
