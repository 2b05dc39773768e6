// apps/progress.h: a bar on standard error, if that is a terminal and the work takes its time.
#pragma once

#include <chrono>
#include <string>

#include "apps/console.h"

namespace godwit {

// The bar appears after a second, with the time left, and goes with its object.
class Progress {
 public:
  // `steps`: how often Advance(1.0) is expected.
  Progress(const Console& console, std::string label, double steps);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { Clear(); }
  void Advance(double steps);
  void Clear();
  bool enabled() const { return enabled_; }

 private:
  using Clock = std::chrono::steady_clock;
  const Console& console_;
  std::string label_;
  double expected_, done_ = 0;
  bool enabled_, shown_ = false;
  Clock::time_point start_, next_;
};

}  // namespace godwit
