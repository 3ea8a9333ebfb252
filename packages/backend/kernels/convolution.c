// Convolution over up to three spatial axes, NDHWC, as an implicit matrix product:
//   out[pixel, n] = sum over taps t, elements l of input[base(pixel) + tap(t) + l] * weight[t, l, n]
// A tap is a run of `run` contiguous floats (innermost kernel axis x channels). The input is already padded.
#include "kernels.h"

// Pixels per block: their input stays in the first-level cache while the panels of weights pass by.
#define BLOCK 48
struct plan {
  const f32 *input;
  const f32 *weights; // packed by pack_weights
  const f32 *bias;    // [columns], padded to a multiple of eight
  f32 *output;
  const i32 *taps; // [tap_count] offsets in floats
  i32 tap_count, run, columns;
  i32 batch, size1, size2, size3;         // output pixels
  i32 in_batch, in1, in2, in3;            // input floats per output step
  i32 out_batch, out1, out2, out3;        // output floats per output step
  i32 activation;                         // enum activation
  f32 slope;                              // of LEAKY below 0
};

// Weight element (k1, k2, k3, c, n) is at source[k1*s1 + k2*s2 + k3*s3 + c*sc + n*sn]; the strides may be negative.
// Result: panels of columns, [k1*k2*k3*channels, panel], padded with zeros.
void EXPORT(pack_weights)(const f32 *source, f32 *target, i32 k1, i32 k2, i32 k3, i32 channels, i32 columns,
                          i32 s1, i32 s2, i32 s3, i32 sc, i32 sn) {
  i32 wide = wide_columns(columns);
  for (i32 n0 = 0; n0 < columns;) {
    i32 panel = n0 < wide ? WIDE : PANEL;
    i32 width = columns - n0 < panel ? columns - n0 : panel;
    for (i32 a = 0; a < k1; a++)
      for (i32 b = 0; b < k2; b++)
        for (i32 c = 0; c < k3; c++) {
          const f32 *from = source + a * s1 + b * s2 + c * s3 + n0 * sn;
          for (i32 channel = 0; channel < channels; channel++, from += sc, target += panel) {
            if (width == panel && sn == 1) {
              for (i32 j = 0; j < panel; j += LANES) store(target + j, load(from + j));
            } else {
              for (i32 j = 0; j < panel; j++) target[j] = j < width ? from[j * sn] : 0;
            }
          }
        }
    n0 += panel;
  }
}

// Copies [batch, d1, d2, row] into the middle of a zeroed [batch, p1, p2, padded_row].
void EXPORT(pad_input)(const f32 *source, f32 *target, i32 batch, i32 d1, i32 d2, i32 row, i32 low1, i32 p1,
                       i32 low2, i32 p2, i32 low_row, i32 padded_row) {
  __builtin_memset(target, 0, (unsigned)(batch * p1 * p2 * padded_row) * sizeof(f32));
  for (i32 b = 0; b < batch; b++)
    for (i32 i = 0; i < d1; i++)
      for (i32 j = 0; j < d2; j++) {
        f32 *to = target + (((b * p1) + i + low1) * p2 + j + low2) * padded_row + low_row;
        __builtin_memcpy(to, source, (unsigned)row * sizeof(f32));
        source += row;
      }
}

static inline void tile4(const struct plan *p, const f32 *weights, const i32 *from, const i32 *to, i32 column,
                         i32 width) {
  v128_t bias0 = load(p->bias + column), bias1 = load(p->bias + column + 4);
  v128_t c00 = bias0, c01 = bias1, c10 = bias0, c11 = bias1, c20 = bias0, c21 = bias1, c30 = bias0, c31 = bias1;
  const f32 *base0 = p->input + from[0], *base1 = p->input + from[1];
  const f32 *base2 = p->input + from[2], *base3 = p->input + from[3];
  for (i32 t = 0; t < p->tap_count; t++) {
    i32 offset = p->taps[t];
    const f32 *a0 = base0 + offset, *a1 = base1 + offset, *a2 = base2 + offset, *a3 = base3 + offset;
    for (i32 l = p->run; l > 0; l--) {
      v128_t b0 = load(weights), b1 = load(weights + 4);
      weights += PANEL;
      v128_t x0 = splat(a0++);
      c00 = multiply_add(x0, b0, c00);
      c01 = multiply_add(x0, b1, c01);
      v128_t x1 = splat(a1++);
      c10 = multiply_add(x1, b0, c10);
      c11 = multiply_add(x1, b1, c11);
      v128_t x2 = splat(a2++);
      c20 = multiply_add(x2, b0, c20);
      c21 = multiply_add(x2, b1, c21);
      v128_t x3 = splat(a3++);
      c30 = multiply_add(x3, b0, c30);
      c31 = multiply_add(x3, b1, c31);
    }
  }
  if (p->activation != LINEAR) {
    i32 kind = p->activation;
    f32 slope = p->slope;
    c00 = activate(c00, kind, slope), c01 = activate(c01, kind, slope);
    c10 = activate(c10, kind, slope), c11 = activate(c11, kind, slope);
    c20 = activate(c20, kind, slope), c21 = activate(c21, kind, slope);
    c30 = activate(c30, kind, slope), c31 = activate(c31, kind, slope);
  }
  f32 *out = p->output + column;
  store_row(out + to[0], c00, c01, width);
  store_row(out + to[1], c10, c11, width);
  store_row(out + to[2], c20, c21, width);
  store_row(out + to[3], c30, c31, width);
}

static inline void tile3(const struct plan *p, const f32 *weights, const i32 *from, const i32 *to, i32 column,
                         i32 width) {
  v128_t bias0 = load(p->bias + column), bias1 = load(p->bias + column + 4), bias2 = load(p->bias + column + 8);
  v128_t c00 = bias0, c01 = bias1, c02 = bias2, c10 = bias0, c11 = bias1, c12 = bias2, c20 = bias0, c21 = bias1,
         c22 = bias2;
  const f32 *base0 = p->input + from[0], *base1 = p->input + from[1], *base2 = p->input + from[2];
  for (i32 t = 0; t < p->tap_count; t++) {
    i32 offset = p->taps[t];
    const f32 *a0 = base0 + offset, *a1 = base1 + offset, *a2 = base2 + offset;
    for (i32 l = p->run; l > 0; l--) {
      v128_t b0 = load(weights), b1 = load(weights + 4), b2 = load(weights + 8);
      weights += WIDE;
      v128_t x0 = splat(a0++);
      c00 = multiply_add(x0, b0, c00);
      c01 = multiply_add(x0, b1, c01);
      c02 = multiply_add(x0, b2, c02);
      v128_t x1 = splat(a1++);
      c10 = multiply_add(x1, b0, c10);
      c11 = multiply_add(x1, b1, c11);
      c12 = multiply_add(x1, b2, c12);
      v128_t x2 = splat(a2++);
      c20 = multiply_add(x2, b0, c20);
      c21 = multiply_add(x2, b1, c21);
      c22 = multiply_add(x2, b2, c22);
    }
  }
  if (p->activation != LINEAR) {
    i32 kind = p->activation;
    f32 slope = p->slope;
    c00 = activate(c00, kind, slope), c01 = activate(c01, kind, slope), c02 = activate(c02, kind, slope);
    c10 = activate(c10, kind, slope), c11 = activate(c11, kind, slope), c12 = activate(c12, kind, slope);
    c20 = activate(c20, kind, slope), c21 = activate(c21, kind, slope), c22 = activate(c22, kind, slope);
  }
  f32 *out = p->output + column;
  store_row(out + to[0], c00, c01, PANEL);
  store_row(out + to[1], c10, c11, PANEL);
  store_row(out + to[2], c20, c21, PANEL);
  store_lanes(out + to[0] + PANEL, c02, width - PANEL);
  store_lanes(out + to[1] + PANEL, c12, width - PANEL);
  store_lanes(out + to[2] + PANEL, c22, width - PANEL);
}

// plan: struct plan; offsets: room for 2 * (BLOCK + 3) integers.
void EXPORT(convolve)(const struct plan *plan, i32 *offsets) {
  const struct plan p = *plan;
  i32 *from = offsets, *to = offsets + BLOCK + 3;
  i32 depth = p.tap_count * p.run, wide = wide_columns(p.columns);
  i32 b = 0, i = 0, j = 0, k = 0;
  i32 left = p.batch * p.size1 * p.size2 * p.size3;
  while (left > 0) {
    i32 count = left < BLOCK ? left : BLOCK;
    for (i32 n = 0; n < count; n++) {
      from[n] = b * p.in_batch + i * p.in1 + j * p.in2 + k * p.in3;
      to[n] = b * p.out_batch + i * p.out1 + j * p.out2 + k * p.out3;
      if (++k == p.size3) {
        k = 0;
        if (++j == p.size2) {
          j = 0;
          if (++i == p.size1) i = 0, b++;
        }
      }
    }
    // Rows beyond the last repeat it: the same value is stored again.
    for (i32 n = count; n < count + 3; n++) from[n] = from[count - 1], to[n] = to[count - 1];
    for (i32 column = 0; column < wide; column += WIDE) {
      const f32 *weights = p.weights + column * depth;
      for (i32 n = 0; n < count; n += 3) tile3(&p, weights, from + n, to + n, column, p.columns - column);
    }
    for (i32 column = wide; column < p.columns; column += PANEL) {
      const f32 *weights = p.weights + column * depth;
      for (i32 n = 0; n < count; n += 4) tile4(&p, weights, from + n, to + n, column, p.columns - column);
    }
    left -= count;
  }
}
