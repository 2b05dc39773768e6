#include "eval/stopwatch.h"

#include <omp.h>

#include <algorithm>
#include <cassert>
#include <chrono>

namespace godwit {
namespace {

using Clock = std::chrono::steady_clock;

// Above this, what caches held before is lost in the time of the run itself.
constexpr double kLongRunSeconds = 0.05;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One turn: the time of a warm run in `seconds`.
template <typename Run>
Status TakeTurn(bool warm_up, Run run, std::vector<double>* seconds) {
  if (warm_up) GODWIT_RETURN_IF_ERROR(run());
  const Clock::time_point start = Clock::now();
  GODWIT_RETURN_IF_ERROR(run());
  seconds->push_back(SecondsSince(start));
  return {};
}

}  // namespace

void TimeContenders(const ItemView& item, int repeats, int threads,
                    std::vector<Contender>& contenders, const std::function<bool()>& stop) {
  Item decoded = BlankLike(item);
  bool stopped = false;
  for (int repeat = 0; repeat < repeats && !stopped; ++repeat) {
    for (size_t k = 0; k < contenders.size(); ++k) {
      Contender& c = contenders[(k + static_cast<size_t>(repeat)) % contenders.size()];
      stopped = stopped || stop();
      if (stopped || !c.status.ok()) continue;
      // OpenMP's idle threads spin for milliseconds, which would cost the next one a core.
      if (threads > 1) omp_pause_resource_all(omp_pause_soft);
      const auto is_short = [](const std::vector<double>& seconds, double before) {
        return (seconds.empty() ? before : seconds.back()) < kLongRunSeconds;
      };
      c.status = TakeTurn(
          is_short(c.encode_s, c.last_encode_s),
          [&]() -> Status {
            GODWIT_ASSIGN_OR_RETURN(const std::span<const std::byte> stream,
                                    c.codec->Encode(item, c.setting));
            if (stream.size() == c.stream.size()) return {};
            return Status(StatusCode::kInternal, "encodes to another size while timed");
          },
          &c.encode_s);
      if (!c.status.ok()) continue;
      c.status = TakeTurn(
          is_short(c.decode_s, 0), [&] { return c.codec->Decode(c.stream, ViewOf(decoded)); },
          &c.decode_s);
    }
  }
  for (Contender& c : contenders) {
    if (!stopped && c.status.ok()) continue;
    c.encode_s.clear();
    c.decode_s.clear();
  }
}

double Median(std::vector<double> values) {
  assert(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

}  // namespace godwit
