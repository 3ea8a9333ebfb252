#include "parallel.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace voxface {
namespace {

struct Loop {
  int64_t count, pieces;
  Piece piece;
  const void* context;
  std::atomic<int64_t> next{0}, done{0};

  /** Takes pieces until none is left. */
  void Work() {
    for (int64_t i; (i = next.fetch_add(1)) < pieces;) {
      piece(context, i * count / pieces, (i + 1) * count / pieces);
      done.fetch_add(1, std::memory_order_release);
    }
  }
};

/** Threads that wait for loops; they live as long as the process. */
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 0; i < threads; i++) std::thread([this] { Wait(); }).detach();
  }

  void Run(const std::shared_ptr<Loop>& loop) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      loops_.push_back(loop);
    }
    waiting_.notify_all();
    loop->Work();
    // The last pieces are short: whoever has them is at work.
    while (loop->done.load(std::memory_order_acquire) < loop->pieces) std::this_thread::yield();
  }

 private:
  void Wait() {
    for (;;) {
      std::shared_ptr<Loop> loop;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        waiting_.wait(lock, [this] { return !loops_.empty(); });
        loop = loops_.front();
        if (loop->next.load() >= loop->pieces) {
          loops_.pop_front();
          continue;
        }
      }
      loop->Work();
    }
  }

  std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<std::shared_ptr<Loop>> loops_;
};

}  // namespace

int Threads() {
  static const int threads = [] {
    const char* set = std::getenv("TF_NUM_INTRAOP_THREADS");
    const int wanted = set == nullptr ? 0 : std::atoi(set);
    return wanted > 0 ? wanted : static_cast<int>(std::thread::hardware_concurrency());
  }();
  return threads;
}

void RunPieces(int64_t count, int64_t pieces, Piece piece, const void* context) {
  static Pool* pool = new Pool(Threads() - 1);
  const auto loop = std::make_shared<Loop>();
  loop->count = count;
  loop->pieces = pieces;
  loop->piece = piece;
  loop->context = context;
  pool->Run(loop);
}

}  // namespace voxface
