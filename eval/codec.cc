#include "eval/codec.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace godwit {

std::vector<double> SettingsOf(const CodecEntry& codec, int points) {
  if (points <= 0) return codec.ladder;
  assert(points >= 2);
  std::vector<double> settings;
  const double last = static_cast<double>(codec.ladder.size() - 1);
  for (int i = 0; i < points; ++i) {
    const double at = last * i / (points - 1);
    const size_t below = std::min(static_cast<size_t>(at), codec.ladder.size() - 1);
    const size_t above = std::min(below + 1, codec.ladder.size() - 1);
    const double part = at - static_cast<double>(below);
    const double setting = codec.ladder[below] * (1 - part) + codec.ladder[above] * part;
    const double rounded = std::round(setting * codec.settings_per_one) / codec.settings_per_one;
    if (settings.empty() || settings.back() != rounded) settings.push_back(rounded);
  }
  return settings;
}

Result<double> SettingForSize(const CodecEntry& entry, Codec& codec, const ItemView& item,
                              uint64_t target_bytes) {
  const double first = entry.ladder.front(), last = entry.ladder.back();
  const double whole = std::round(first * entry.settings_per_one);
  const double way = std::round(last * entry.settings_per_one) - whole;
  const int steps = static_cast<int>(std::abs(way));
  const auto setting = [&](int step) {
    return (whole + (way > 0 ? step : -step)) / entry.settings_per_one;
  };
  struct Tried {
    double setting;
    uint64_t distance;
  };
  std::vector<Tried> tried;
  for (int low = 0, high = steps; low <= high;) {
    const int middle = (low + high) / 2;
    GODWIT_ASSIGN_OR_RETURN(const std::span<const std::byte> stream,
                            codec.Encode(item, setting(middle)));
    const uint64_t size = stream.size() - codec.uncounted_bytes();
    const bool below = size < target_bytes;
    tried.push_back({setting(middle), below ? target_bytes - size : size - target_bytes});
    if (below) {
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return std::min_element(tried.begin(), tried.end(),
                          [](const Tried& a, const Tried& b) { return a.distance < b.distance; })
      ->setting;
}

}  // namespace godwit
