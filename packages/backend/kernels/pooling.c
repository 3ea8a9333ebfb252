// Max pooling over three spatial axes, NDHWC, and its gradient; sums by segment.
#include "kernels.h"

struct plan {
  const f32 *input;
  f32 *output;
  i32 batch, channels;
  i32 d1, d2, d3;
  i32 o1, o2, o3;
  i32 k1, k2, k3;
  i32 s1, s2, s3;
  i32 g1, g2, g3; // dilation
  i32 p1, p2, p3; // padding in front
};

// Windows hold only pixels of the input; an empty window gives -infinity.
void EXPORT(max_pool)(const struct plan *plan) {
  const struct plan p = *plan;
  f32 *out = p.output;
  for (i32 b = 0; b < p.batch; b++)
    for (i32 i = 0; i < p.o1; i++)
      for (i32 j = 0; j < p.o2; j++)
        for (i32 k = 0; k < p.o3; k++, out += p.channels) {
          for (i32 c = 0; c < p.channels; c++) out[c] = -__builtin_inff();
          for (i32 a = 0; a < p.k1; a++) {
            i32 x1 = i * p.s1 - p.p1 + a * p.g1;
            if (x1 < 0 || x1 >= p.d1) continue;
            for (i32 e = 0; e < p.k2; e++) {
              i32 x2 = j * p.s2 - p.p2 + e * p.g2;
              if (x2 < 0 || x2 >= p.d2) continue;
              for (i32 f = 0; f < p.k3; f++) {
                i32 x3 = k * p.s3 - p.p3 + f * p.g3;
                if (x3 < 0 || x3 >= p.d3) continue;
                const f32 *in = p.input + (((b * p.d1 + x1) * p.d2 + x2) * p.d3 + x3) * p.channels;
                i32 c = 0;
                for (; c + LANES <= p.channels; c += LANES)
                  store(out + c, wasm_f32x4_pmax(load(out + c), load(in + c)));
                for (; c < p.channels; c++) out[c] = in[c] > out[c] ? in[c] : out[c];
              }
            }
          }
        }
}


// The pooling plan with the gradients: x = input, dx = output (zeroed here).
struct gradient_plan {
  struct plan pool;
  const f32 *y;
  const f32 *dy;
};

// dx of max pooling: dy goes to the first pixel of the window that equals y.
void EXPORT(max_pool_gradient)(const struct gradient_plan *plan) {
  const struct gradient_plan g = *plan;
  const struct plan p = g.pool;
  const f32 *y = g.y, *dy = g.dy;
  __builtin_memset(p.output, 0, (unsigned)(p.batch * p.d1 * p.d2 * p.d3 * p.channels) * sizeof(f32));
  for (i32 b = 0; b < p.batch; b++)
    for (i32 i = 0; i < p.o1; i++)
      for (i32 j = 0; j < p.o2; j++)
        for (i32 k = 0; k < p.o3; k++, y += p.channels, dy += p.channels)
          for (i32 c = 0; c < p.channels; c += LANES) {
            i32 width = p.channels - c < LANES ? p.channels - c : LANES;
            v128_t largest = load_lanes(y + c, width), gradient = load_lanes(dy + c, width);
            v128_t open = wasm_i32x4_const_splat(-1);
            for (i32 a = 0; a < p.k1; a++) {
              i32 x1 = i * p.s1 - p.p1 + a * p.g1;
              if (x1 < 0 || x1 >= p.d1) continue;
              for (i32 e = 0; e < p.k2; e++) {
                i32 x2 = j * p.s2 - p.p2 + e * p.g2;
                if (x2 < 0 || x2 >= p.d2) continue;
                for (i32 f = 0; f < p.k3; f++) {
                  i32 x3 = k * p.s3 - p.p3 + f * p.g3;
                  if (x3 < 0 || x3 >= p.d3) continue;
                  i32 at = (((b * p.d1 + x1) * p.d2 + x2) * p.d3 + x3) * p.channels + c;
                  v128_t here = wasm_v128_and(wasm_f32x4_eq(load_lanes(p.input + at, width), largest), open);
                  open = wasm_v128_andnot(open, here);
                  f32 *dx = p.output + at;
                  v128_t sum = wasm_f32x4_add(load_lanes(dx, width), wasm_v128_and(gradient, here));
                  store_lanes(dx, sum, width);
                }
              }
            }
          }
}

// output[ids[i], :] += input[i, :]; ids outside 0..segments-1 are dropped.
void EXPORT(segment_sum)(const f32 *input, const i32 *ids, f32 *output, i32 count, i32 width, i32 segments) {
  __builtin_memset(output, 0, (unsigned)(segments * width) * sizeof(f32));
  for (i32 i = 0; i < count; i++, input += width) {
    if (ids[i] < 0 || ids[i] >= segments) continue;
    f32 *out = output + ids[i] * width;
    i32 c = 0;
    for (; c + LANES <= width; c += LANES) store(out + c, wasm_f32x4_add(load(out + c), load(input + c)));
    for (; c < width; c++) out[c] += input[c];
  }
}
