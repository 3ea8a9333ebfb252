// Our operations, registered with TensorFlow when Node loads this library as an addon.
#include <array>

#include "convolution.h"
#include "normalization.h"
#include "operation.h"

namespace voxface {
namespace {

/** Gradients of the filter and of the bias of a 2D or 3D convolution, channels last. */
class FilterGradientOperation {
 public:
  static constexpr std::array<int, 0> kShapes = {};

  explicit FilterGradientOperation(Construction& construction) {
    Read(construction.List("kernel"), 1, shape_.kernel, construction);
    Read(construction.List("strides"), 1, shape_.stride, construction);
    Read(construction.List("before"), 0, shape_.before, construction);
  }

  void operator()(Run& run) const {
    const Input x = run.Read(0), dy = run.Read(1);
    const Sizes &from = x.sizes, &to = dy.sizes;
    const size_t rank = from.size();
    if (!run.Check((rank == 4 || rank == 5) && to.size() == rank && to[0] == from[0],
                   "VoxfaceFilterGradient: x and dy must be batches of 2D or 3D tensors of the same size"))
      return;
    Convolution shape = shape_;
    shape.batch = from[0];
    shape.channels = from.back();
    shape.filters = to.back();
    for (int i = 0; i < 3; i++) {
      // 2D is 3D with a width of one.
      const bool is_absent = rank == 4 && i == 1;
      const int at = rank == 4 && i == 2 ? 2 : i + 1;
      shape.in[i] = is_absent ? 1 : from[at];
      shape.out[i] = is_absent ? 1 : to[at];
    }
    Sizes sizes(shape.kernel, shape.kernel + 3);
    if (rank == 4) sizes.erase(sizes.begin() + 1);
    sizes.insert(sizes.end(), {shape.channels, shape.filters});
    float* filter = run.Output(0, sizes);
    float* bias = run.Output(1, {shape.filters});
    if (!run.Check(filter != nullptr && bias != nullptr, "VoxfaceFilterGradient: no memory for the result")) return;
    FilterGradient(shape, x.values, dy.values, filter, bias);
  }

 private:
  static void Read(Sizes list, int64_t absent, int64_t* values, Construction& construction) {
    if (list.size() == 2) list.insert(list.begin() + 1, absent);
    construction.Check(list.size() == 3, "VoxfaceFilterGradient: lists must have two or three numbers");
    for (size_t i = 0; i < 3 && i < list.size(); i++) values[i] = list[i];
  }

  Convolution shape_{};
};

Normalization ReadNormalization(Construction& construction) {
  Normalization shape{};
  shape.epsilon = construction.Number("epsilon");
  shape.is_rectified = construction.Flag("rectified");
  return shape;
}

/** Rows and channels of x; false unless every vector has one value per channel. */
bool Measure(const Input& x, const std::vector<const Input*>& vectors, Normalization* shape) {
  if (x.sizes.size() < 2 || x.Length() == 0) return false;
  shape->channels = x.sizes.back();
  shape->rows = x.Length() / shape->channels;
  for (const Input* vector : vectors)
    if (vector->values == nullptr || vector->Length() != shape->channels) return false;
  return true;
}

/** Batch normalization with the batch's own statistics, which it also gives, and the running ones after it. */
class NormalizationOperation {
 public:
  static constexpr std::array<int, 5> kShapes = {0, 1, 1, 1, 1};

  explicit NormalizationOperation(Construction& construction)
      : shape_(ReadNormalization(construction)), share_(construction.Number("share")) {}

  void operator()(Run& run) const {
    const Input x = run.Read(0), scale = run.Read(1), offset = run.Read(2), old_mean = run.Read(3), old_variance = run.Read(4);
    Normalization shape = shape_;
    if (!run.Check(Measure(x, {&scale, &offset, &old_mean, &old_variance}, &shape),
                   "VoxfaceNormalization: x must have rows of channels, the others a value per channel"))
      return;
    const Sizes vector = {shape.channels};
    float* y = run.OutputInPlaceOf({0}, 0, x.sizes);
    float* running[] = {run.Output(1, vector), run.Output(2, vector)};
    float* mean = run.Output(3, vector);
    float* variance = run.Output(4, vector);
    if (!run.Check(y && running[0] && running[1] && mean && variance, "VoxfaceNormalization: no memory for the result")) return;
    Normalize(shape, x.values, scale.values, offset.values, y, mean, variance);
    const float unbiased = shape.rows / static_cast<float>(shape.rows > 1 ? shape.rows - 1 : 1);
    for (int64_t i = 0; i < shape.channels; i++) {
      running[0][i] = old_mean.values[i] + share_ * (mean[i] - old_mean.values[i]);
      running[1][i] = old_variance.values[i] + share_ * (variance[i] * unbiased - old_variance.values[i]);
    }
  }

 private:
  Normalization shape_;
  /** Of the batch in the running statistics. */
  float share_;
};

class NormalizationGradientOperation {
 public:
  static constexpr std::array<int, 3> kShapes = {1, 2, 2};

  explicit NormalizationGradientOperation(Construction& construction) : shape_(ReadNormalization(construction)) {}

  void operator()(Run& run) const {
    const Input dy = run.Read(0), x = run.Read(1), scale = run.Read(2), offset = run.Read(3), mean = run.Read(4),
                variance = run.Read(5);
    const bool is_added = run.Inputs() > 6;
    const Input other = is_added ? run.Read(6) : Input{nullptr, x.sizes};
    Normalization shape = shape_;
    if (!run.Check(Measure(x, {&scale, &offset, &mean, &variance}, &shape) && dy.Length() == x.Length() &&
                       other.Length() == x.Length(),
                   "VoxfaceNormalizationGradient: dy must have the size of x, the others a value per channel"))
      return;
    const Sizes vector = {shape.channels};
    float* dx = run.OutputInPlaceOf(is_added ? std::vector<int>{0, 6} : std::vector<int>{0}, 0, x.sizes);
    float* dscale = run.Output(1, vector);
    float* doffset = run.Output(2, vector);
    if (!run.Check(dx && dscale && doffset, "VoxfaceNormalizationGradient: no memory for the result")) return;
    NormalizeGradient(shape, dy.values, x.values, scale.values, offset.values, mean.values, variance.values, other.values, dx, dscale, doffset);
  }

 private:
  Normalization shape_;
};

/** Registers everything once per process; false where this processor cannot run it. */
bool RegisterAll() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return false;
  return Register<FilterGradientOperation>("VoxfaceFilterGradient",
                                           {"kernel: list(int)", "strides: list(int)", "before: list(int)"},
                                           {"x: float", "dy: float"}, {"filter: float", "bias: float"}) &&
         Register<NormalizationOperation>(
             "VoxfaceNormalization", {"epsilon: float", "share: float", "rectified: bool = false"},
             {"x: float", "scale: float", "offset: float", "running_mean: float", "running_variance: float"},
             {"y: float", "new_mean: float", "new_variance: float", "mean: float", "variance: float"}) &&
         Register<NormalizationGradientOperation>(
             "VoxfaceNormalizationGradient", {"epsilon: float", "rectified: bool = false", "added: int >= 0 = 0"},
             {"dy: float", "x: float", "scale: float", "offset: float", "mean: float", "variance: float", "others: added * float"},
             {"dx: float", "dscale: float", "doffset: float"});
}

const bool is_registered = RegisterAll();

}  // namespace
}  // namespace voxface

struct napi_env__;
struct napi_value__;
extern "C" __attribute__((weak)) int napi_create_int32(napi_env__*, int32_t, napi_value__**);

/**
 * Node asks for the addon's exports: 0 where this processor cannot run our operations, 2 where they are the faster ones, 1 where that is not
 * known: oneDNN's kernels for AVX-512 may be as fast.
 */
extern "C" __attribute__((visibility("default"))) napi_value__* napi_register_module_v1(napi_env__* environment, napi_value__*) {
  napi_value__* exports = nullptr;
  napi_create_int32(environment, !voxface::is_registered ? 0 : __builtin_cpu_supports("avx512f") ? 1 : 2, &exports);
  return exports;
}
