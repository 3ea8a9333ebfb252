// The filter's gradient is a product: for every tap, the volume's rows under it, transposed, times the rows of the result's gradient.
// Both lie in memory as the product wants them, so a tile of the result stays in registers while a loop runs over positions.
#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "convolution.h"
#include "parallel.h"

namespace voxface {
namespace {

constexpr int kLanes = 8;
/** Bytes of a block's volume and gradients, about half of a core's second cache. */
constexpr int64_t kBlockBytes = 160 << 10;
/** Bytes of padded volume that are made at once. */
constexpr int64_t kPaddedBytes = 256 << 10;

/** Output rows of a block as a tile sees them. */
struct Rows {
  /** Offset of each row's first value in the volume. */
  const int64_t* offsets;
  int64_t count;
  /** Positions of a row, and the step between two of them in the volume. */
  int64_t width, step;
};

/** Memory that is read next: each position asks for a piece, so that the second cache has it in time. */
struct Ahead {
  const char* from;
  int64_t step;
};

/** Adds to an R x (V vectors) part of the filter's gradient; `dy` is a packed panel. */
template <int R, int V, bool kAhead>
void AddTile(const float* x, const Rows& rows, const float* dy, float* result, int64_t pitch, int64_t columns, Ahead ahead) {
  __m256 sums[R][V];
  _Pragma("GCC unroll 16") for (int r = 0; r < R; r++)
    _Pragma("GCC unroll 16") for (int v = 0; v < V; v++) sums[r][v] = _mm256_setzero_ps();
  for (int64_t row = 0; row < rows.count; row++) {
    const float* from = x + rows.offsets[row];
    for (int64_t i = 0; i < rows.width; i++) {
      __m256 gradient[V];
      _Pragma("GCC unroll 16") for (int v = 0; v < V; v++) gradient[v] = _mm256_load_ps(dy + v * kLanes);
      _Pragma("GCC unroll 16") for (int r = 0; r < R; r++) {
        const __m256 value = _mm256_broadcast_ss(from + r);
        _Pragma("GCC unroll 16") for (int v = 0; v < V; v++) sums[r][v] = _mm256_fmadd_ps(value, gradient[v], sums[r][v]);
      }
      if (kAhead) {
        _mm_prefetch(ahead.from, _MM_HINT_T1);
        ahead.from += ahead.step;
      }
      from += rows.step;
      dy += V * kLanes;
    }
  }
  if (columns == V * kLanes) {
    _Pragma("GCC unroll 16") for (int r = 0; r < R; r++)
      _Pragma("GCC unroll 16") for (int v = 0; v < V; v++) {
        float* to = result + r * pitch + v * kLanes;
        _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), sums[r][v]));
      }
    return;
  }
  alignas(32) float row[V * kLanes];
  _Pragma("GCC unroll 16") for (int r = 0; r < R; r++) {
    _Pragma("GCC unroll 16") for (int v = 0; v < V; v++) _mm256_store_ps(row + v * kLanes, sums[r][v]);
    for (int64_t i = 0; i < columns; i++) result[r * pitch + i] += row[i];
  }
}

/** The next block's memory, as the tiles of this one ask for it: the first tiles for the gradient, the others for the volume. */
struct Next {
  const float* dy;
  const float* x;
  int64_t dy_tiles, dy_step, x_step;

  Next() : dy(nullptr) {}
  Next(const float* dy, int64_t filters, const float* x, int64_t channels, int64_t tiles, int64_t share)
      : dy(dy), x(x), dy_tiles((tiles * filters + channels + filters - 1) / (channels + filters)) {
    dy_step = share * filters / dy_tiles;
    x_step = dy_tiles < tiles ? share * channels / (tiles - dy_tiles) : 0;
  }

  Ahead Slice(int64_t tile, int64_t count) const {
    if (dy == nullptr) return {nullptr, 0};
    if (tile < dy_tiles) return {reinterpret_cast<const char*>(dy) + tile * dy_step * count, dy_step};
    return {reinterpret_cast<const char*>(x) + (tile - dy_tiles) * x_step * count, x_step};
  }
};

using AddTileFunction = decltype(&AddTile<1, 1, false>);

/** Tiles of twelve sums or fewer: the sixteen registers also hold a row of gradients and one value. */
constexpr int kMostRows[] = {0, 12, 6, 4};

template <bool A>
constexpr AddTileFunction kTiles[][13] = {
    {},
    {nullptr, AddTile<1, 1, A>, AddTile<2, 1, A>, AddTile<3, 1, A>, AddTile<4, 1, A>, AddTile<5, 1, A>, AddTile<6, 1, A>,
     AddTile<7, 1, A>, AddTile<8, 1, A>, AddTile<9, 1, A>, AddTile<10, 1, A>, AddTile<11, 1, A>, AddTile<12, 1, A>},
    {nullptr, AddTile<1, 2, A>, AddTile<2, 2, A>, AddTile<3, 2, A>, AddTile<4, 2, A>, AddTile<5, 2, A>, AddTile<6, 2, A>},
    {nullptr, AddTile<1, 3, A>, AddTile<2, 3, A>, AddTile<3, 3, A>, AddTile<4, 3, A>},
};

/** A panel: columns of the gradient that a tile takes together. */
struct Panel {
  int64_t start, columns;
  int vectors;
};

std::vector<Panel> DividePanels(int64_t filters) {
  std::vector<Panel> panels;
  for (int64_t start = 0; start < filters;) {
    const int64_t left = filters - start;
    const int vectors = left > 2 * kLanes && left <= 3 * kLanes ? 3 : left > kLanes ? 2 : 1;
    const int64_t columns = std::min<int64_t>(left, vectors * kLanes);
    panels.push_back({start, columns, vectors});
    start += columns;
  }
  return panels;
}

/** Tiles along the channels of a row of taps. */
int64_t TilesOf(const Panel& panel, int64_t depth) {
  return (depth + kMostRows[panel.vectors] - 1) / kMostRows[panel.vectors];
}

/** Copies rows of the gradient [count, filters] into panels, zeros where the last one is not full, and adds their sum to the bias. */
void PackPanels(const float* dy, int64_t count, int64_t filters, const std::vector<Panel>& panels, float* to, float* bias) {
  const Panel& last = panels.back();
  const int64_t full = last.columns == last.vectors * kLanes ? filters : last.start;
  for (int64_t i = 0; i < count; i++, dy += filters) {
    for (const Panel& panel : panels) {
      float* row = to + panel.start * count + i * panel.vectors * kLanes;
      if (panel.start < full)
        for (int v = 0; v < panel.vectors; v++)
          _mm256_store_ps(row + v * kLanes, _mm256_loadu_ps(dy + panel.start + v * kLanes));
      else
        for (int64_t j = 0; j < panel.vectors * kLanes; j++) row[j] = j < panel.columns ? dy[full + j] : 0;
    }
  }
  for (const Panel& panel : panels)
    for (int64_t v = 0; v < panel.vectors * kLanes; v += kLanes) {
      __m256 sum = _mm256_setzero_ps();
      const float* rows = to + panel.start * count + v;
      for (int64_t i = 0; i < count; i++) sum = _mm256_add_ps(sum, _mm256_load_ps(rows + i * panel.vectors * kLanes));
      alignas(32) float sums[kLanes];
      _mm256_store_ps(sums, sum);
      for (int64_t j = 0; j < kLanes && v + j < panel.columns; j++) bias[panel.start + v + j] += sums[j];
    }
}

/** Part of the batch whose padded volume is made at once: whole samples, or some output planes of one. */
struct Part {
  int64_t sample, samples, plane, planes;
};

/** Writes a part's volume with the zeros around it: [samples, rows, size[1], size[2], channels]. */
void PadPart(const Convolution& s, const Part& part, const int64_t* size, int64_t rows, const float* x, float* to) {
  const int64_t c = s.channels;
  const int64_t left = s.before[2] * c;
  const int64_t inner = std::min(s.in[2] * c, size[2] * c - left);
  const int64_t right = size[2] * c - left - inner;
  for (int64_t b = 0; b < part.samples; b++)
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < size[1]; j++, to += size[2] * c) {
        const int64_t row = part.plane * s.stride[0] + i - s.before[0];
        const int64_t column = j - s.before[1];
        if (row < 0 || row >= s.in[0] || column < 0 || column >= s.in[1]) {
          std::memset(to, 0, size[2] * c * sizeof(float));
          continue;
        }
        const float* from = x + (((part.sample + b) * s.in[0] + row) * s.in[1] + column) * s.in[2] * c;
        std::memset(to, 0, left * sizeof(float));
        std::memcpy(to + left, from, inner * sizeof(float));
        std::memset(to + left + inner, 0, right * sizeof(float));
      }
}

/** What the padded volume of a whole sample must hold for every tap of every position. */
int64_t PaddedSize(const Convolution& s, int i) { return (s.out[i] - 1) * s.stride[i] + s.kernel[i]; }

}  // namespace

void FilterGradient(const Convolution& s, const float* x, const float* dy, float* filter, float* bias) {
  const int64_t c = s.channels, o = s.filters;
  const int64_t taps = s.kernel[0] * s.kernel[1];
  const int64_t depth = s.kernel[2] * c;
  std::memset(filter, 0, taps * depth * o * sizeof(float));
  std::memset(bias, 0, o * sizeof(float));
  if (s.batch * s.out[0] * s.out[1] * s.out[2] * c * o == 0) return;
  const std::vector<Panel> panels = DividePanels(o);
  const int64_t packed = panels.back().start + panels.back().vectors * kLanes;
  const int64_t size[] = {PaddedSize(s, 0), PaddedSize(s, 1), PaddedSize(s, 2)};
  bool is_whole = true;
  for (int i = 0; i < 3; i++) is_whole = is_whole && s.before[i] == 0 && size[i] <= s.in[i];
  // Taps that lie side by side count as channels of one: rows of both are in one piece.
  const bool is_flat = is_whole && taps == 1 && s.kernel[2] == 1 && s.stride[0] == 1 && s.stride[1] == 1 && s.stride[2] == 1 &&
                       s.in[0] == s.out[0] && s.in[1] == s.out[1] && s.in[2] == s.out[2];
  const int64_t rows_of_plane = s.out[1], width = s.out[2];
  thread_local Scratch padded_memory, panel_memory;
  std::vector<int64_t> offsets;
  int64_t tiles = 0;
  for (const Panel& panel : panels) tiles += TilesOf(panel, depth);
  auto add_block = [&](const float* volume, int64_t pitch_row, int64_t pitch_column, const Rows& rows, const float* dy_block, const Next& next) {
    const int64_t count = rows.count * rows.width;
    float* gradients = panel_memory.Take(count * packed);
    PackPanels(dy_block, count, o, panels, gradients, bias);
    ParallelFor(taps * tiles, count * depth * o / tiles, [&](int64_t begin, int64_t end) {
      int64_t done = 0;
      for (int64_t tap = begin / tiles, skip = begin % tiles, left = end - begin; left > 0; tap++, skip = 0) {
        const float* from = volume + (tap / s.kernel[1]) * pitch_row + (tap % s.kernel[1]) * pitch_column;
        for (const Panel& panel : panels) {
          const int64_t of_panel = TilesOf(panel, depth);
          for (int64_t tile = skip; tile < of_panel && left > 0; tile++, left--) {
            const int64_t first = tile * depth / of_panel, last = (tile + 1) * depth / of_panel;
            const Ahead ahead = next.Slice(begin + done++, count);
            const auto& add = ahead.from == nullptr ? kTiles<false> : kTiles<true>;
            add[panel.vectors][last - first](from + first, rows, gradients + panel.start * count,
                                                filter + (tap * depth + first) * o + panel.start, o, panel.columns, ahead);
          }
          skip = std::max<int64_t>(0, skip - of_panel);
        }
      }
    });
  };
  if (is_flat) {
    const int64_t positions = s.batch * s.out[0] * s.out[1] * s.out[2];
    const int64_t most = std::max<int64_t>(64, kBlockBytes / int64_t((c + 2 * o) * sizeof(float)));
    const int64_t blocks = (positions + most - 1) / most;
    const int64_t start = 0;
    for (int64_t i = 0; i < blocks; i++) {
      const int64_t first = i * positions / blocks, last = (i + 1) * positions / blocks;
      Next next;
      if (i + 1 < blocks) next = Next(dy + last * o, o, x + last * c, c, tiles, sizeof(float));
      add_block(x + first * c, 0, 0, {&start, 1, last - first, c}, dy + first * o, next);
    }
    return;
  }
  const int64_t plane_bytes = size[1] * size[2] * c * sizeof(float);
  const int64_t sample_bytes = size[0] * plane_bytes;
  const int64_t samples = std::max<int64_t>(1, kPaddedBytes / sample_bytes);
  const int64_t most_planes = sample_bytes <= kPaddedBytes
      ? s.out[0] : std::max<int64_t>(1, (kPaddedBytes / plane_bytes - s.kernel[0]) / s.stride[0] + 1);
  for (int64_t b = 0; b < s.batch; b += samples)
    for (int64_t plane = 0; plane < s.out[0]; plane += most_planes) {
      const Part part = {b, std::min(samples, s.batch - b), plane, std::min(most_planes, s.out[0] - plane)};
      const int64_t part_rows = (part.planes - 1) * s.stride[0] + s.kernel[0];
      float* padded = padded_memory.Take(part.samples * part_rows * size[1] * size[2] * c);
      PadPart(s, part, size, part_rows, x, padded);
      const int64_t pitch = size[2] * c;
      offsets.clear();
      for (int64_t i = 0; i < part.samples; i++)
        for (int64_t h = 0; h < part.planes; h++)
          for (int64_t w = 0; w < rows_of_plane; w++)
            offsets.push_back(((i * part_rows + h * s.stride[0]) * size[1] + w * s.stride[1]) * pitch);
      const int64_t count = offsets.size();
      const int64_t row_bytes = width * (s.stride[0] * s.stride[1] * s.stride[2] * c + 2 * o) * sizeof(float);
      const int64_t most = std::max<int64_t>(1, kBlockBytes / row_bytes);
      const int64_t blocks = (count + most - 1) / most;
      const float* dy_part = dy + (part.sample * s.out[0] + part.plane) * rows_of_plane * width * o;
      for (int64_t i = 0; i < blocks; i++) {
        const int64_t first = i * count / blocks, last = (i + 1) * count / blocks;
        add_block(padded, size[1] * pitch, pitch, {offsets.data() + first, last - first, width, s.stride[2] * c},
                  dy_part + first * width * o, {});
      }
    }
}

}  // namespace voxface
