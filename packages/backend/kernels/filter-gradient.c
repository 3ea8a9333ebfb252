// Filter gradient of a convolution:
//   gradient[t, l, n] = sum over pixels of input[base(pixel) + tap(t) + l] * dy[pixel, n]
#include "kernels.h"

#define BLOCK 256
// Rows that are packed at a time: whole tiles of three and of four.
#define ROWS 12

struct plan {
  const f32 *input; // padded
  const f32 *dy;    // [pixels, columns]
  f32 *gradient;    // [tap_count, run, columns]
  const i32 *taps;
  i32 tap_count, run, columns;
  i32 batch, size1, size2, size3;
  i32 in_batch, in1, in2, in3;
};

// Adds the products of a [count, ROWS], of which `rows` count, four at most, and b [count, 8] to `width` columns of out.
static inline void product(const f32 *a, const f32 *b, i32 count, f32 *out, i32 stride, i32 rows, i32 width) {
  v128_t zero = wasm_f32x4_const_splat(0);
  v128_t c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  for (i32 n = count; n > 0; n--) {
    v128_t b0 = load(b), b1 = load(b + 4);
    b += PANEL;
    v128_t x0 = splat(a);
    c00 = multiply_add(x0, b0, c00);
    c01 = multiply_add(x0, b1, c01);
    v128_t x1 = splat(a + 1);
    c10 = multiply_add(x1, b0, c10);
    c11 = multiply_add(x1, b1, c11);
    v128_t x2 = splat(a + 2);
    c20 = multiply_add(x2, b0, c20);
    c21 = multiply_add(x2, b1, c21);
    v128_t x3 = splat(a + 3);
    c30 = multiply_add(x3, b0, c30);
    c31 = multiply_add(x3, b1, c31);
    a += ROWS;
  }
  add_row(out, c00, c01, width);
  if (rows > 1) add_row(out + stride, c10, c11, width);
  if (rows > 2) add_row(out + 2 * stride, c20, c21, width);
  if (rows > 3) add_row(out + 3 * stride, c30, c31, width);
}

// The same for three rows at most and b [count, 12].
static inline void wide_product(const f32 *a, const f32 *b, i32 count, f32 *out, i32 stride, i32 rows, i32 width) {
  v128_t zero = wasm_f32x4_const_splat(0);
  v128_t c00 = zero, c01 = zero, c02 = zero, c10 = zero, c11 = zero, c12 = zero, c20 = zero, c21 = zero, c22 = zero;
  for (i32 n = count; n > 0; n--) {
    v128_t b0 = load(b), b1 = load(b + 4), b2 = load(b + 8);
    b += WIDE;
    v128_t x0 = splat(a);
    c00 = multiply_add(x0, b0, c00);
    c01 = multiply_add(x0, b1, c01);
    c02 = multiply_add(x0, b2, c02);
    v128_t x1 = splat(a + 1);
    c10 = multiply_add(x1, b0, c10);
    c11 = multiply_add(x1, b1, c11);
    c12 = multiply_add(x1, b2, c12);
    v128_t x2 = splat(a + 2);
    c20 = multiply_add(x2, b0, c20);
    c21 = multiply_add(x2, b1, c21);
    c22 = multiply_add(x2, b2, c22);
    a += ROWS;
  }
  width -= PANEL;
  add_row(out, c00, c01, PANEL);
  add_row(out + PANEL, c02, zero, width);
  if (rows > 1) add_row(out + stride, c10, c11, PANEL), add_row(out + stride + PANEL, c12, zero, width);
  if (rows > 2) add_row(out + 2 * stride, c20, c21, PANEL), add_row(out + 2 * stride + PANEL, c22, zero, width);
}

// scratch: BLOCK offsets, BLOCK * ROWS floats of input, BLOCK * ceil(columns / 8) * 8 floats of dy. Zeroes the gradient first.
void EXPORT(filter_gradient)(const struct plan *plan, i32 *scratch) {
  const struct plan p = *plan;
  i32 *from = scratch;
  f32 *rows = (f32 *)(scratch + BLOCK);
  f32 *panels = rows + BLOCK * ROWS;
  i32 wide = wide_columns(p.columns);
  __builtin_memset(p.gradient, 0, (unsigned)(p.tap_count * p.run * p.columns) * sizeof(f32));
  i32 b = 0, i = 0, j = 0, k = 0;
  i32 left = p.batch * p.size1 * p.size2 * p.size3;
  const f32 *dy = p.dy;
  while (left > 0) {
    i32 count = left < BLOCK ? left : BLOCK;
    for (i32 n = 0; n < count; n++) {
      from[n] = b * p.in_batch + i * p.in1 + j * p.in2 + k * p.in3;
      if (++k == p.size3) {
        k = 0;
        if (++j == p.size2) {
          j = 0;
          if (++i == p.size1) i = 0, b++;
        }
      }
    }
    for (i32 column = 0; column < p.columns;) {
      i32 size = column < wide ? WIDE : PANEL, width = p.columns - column;
      f32 *panel = panels + column * BLOCK;
      const f32 *row = dy + column;
      for (i32 n = 0; n < count; n++, row += p.columns, panel += size) {
        if (width >= size) {
          for (i32 c = 0; c < size; c += LANES) store(panel + c, load(row + c));
        } else {
          for (i32 c = 0; c < size; c++) panel[c] = c < width ? row[c] : 0;
        }
      }
      column += size;
    }
    for (i32 t = 0; t < p.tap_count; t++)
      for (i32 l = 0; l < p.run; l += ROWS) {
        i32 height = p.run - l < ROWS ? p.run - l : ROWS;
        const f32 *source = p.input + p.taps[t] + l;
        for (i32 r = 0; r < height; r += LANES)
          for (i32 n = 0; n < count; n++) store(rows + ROWS * n + r, load_lanes(source + from[n] + r, height - r));
        f32 *out = p.gradient + (t * p.run + l) * p.columns;
        for (i32 column = 0; column < wide; column += WIDE)
          for (i32 r = 0; r < height; r += 3)
            wide_product(rows + r, panels + column * BLOCK, count, out + r * p.columns + column, p.columns, height - r,
                         p.columns - column);
        for (i32 column = wide; column < p.columns; column += PANEL)
          for (i32 r = 0; r < height; r += 4)
            product(rows + r, panels + column * BLOCK, count, out + r * p.columns + column, p.columns, height - r,
                    p.columns - column);
      }
    dy += count * p.columns;
    left -= count;
  }
}
