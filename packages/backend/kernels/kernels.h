// Shared by the kernel sources: vector types, fused multiply-add when the relaxed instruction is enabled.
#pragma once
#include <wasm_simd128.h>

typedef float f32;
typedef int i32;

#define EXPORT(name) __attribute__((export_name(#name))) name
#define LANES 4
// Columns of one packed panel of the right-hand matrix.
#define PANEL 8

#ifdef __wasm_relaxed_simd__
static inline v128_t multiply_add(v128_t a, v128_t b, v128_t sum) {
  return (v128_t)__builtin_wasm_relaxed_madd_f32x4((__f32x4)a, (__f32x4)b, (__f32x4)sum);
}
#else
static inline v128_t multiply_add(v128_t a, v128_t b, v128_t sum) {
  return wasm_f32x4_add(wasm_f32x4_mul(a, b), sum);
}
#endif

// Columns of a wide panel. Three rows by twelve columns keep nine sums in registers where four by eight keep eight: the more, the better the
// latency of the fused addition is hidden. With ten, or with products beside the sums (plain SIMD), V8 runs out of registers.
#define WIDE 12

// Columns in wide panels; what follows are one or two panels of eight, the last one padded, or none.
static inline i32 wide_columns(i32 columns) {
#ifdef __wasm_relaxed_simd__
  i32 rounded = (columns + 3) / 4 * 4, rest = rounded % WIDE;
  return rest == 0 ? rounded : rest == 8 ? rounded - PANEL : rounded > PANEL ? rounded - 2 * PANEL : 0;
#else
  return 0;
#endif
}

static inline v128_t load(const f32 *source) { return wasm_v128_load(source); }
static inline void store(f32 *target, v128_t value) { wasm_v128_store(target, value); }
static inline v128_t splat(const f32 *source) { return wasm_v128_load32_splat(source); }

// Stores or adds the first `columns` of a row of eight.
static inline void store_row(f32 *target, v128_t low, v128_t high, i32 columns) {
  if (columns >= PANEL) {
    store(target, low);
    store(target + 4, high);
    return;
  }
  union {
    v128_t vector[2];
    f32 value[PANEL];
  } row = {.vector = {low, high}};
  for (i32 j = 0; j < columns; j++) target[j] = row.value[j];
}

static inline void add_row(f32 *target, v128_t low, v128_t high, i32 columns) {
  if (columns >= PANEL) {
    store(target, wasm_f32x4_add(load(target), low));
    store(target + 4, wasm_f32x4_add(load(target + 4), high));
    return;
  }
  union {
    v128_t vector[2];
    f32 value[PANEL];
  } row = {.vector = {low, high}};
  for (i32 j = 0; j < columns; j++) target[j] += row.value[j];
}

// The first `width` lanes (1 to 4) of a vector; the others are zero, and are not stored.
static inline v128_t load_lanes(const f32 *source, i32 width) {
  if (width >= LANES) return load(source);
  v128_t value = wasm_v128_load32_zero(source);
  if (width > 1) value = wasm_v128_load32_lane(source + 1, value, 1);
  if (width > 2) value = wasm_v128_load32_lane(source + 2, value, 2);
  return value;
}

static inline void store_lanes(f32 *target, v128_t value, i32 width) {
  if (width >= LANES) {
    store(target, value);
    return;
  }
  wasm_v128_store32_lane(target, value, 0);
  if (width > 1) wasm_v128_store32_lane(target + 1, value, 1);
  if (width > 2) wasm_v128_store32_lane(target + 2, value, 2);
}

static inline f32 lane_sum(v128_t value) {
  return (wasm_f32x4_extract_lane(value, 0) + wasm_f32x4_extract_lane(value, 1)) +
         (wasm_f32x4_extract_lane(value, 2) + wasm_f32x4_extract_lane(value, 3));
}

// What happens to the sums of a convolution.
enum activation { LINEAR, RELU, RELU6, LEAKY };

static inline v128_t activate(v128_t value, i32 activation, f32 slope) {
  v128_t zero = wasm_f32x4_const_splat(0);
  if (activation == LEAKY)
    return wasm_v128_bitselect(wasm_f32x4_mul(value, wasm_f32x4_splat(slope)), value, wasm_f32x4_lt(value, zero));
  value = wasm_f32x4_max(value, zero);
  return activation == RELU6 ? wasm_f32x4_min(value, wasm_f32x4_const_splat(6)) : value;
}
