#include "apps/progress.h"

#include <unistd.h>

#include <algorithm>

#include "fmt/core.h"

namespace godwit {
namespace {

constexpr int kBarWidth = 40;

}  // namespace

Progress::Progress(const Console& console, std::string label, double steps)
    : console_(console),
      label_(std::move(label)),
      expected_(std::max(steps, 1e-9)),
      enabled_(!console.quiet && ::isatty(STDERR_FILENO) == 1),
      next_(Clock::now() + std::chrono::seconds(1)) {}

void Progress::Advance(double steps) {
  done_ += steps;
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  const double fraction = std::clamp(done_ / expected_, 0.0, 1.0);
  const int filled = static_cast<int>(fraction * kBarWidth);
  console_.err << fmt::format("\r{} [{:=<{}}{:{}}] {:3.0f} %", label_, "", filled, "",
                              kBarWidth - filled, fraction * 100)
               << std::flush;
  shown_ = true;
}

void Progress::Clear() {
  if (shown_) console_.err << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace godwit
