// 3x3 convolutions of stride 1 by Winograd's minimal filtering: tiles of 4x4 outputs from 6x6 inputs, with 36 products instead of 144.
//   out = At [(G g Gt) * (Bt d B)] A,  filter gradient = Gt [sum over tiles of (Bt d B) * (A dy At)] G
// where * is a product per frequency, summed over channels: 36 matrix products. The interpolation points are 0, +-P, +-Q and infinity;
// 5/8 and 3/2 are exact in every coefficient of values and round half as much as the usual 1 and 2 (simulated). Channels and columns are multiples of eight.
#include "kernels.h"

#define TILE 4
#define WINDOW 6
#define FREQUENCIES 36
// Floats between the runs of two frequencies beyond their length: else all 36 fall into the same set of the cache.
#define SKEW 16

#define P 0.625f
#define Q 1.5f
#define P2 (P * P)
#define Q2 (Q * Q)
#define SUM2 (P2 + Q2)
#define PRODUCT2 (P2 * Q2)

struct plan {
  const f32 *input;   // [batch, height, width, channels], not padded
  const f32 *weights; // packed by winograd_weights; for the filter gradient dy [batch, out_height, out_width, columns]
  const f32 *bias;    // [columns], padded to a multiple of eight
  f32 *output;        // [batch, out_height, out_width, columns]; for the filter gradient [3, 3, channels, columns]
  f32 *scratch;
  i32 batch, height, width, channels;
  i32 out_height, out_width, columns;
  i32 top, left; // zeros in front of the input
  i32 block;     // tiles at a time, a multiple of four
  i32 activation;
  f32 slope;
};

#define UNROLL _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")
static inline v128_t constant(f32 value) { return wasm_f32x4_splat(value); }
static inline v128_t times(v128_t a, f32 b) { return wasm_f32x4_mul(a, constant(b)); }
static inline v128_t plus(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }
static inline v128_t minus(v128_t a, v128_t b) { return wasm_f32x4_sub(a, b); }
// a * factor + sum
static inline v128_t add_times(v128_t a, f32 factor, v128_t sum) { return multiply_add(a, constant(factor), sum); }

// Bt: six inputs to six frequencies.
static inline void to_frequencies(const v128_t *d, v128_t *out) {
  v128_t even = add_times(d[2], -Q2, d[4]), odd = times(add_times(d[1], -Q2, d[3]), P);
  v128_t even2 = add_times(d[2], -P2, d[4]), odd2 = times(add_times(d[1], -P2, d[3]), Q);
  out[0] = add_times(d[0], PRODUCT2, add_times(d[2], -SUM2, d[4]));
  out[1] = plus(even, odd);
  out[2] = minus(even, odd);
  out[3] = plus(even2, odd2);
  out[4] = minus(even2, odd2);
  out[5] = add_times(d[1], PRODUCT2, add_times(d[3], -SUM2, d[5]));
}

// At: six frequencies to four outputs.
static inline void to_outputs(const v128_t *m, v128_t *out) {
  v128_t p = plus(m[1], m[2]), p1 = minus(m[1], m[2]), q = plus(m[3], m[4]), q1 = minus(m[3], m[4]);
  out[0] = plus(m[0], plus(p, q));
  out[1] = add_times(q1, Q, times(p1, P));
  out[2] = add_times(q, Q2, times(p, P2));
  out[3] = plus(m[5], add_times(q1, Q *Q2, times(p1, P *P2)));
}

// A: four gradients of outputs to six frequencies.
static inline void gradient_to_frequencies(const v128_t *y, v128_t *out) {
  v128_t even = add_times(y[2], P2, y[0]), odd = add_times(y[3], P *P2, times(y[1], P));
  v128_t even2 = add_times(y[2], Q2, y[0]), odd2 = add_times(y[3], Q *Q2, times(y[1], Q));
  out[0] = y[0];
  out[1] = plus(even, odd);
  out[2] = minus(even, odd);
  out[3] = plus(even2, odd2);
  out[4] = minus(even2, odd2);
  out[5] = y[3];
}

#define AT_P (1 / (2 * P2 * (P2 - Q2)))
#define AT_Q (1 / (2 * Q2 * (Q2 - P2)))

// G: three taps to six frequencies.
static inline void taps_to_frequencies(const v128_t *g, v128_t *out) {
  v128_t even = times(add_times(g[2], P2, g[0]), AT_P), even2 = times(add_times(g[2], Q2, g[0]), AT_Q);
  v128_t odd = times(g[1], P *AT_P), odd2 = times(g[1], Q *AT_Q);
  out[0] = times(g[0], 1 / PRODUCT2);
  out[1] = plus(even, odd);
  out[2] = minus(even, odd);
  out[3] = plus(even2, odd2);
  out[4] = minus(even2, odd2);
  out[5] = g[2];
}

// Gt: six frequencies to three taps.
static inline void to_taps(const v128_t *s, v128_t *out) {
  v128_t p = times(plus(s[1], s[2]), AT_P), p1 = times(minus(s[1], s[2]), P *AT_P);
  v128_t q = times(plus(s[3], s[4]), AT_Q), q1 = times(minus(s[3], s[4]), Q *AT_Q);
  out[0] = add_times(s[0], 1 / PRODUCT2, plus(p, q));
  out[1] = plus(p1, q1);
  out[2] = add_times(p, P2, add_times(q, Q2, s[5]));
}

static inline i32 tiles_of(i32 size) { return (size + TILE - 1) / TILE; }
static inline i32 smaller(i32 a, i32 b) { return a < b ? a : b; }

// Weight element (k1, k2, c, n) is at source[k1*s1 + k2*s2 + c*sc + n*sn]; the strides may be negative.
// Result: [36, columns/8, channels, 8].
void EXPORT(winograd_weights)(const f32 *source, f32 *target, i32 channels, i32 columns, i32 s1, i32 s2, i32 sc,
                              i32 sn) {
  i32 step = columns * channels + SKEW;
  for (i32 n = 0; n < columns; n += LANES) {
    f32 *to = target + (n / PANEL) * channels * PANEL + n % PANEL;
    for (i32 c = 0; c < channels; c++, to += PANEL) {
      v128_t across[3 * WINDOW], row[WINDOW];
      const f32 *from = source + c * sc + n * sn;
      ROLLED for (i32 i = 0; i < 3; i++, from += s1) {
        v128_t taps[3];
        UNROLL for (i32 j = 0; j < 3; j++) {
          const f32 *tap = from + j * s2;
          taps[j] = sn == 1 ? load(tap) : wasm_f32x4_make(tap[0], tap[sn], tap[2 * sn], tap[3 * sn]);
        }
        taps_to_frequencies(taps, across + i * WINDOW);
      }
      ROLLED for (i32 j = 0; j < WINDOW; j++) {
        v128_t column[3] = {across[j], across[6 + j], across[12 + j]};
        taps_to_frequencies(column, row);
        UNROLL for (i32 i = 0; i < WINDOW; i++) store(to + (i * WINDOW + j) * step, row[i]);
      }
    }
  }
}

// Where a tile's pixels lie.
struct window {
  const f32 *base;
  i32 row, column; // floats per step
};

// size x size pixels from (y, x) of one picture; what lies outside is zero. Copied only where some of it does.
static __attribute__((noinline)) struct window look(const f32 *picture, i32 height, i32 width, i32 channels, i32 y, i32 x, i32 size,
                                 f32 *copy) {
  if (y >= 0 && x >= 0 && y + size <= height && x + size <= width)
    return (struct window){picture + (y * width + x) * channels, width * channels, channels};
  i32 first = x < 0 ? -x : 0, last = smaller(size, width - x);
  for (i32 i = 0; i < size; i++) {
    f32 *to = copy + i * size * channels;
    __builtin_memset(to, 0, (unsigned)(size * channels) * sizeof(f32));
    if (y + i < 0 || y + i >= height || last <= first) continue;
    __builtin_memcpy(to + first * channels, picture + ((y + i) * width + x + first) * channels,
                     (unsigned)((last - first) * channels) * sizeof(f32));
  }
  return (struct window){copy, size * channels, channels};
}

// Frequencies of one input tile to target[f * step + group * gap], groups of four channels.
static __attribute__((noinline)) void transform_input(struct window w, i32 channels, f32 *target, i32 step, i32 gap) {
  for (i32 c = 0; c < channels; c += LANES, target += gap) {
    v128_t across[FREQUENCIES], line[WINDOW], row[WINDOW];
    const f32 *from = w.base + c;
    ROLLED for (i32 i = 0; i < WINDOW; i++, from += w.row) {
      UNROLL for (i32 j = 0; j < WINDOW; j++) line[j] = load(from + j * w.column);
      to_frequencies(line, across + i * WINDOW);
    }
    ROLLED for (i32 j = 0; j < WINDOW; j++) {
      UNROLL for (i32 i = 0; i < WINDOW; i++) line[i] = across[i * WINDOW + j];
      to_frequencies(line, row);
      UNROLL for (i32 i = 0; i < WINDOW; i++) store(target + (i * WINDOW + j) * step, row[i]);
    }
  }
}

// Frequencies of one tile of dy to target[f * step + panel * gap + half], panels of eight columns.
static void transform_gradient(struct window w, i32 columns, f32 *target, i32 step, i32 gap) {
  for (i32 c = 0; c < columns; c += LANES) {
    v128_t across[WINDOW * TILE], line[TILE], row[WINDOW];
    const f32 *from = w.base + c;
    f32 *to = target + (c / PANEL) * gap + c % PANEL;
    ROLLED for (i32 i = 0; i < TILE; i++, from += w.row) {
      UNROLL for (i32 j = 0; j < TILE; j++) line[j] = load(from + j * w.column);
      gradient_to_frequencies(line, across + i * WINDOW);
    }
    ROLLED for (i32 j = 0; j < WINDOW; j++) {
      UNROLL for (i32 i = 0; i < TILE; i++) line[i] = across[i * WINDOW + j];
      gradient_to_frequencies(line, row);
      UNROLL for (i32 i = 0; i < WINDOW; i++) store(to + (i * WINDOW + j) * step, row[i]);
    }
  }
}

// out[4, 8] of four tiles and eight columns: a [4, channels], b [channels, 8].
static inline void product(const f32 *a, const f32 *b, f32 *out, i32 channels) {
  v128_t zero = constant(0);
  v128_t c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  const f32 *a1 = a + channels, *a2 = a1 + channels, *a3 = a2 + channels;
  for (; channels > 0; channels--, b += PANEL) {
    v128_t b0 = load(b), b1 = load(b + 4);
    v128_t x0 = splat(a++), x1 = splat(a1++), x2 = splat(a2++), x3 = splat(a3++);
    c00 = multiply_add(x0, b0, c00);
    c01 = multiply_add(x0, b1, c01);
    c10 = multiply_add(x1, b0, c10);
    c11 = multiply_add(x1, b1, c11);
    c20 = multiply_add(x2, b0, c20);
    c21 = multiply_add(x2, b1, c21);
    c30 = multiply_add(x3, b0, c30);
    c31 = multiply_add(x3, b1, c31);
  }
  store(out, c00), store(out + 4, c01), store(out + 8, c10), store(out + 12, c11);
  store(out + 16, c20), store(out + 20, c21), store(out + 24, c30), store(out + 28, c31);
}

// Outputs of one tile and four columns from m[f * step].
static inline void store_tile(const struct plan *p, const f32 *m, i32 step, f32 *picture, i32 y, i32 x, i32 column) {
  v128_t across[TILE * WINDOW], line[WINDOW], out[TILE], bias = load(p->bias + column);
  ROLLED for (i32 j = 0; j < WINDOW; j++) {
    UNROLL for (i32 i = 0; i < WINDOW; i++) line[i] = load(m + (i * WINDOW + j) * step);
    to_outputs(line, out);
    UNROLL for (i32 i = 0; i < TILE; i++) across[i * WINDOW + j] = out[i];
  }
  i32 right = smaller(TILE, p->out_width - x);
  f32 *to = picture + (y * p->out_width + x) * p->columns + column;
  for (i32 i = 0; i < TILE && y + i < p->out_height; i++, to += p->out_width * p->columns) {
    to_outputs(across + i * WINDOW, out);
    for (i32 j = 0; j < right; j++) {
      v128_t value = plus(out[j], bias);
      if (p->activation != LINEAR) value = activate(value, p->activation, p->slope);
      store(to + j * p->columns, value);
    }
  }
}

// The tile that comes after (b, i, j).
#define NEXT_TILE(rows, across) \
  if (++j == across) { \
    j = 0; \
    if (++i == rows) i = 0, b++; \
  }

// scratch: 36 * (block * (channels + columns) + 2 * SKEW + channels) floats.
void EXPORT(winograd_convolve)(const struct plan *plan) {
  const struct plan p = *plan;
  i32 block = p.block;
  i32 step = p.channels * block + SKEW, out_step = p.columns * block + SKEW, weight_step = p.columns * p.channels + SKEW;
  f32 *inputs = p.scratch, *outputs = inputs + FREQUENCIES * step, *copy = outputs + FREQUENCIES * out_step;
  i32 rows = tiles_of(p.out_height), across = tiles_of(p.out_width);
  i32 picture = p.height * p.width * p.channels, out_picture = p.out_height * p.out_width * p.columns;
  i32 b = 0, i = 0, j = 0;
  for (i32 left = p.batch * rows * across; left > 0; left -= block) {
    i32 count = smaller(left, block), b0 = b, i0 = i, j0 = j;
    for (i32 n = 0; n < count; n++) {
      struct window w = look(p.input + b * picture, p.height, p.width, p.channels, i * TILE - p.top,
                             j * TILE - p.left, WINDOW, copy);
      transform_input(w, p.channels, inputs + n * p.channels, step, LANES);
      NEXT_TILE(rows, across)
    }
    for (i32 f = 0; f < FREQUENCIES; f++)
      for (i32 column = 0; column < p.columns; column += PANEL) {
        const f32 *weights = p.weights + f * weight_step + column * p.channels;
        f32 *out = outputs + f * out_step + column * block;
        for (i32 n = 0; n < count; n += 4)
          product(inputs + f * step + n * p.channels, weights, out + n * PANEL, p.channels);
      }
    b = b0, i = i0, j = j0;
    for (i32 n = 0; n < count; n++) {
      for (i32 column = 0; column < p.columns; column += LANES) {
        const f32 *from = outputs + (column / PANEL * block + n) * PANEL + column % PANEL;
        store_tile(&p, from, out_step, p.output + b * out_picture, i * TILE, j * TILE, column);
      }
      NEXT_TILE(rows, across)
    }
  }
}

// sum[4, 8] += sum over tiles of a [count, 4] x b [count, 8]; rows of sum are `stride` apart.
static inline void outer_product(const f32 *a, const f32 *b, i32 count, f32 *sum, i32 stride) {
  v128_t zero = constant(0);
  v128_t c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  for (; count > 0; count--, a += LANES, b += PANEL) {
    v128_t b0 = load(b), b1 = load(b + 4);
    v128_t x0 = splat(a), x1 = splat(a + 1), x2 = splat(a + 2), x3 = splat(a + 3);
    c00 = multiply_add(x0, b0, c00);
    c01 = multiply_add(x0, b1, c01);
    c10 = multiply_add(x1, b0, c10);
    c11 = multiply_add(x1, b1, c11);
    c20 = multiply_add(x2, b0, c20);
    c21 = multiply_add(x2, b1, c21);
    c30 = multiply_add(x3, b0, c30);
    c31 = multiply_add(x3, b1, c31);
  }
  add_row(sum, c00, c01, PANEL);
  add_row(sum + stride, c10, c11, PANEL);
  add_row(sum + 2 * stride, c20, c21, PANEL);
  add_row(sum + 3 * stride, c30, c31, PANEL);
}

// scratch: 36 * (channels * columns + block * (channels + columns) + 3 * SKEW + channels) + 16 * columns floats.
void EXPORT(winograd_filter_gradient)(const struct plan *plan) {
  const struct plan p = *plan;
  i32 block = p.block;
  i32 step = p.channels * block + SKEW, out_step = p.columns * block + SKEW, sum_step = p.channels * p.columns + SKEW;
  f32 *sums = p.scratch, *inputs = sums + FREQUENCIES * sum_step, *gradients = inputs + FREQUENCIES * step;
  f32 *copy = gradients + FREQUENCIES * out_step, *dy_copy = copy + FREQUENCIES * p.channels;
  i32 rows = tiles_of(p.out_height), across = tiles_of(p.out_width);
  i32 picture = p.height * p.width * p.channels, out_picture = p.out_height * p.out_width * p.columns;
  __builtin_memset(sums, 0, (unsigned)(FREQUENCIES * sum_step) * sizeof(f32));
  i32 b = 0, i = 0, j = 0;
  for (i32 left = p.batch * rows * across; left > 0; left -= block) {
    i32 count = smaller(left, block);
    for (i32 n = 0; n < count; n++) {
      struct window w = look(p.input + b * picture, p.height, p.width, p.channels, i * TILE - p.top,
                             j * TILE - p.left, WINDOW, copy);
      transform_input(w, p.channels, inputs + n * LANES, step, block * LANES);
      struct window dy = look(p.weights + b * out_picture, p.out_height, p.out_width, p.columns, i * TILE, j * TILE,
                              TILE, dy_copy);
      transform_gradient(dy, p.columns, gradients + n * PANEL, out_step, block * PANEL);
      NEXT_TILE(rows, across)
    }
    for (i32 f = 0; f < FREQUENCIES; f++)
      for (i32 c = 0; c < p.channels; c += LANES) {
        const f32 *a = inputs + f * step + c * block, *b = gradients + f * out_step;
        f32 *sum = sums + f * sum_step + c * p.columns;
        for (i32 n = 0; n < p.columns; n += PANEL) outer_product(a, b + n * block, count, sum + n, p.columns);
      }
  }
  for (i32 c = 0; c < p.channels; c++)
    for (i32 n = 0; n < p.columns; n += LANES) {
      v128_t down[3 * WINDOW], line[WINDOW], taps[3];
      const f32 *from = sums + c * p.columns + n;
      ROLLED for (i32 k = 0; k < WINDOW; k++) {
        UNROLL for (i32 m = 0; m < WINDOW; m++) line[m] = load(from + (m * WINDOW + k) * sum_step);
        to_taps(line, taps);
        UNROLL for (i32 m = 0; m < 3; m++) down[m * WINDOW + k] = taps[m];
      }
      f32 *to = p.output + c * p.columns + n;
      ROLLED for (i32 m = 0; m < 3; m++) {
        to_taps(down + m * WINDOW, taps);
        UNROLL for (i32 k = 0; k < 3; k++) store(to + (m * 3 + k) * p.channels * p.columns, taps[k]);
      }
    }
}
