#include "apps/progress.h"

#include <unistd.h>

#include <algorithm>

#include "fmt/core.h"

namespace godwit {
namespace {

constexpr int kBarWidth = 40;

// "3 min left"; empty while nothing can be said.
std::string TimeLeft(double elapsed_s, double fraction) {
  if (fraction < 0.01 || fraction >= 1) return "";
  const double left_s = elapsed_s * (1 - fraction) / fraction;
  if (left_s < 90) return fmt::format("{:.0f} s left", left_s);
  if (left_s < 5400) return fmt::format("{:.0f} min left", left_s / 60);
  return fmt::format("{:.1f} h left", left_s / 3600);
}

}  // namespace

Progress::Progress(const Console& console, std::string label, double steps)
    : console_(console),
      label_(std::move(label)),
      expected_(std::max(steps, 1e-9)),
      enabled_(!console.quiet && ::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      next_(start_ + std::chrono::seconds(1)) {}

void Progress::Advance(double steps) {
  done_ += steps;
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  const double fraction = std::clamp(done_ / expected_, 0.0, 1.0);
  const int filled = static_cast<int>(fraction * kBarWidth);
  const double elapsed_s = std::chrono::duration<double>(now - start_).count();
  console_.err << fmt::format("\r{} [{:=<{}}{:{}}] {:3.0f} % {:<12}", label_, "", filled, "",
                              kBarWidth - filled, fraction * 100, TimeLeft(elapsed_s, fraction))
               << std::flush;
  shown_ = true;
}

void Progress::Clear() {
  if (shown_) console_.err << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace godwit
