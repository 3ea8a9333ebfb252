// Memory sets the pace here. Rows are cut into blocks, whose sums are added in the same order on any number of threads.
#include "normalization.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "parallel.h"

namespace voxface {
namespace {

constexpr int kLanes = 8;
/** Values of a block. */
constexpr int64_t kBlock = 16 << 10;

/** Loads and stores of full vectors. */
struct Full {
  __m256 Load(const float* from) const { return _mm256_loadu_ps(from); }
  void Store(float* to, __m256 values) const { _mm256_storeu_ps(to, values); }
};

/** The last vector of channels that are no multiple of eight: lanes beyond them are zero and not written. */
struct Partial {
  __m256i mask;
  explicit Partial(int64_t lanes)
      : mask(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(lanes)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))) {}
  __m256 Load(const float* from) const { return _mm256_maskload_ps(from, mask); }
  void Store(float* to, __m256 values) const { _mm256_maskstore_ps(to, mask, values); }
};

/** Calls run(first channel, access, vectors) for groups of one or two vectors. */
template <typename Run>
void ForChannels(int64_t channels, const Run& run) {
  int64_t c = 0;
  for (; c + 2 * kLanes <= channels; c += 2 * kLanes) run(c, Full(), std::integral_constant<int, 2>());
  for (; c + kLanes <= channels; c += kLanes) run(c, Full(), std::integral_constant<int, 1>());
  if (c < channels) run(c, Partial(channels - c), std::integral_constant<int, 1>());
}

/** Blocks of rows; `run(block, first row, last row)` is called for each, last blocks first if `is_reversed`. */
struct Blocks {
  int64_t rows, count;
  explicit Blocks(const Normalization& s) : rows(s.rows), count(std::max<int64_t>(1, s.rows * s.channels / kBlock)) {}

  template <typename Run>
  void ForEach(bool is_reversed, const Run& run) const {
    ParallelFor(count, 4 * kBlock, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t block = is_reversed ? count - 1 - i : i;
        run(block, block * rows / count, (block + 1) * rows / count);
      }
    });
  }
};

/** Sums over blocks of two values per channel, in double. */
void AddBlocks(const std::vector<float>& sums, int64_t blocks, int64_t channels, std::vector<double>* totals) {
  totals->assign(2 * channels, 0);
  for (int64_t i = 0; i < blocks; i++)
    for (int64_t j = 0; j < 2 * channels; j++) (*totals)[j] += sums[i * 2 * channels + j];
}

/** What both passes make of a value: y = x * factor + shift. */
void FindLine(int64_t c, const float* scale, const float* offset, const float* mean, const float* variance, float epsilon,
              float* factor, float* shift) {
  for (int64_t i = 0; i < c; i++) {
    factor[i] = scale[i] / std::sqrt(variance[i] + epsilon);
    shift[i] = offset[i] - mean[i] * factor[i];
  }
}

}  // namespace

void Normalize(const Normalization& s, const float* x, const float* scale, const float* offset, float* y, float* mean,
               float* variance) {
  const int64_t c = s.channels;
  const Blocks blocks(s);
  std::vector<float> sums(blocks.count * 2 * c);
  // Distances from the first row, so that little is lost where the mean is far from zero.
  blocks.ForEach(false, [&](int64_t block, int64_t first, int64_t last) {
    ForChannels(c, [&](int64_t channel, const auto& access, auto vectors) {
      constexpr int V = decltype(vectors)::value;
      __m256 origin[V], sum[V], square[V];
      _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
        origin[v] = access.Load(x + channel + v * kLanes);
        sum[v] = square[v] = _mm256_setzero_ps();
      }
      const float* row = x + first * c + channel;
      for (int64_t i = first; i < last; i++, row += c) {
        _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
          const __m256 distance = _mm256_sub_ps(access.Load(row + v * kLanes), origin[v]);
          sum[v] = _mm256_add_ps(sum[v], distance);
          square[v] = _mm256_fmadd_ps(distance, distance, square[v]);
        }
      }
      float* to = sums.data() + block * 2 * c + channel;
      _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
        access.Store(to + v * kLanes, sum[v]);
        access.Store(to + c + v * kLanes, square[v]);
      }
    });
  });
  std::vector<double> totals;
  AddBlocks(sums, blocks.count, c, &totals);
  for (int64_t i = 0; i < c; i++) {
    const double distance = totals[i] / s.rows;
    mean[i] = static_cast<float>(x[i] + distance);
    variance[i] = static_cast<float>(std::max(0.0, totals[c + i] / s.rows - distance * distance));
  }
  std::vector<float> factor(c), shift(c);
  FindLine(c, scale, offset, mean, variance, s.epsilon, factor.data(), shift.data());
  const __m256 floor = _mm256_set1_ps(s.is_rectified ? 0.0f : -INFINITY);
  blocks.ForEach(true, [&](int64_t, int64_t first, int64_t last) {
    ForChannels(c, [&](int64_t channel, const auto& access, auto vectors) {
      constexpr int V = decltype(vectors)::value;
      __m256 a[V], b[V];
      _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
        a[v] = access.Load(factor.data() + channel + v * kLanes);
        b[v] = access.Load(shift.data() + channel + v * kLanes);
      }
      const float* row = x + first * c + channel;
      float* to = y + first * c + channel;
      for (int64_t i = first; i < last; i++, row += c, to += c) {
        _Pragma("GCC unroll 2") for (int v = 0; v < V; v++)
          access.Store(to + v * kLanes, _mm256_max_ps(floor, _mm256_fmadd_ps(access.Load(row + v * kLanes), a[v], b[v])));
      }
    });
  });
}

namespace {

template <bool kRectified, bool kAdded>
void Differentiate(const Normalization& s, const float* dy, const float* x, const float* scale, const float* offset,
                   const float* mean, const float* variance, const float* other, float* dx, float* dscale, float* doffset) {
  const int64_t c = s.channels;
  const Blocks blocks(s);
  std::vector<float> sums(blocks.count * 2 * c), line(4 * c);
  float *factor = line.data(), *shift = factor + c, *slope = shift + c, *constant = slope + c;
  FindLine(c, scale, offset, mean, variance, s.epsilon, factor, shift);
  const __m256 zero = _mm256_setzero_ps();
  // Where the ReLU gave zero, nothing comes back.
  const auto gradient = [&](__m256 value, __m256 x_value, __m256 a, __m256 b) {
    if (!kRectified) return value;
    return _mm256_and_ps(value, _mm256_cmp_ps(_mm256_fmadd_ps(x_value, a, b), zero, _CMP_GT_OQ));
  };
  blocks.ForEach(false, [&](int64_t block, int64_t first, int64_t last) {
    ForChannels(c, [&](int64_t channel, const auto& access, auto vectors) {
      constexpr int V = decltype(vectors)::value;
      __m256 a[V], b[V], center[V], sum[V], product[V];
      _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
        a[v] = access.Load(factor + channel + v * kLanes);
        b[v] = access.Load(shift + channel + v * kLanes);
        center[v] = access.Load(mean + channel + v * kLanes);
        sum[v] = product[v] = zero;
      }
      for (int64_t i = first * c + channel; i < last * c; i += c) {
        _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
          const __m256 value = access.Load(x + i + v * kLanes);
          const __m256 g = gradient(access.Load(dy + i + v * kLanes), value, a[v], b[v]);
          sum[v] = _mm256_add_ps(sum[v], g);
          product[v] = _mm256_fmadd_ps(g, _mm256_sub_ps(value, center[v]), product[v]);
        }
      }
      float* to = sums.data() + block * 2 * c + channel;
      _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
        access.Store(to + v * kLanes, sum[v]);
        access.Store(to + c + v * kLanes, product[v]);
      }
    });
  });
  std::vector<double> totals;
  AddBlocks(sums, blocks.count, c, &totals);
  for (int64_t i = 0; i < c; i++) {
    const double inverse = 1 / std::sqrt(static_cast<double>(variance[i]) + s.epsilon);
    doffset[i] = static_cast<float>(totals[i]);
    dscale[i] = static_cast<float>(totals[c + i] * inverse);
    // dx = factor * (g - mean(g) - (x - mean) / deviation * mean(g * x^)), as a line of x.
    const double steep = -factor[i] * totals[c + i] * inverse * inverse / s.rows;
    slope[i] = static_cast<float>(steep);
    constant[i] = static_cast<float>(-factor[i] * totals[i] / s.rows - steep * mean[i]);
  }
  blocks.ForEach(true, [&](int64_t, int64_t first, int64_t last) {
    ForChannels(c, [&](int64_t channel, const auto& access, auto vectors) {
      constexpr int V = decltype(vectors)::value;
      __m256 a[V], b[V], m[V], n[V];
      _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
        a[v] = access.Load(factor + channel + v * kLanes);
        b[v] = access.Load(shift + channel + v * kLanes);
        m[v] = access.Load(slope + channel + v * kLanes);
        n[v] = access.Load(constant + channel + v * kLanes);
      }
      for (int64_t i = first * c + channel; i < last * c; i += c) {
        _Pragma("GCC unroll 2") for (int v = 0; v < V; v++) {
          const __m256 value = access.Load(x + i + v * kLanes);
          const __m256 g = gradient(access.Load(dy + i + v * kLanes), value, a[v], b[v]);
          __m256 result = _mm256_fmadd_ps(g, a[v], _mm256_fmadd_ps(value, m[v], n[v]));
          if (kAdded) result = _mm256_add_ps(result, access.Load(other + i + v * kLanes));
          access.Store(dx + i + v * kLanes, result);
        }
      }
    });
  });
}

}  // namespace

void NormalizeGradient(const Normalization& s, const float* dy, const float* x, const float* scale, const float* offset,
                       const float* mean, const float* variance, const float* other, float* dx, float* dscale, float* doffset) {
  const auto run = other == nullptr ? (s.is_rectified ? Differentiate<true, false> : Differentiate<false, false>)
                                    : (s.is_rectified ? Differentiate<true, true> : Differentiate<false, true>);
  run(s, dy, x, scale, offset, mean, variance, other, dx, dscale, doffset);
}

}  // namespace voxface
