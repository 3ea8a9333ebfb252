// Copies of blocks, and the gradient of nearest-neighbour resizing. All elements have four bytes.
#include "kernels.h"

static inline void copy_run(const f32 *source, f32 *target, i32 width) {
  if (width >= 64) {
    __builtin_memcpy(target, source, (unsigned)width * sizeof(f32));
    return;
  }
  i32 i = 0;
  for (; i + LANES <= width; i += LANES) store(target + i, load(source + i));
  for (; i < width; i++) target[i] = source[i];
}

struct plan {
  const f32 *source;
  f32 *target;
  i32 width;      // contiguous elements of the innermost runs
  i32 size[5];    // runs along each axis
  i32 from[5];    // source elements per step along each axis
  i32 to[5];      // target elements per step along each axis
};

// Copies a box of runs between two layouts: slices, splits, concatenations and pads.
void EXPORT(copy_box)(const struct plan *plan) {
  const struct plan p = *plan;
  for (i32 a = 0; a < p.size[0]; a++)
    for (i32 b = 0; b < p.size[1]; b++)
      for (i32 c = 0; c < p.size[2]; c++)
        for (i32 d = 0; d < p.size[3]; d++) {
          const f32 *source = p.source + a * p.from[0] + b * p.from[1] + c * p.from[2] + d * p.from[3];
          f32 *target = p.target + a * p.to[0] + b * p.to[1] + c * p.to[2] + d * p.to[3];
          for (i32 e = 0; e < p.size[4]; e++, source += p.from[4], target += p.to[4]) copy_run(source, target, p.width);
        }
}

// dx[b, rows[i], columns[j], :] += dy[b, i, j, :] for every output pixel.
void EXPORT(nearest_gradient)(const f32 *dy, f32 *dx, const i32 *rows, const i32 *columns, i32 batch, i32 height,
                              i32 width, i32 out_height, i32 out_width, i32 channels) {
  __builtin_memset(dx, 0, (unsigned)(batch * height * width * channels) * sizeof(f32));
  for (i32 b = 0; b < batch; b++, dx += height * width * channels)
    for (i32 i = 0; i < out_height; i++)
      for (i32 j = 0; j < out_width; j++, dy += channels) {
        f32 *to = dx + (rows[i] * width + columns[j]) * channels;
        i32 c = 0;
        for (; c + LANES <= channels; c += LANES) store(to + c, wasm_f32x4_add(load(to + c), load(dy + c)));
        for (; c < channels; c++) to[c] += dy[c];
      }
}
