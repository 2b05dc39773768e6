// codecs/image/decode_crew.h: threads that take pieces from one board.
#pragma once

#include <omp.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "codecs/image/decode_board.h"

namespace godwit::swift {

// No two threads run at once: Run() is for one thread, which it is the first of. Allocates nothing.
class DecodeCrew {
 public:
  // `task` has
  //   void Do(piece): side by side on all threads;
  //   void Done(piece): one thread at a time, tells the board;
  //   bool IsDone(): likewise.
  // Returns when it is done, or when no piece can go any more.
  template <typename Task>
  void Run(DecodeBoard& board, Task& task, int threads) {
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
      // Latents come one after another and hold up the rest: one thread rather does them.
      const bool latents = omp_get_num_threads() > 1 && omp_get_thread_num() == 0;
      Work(board, task, latents);
    }
  }

 private:
  // Looks for something to do before a thread sleeps: some 20 microseconds, as long as a piece of
  // latents takes.
  static constexpr int kLooks = 1000;

  template <typename Task>
  void Work(DecodeBoard& board, Task& task, bool latents) {
    DecodePiece piece;
    std::unique_lock held(lock_);
    while (!task.IsDone()) {
      const DecodePiece next = board.Take(latents, piece);
      if (next.kind == DecodePiece::kNone) {
        if (busy_ == 0) break;
        Wait(held);
        continue;
      }
      piece = next;
      ++busy_;
      held.unlock();
      task.Do(piece);
      held.lock();
      --busy_;
      task.Done(piece);
      changes_.fetch_add(1, std::memory_order_release);
      if (sleeping_ > 0) changed_.notify_all();
    }
  }
  // For a piece to be done.
  void Wait(std::unique_lock<std::mutex>& held) {
    const uint32_t seen = changes_.load(std::memory_order_relaxed);
    const auto changed = [&] { return changes_.load(std::memory_order_acquire) != seen; };
    held.unlock();
    for (int i = 0; i < kLooks && !changed(); ++i) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    held.lock();
    ++sleeping_;
    changed_.wait(held, changed);
    --sleeping_;
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::atomic<uint32_t> changes_{0};
  int busy_ = 0, sleeping_ = 0;
};

}  // namespace godwit::swift
