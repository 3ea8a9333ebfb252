// Loops over threads of our own: TensorFlow's C interface does not lend its threads.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace voxface {

/** One contiguous piece of a loop. */
using Piece = void (*)(const void* context, int64_t begin, int64_t end);

/** Runs [0, count) in pieces, this thread among those that take them; returns when all are done. */
void RunPieces(int64_t count, int64_t pieces, Piece piece, const void* context);

/** Threads that one operation may use: TensorFlow's setting TF_NUM_INTRAOP_THREADS, or one per core. */
int Threads();

/**
 * Calls run(begin, end) for pieces of [0, count), over threads where that pays.
 * @param work multiplications and additions of one step of the loop
 */
template <typename Run>
void ParallelFor(int64_t count, int64_t work, const Run& run) {
  constexpr int64_t kLeastWork = 1 << 20;
  const int64_t most = count * work / kLeastWork;
  const int64_t pieces = most < count ? most : count;
  if (pieces < 2 || Threads() < 2) return run(int64_t{0}, count);
  // A few pieces per thread: others may be busy elsewhere.
  const int64_t wanted = 4 * Threads();
  RunPieces(count, pieces < wanted ? pieces : wanted,
            [](const void* context, int64_t begin, int64_t end) { (*static_cast<const Run*>(context))(begin, end); }, &run);
}

/** Memory for vectors, without values, kept by the thread for its next operation. */
class Scratch {
 public:
  float* Take(int64_t length) {
    if (length > length_) {
      memory_.reset(static_cast<float*>(std::aligned_alloc(64, (length * sizeof(float) + 63) / 64 * 64)));
      length_ = length;
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  std::unique_ptr<float, Free> memory_;
  int64_t length_ = 0;
};

}  // namespace voxface
