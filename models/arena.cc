#include <algorithm>

#include "models/graph.h"

namespace godwit {

ArenaPlan PlanArena(const Graph& graph, int64_t height, int64_t width) {
  struct Extent {
    uint64_t begin, end;
  };
  const int count = static_cast<int>(graph.values.size()) - 1;  // the last is the caller's
  ArenaPlan plan;
  std::vector<Extent> placed;
  for (int v = 0; v < count; ++v) {
    const Value& value = graph.values[v];
    const int64_t bytes = (height * value.scale + 2 * value.halo) *
                          (width * value.scale + 2 * value.halo) * value.col_stride();
    const uint64_t size = static_cast<uint64_t>(bytes + 63) / kTensorAlign * kTensorAlign;
    // Layer v - 1 writes this value, so whatever it or a later layer reads must stay whole.
    std::vector<Extent> live;
    for (int u = 0; u < v; ++u) {
      if (graph.values[u].last_use >= v - 1) live.push_back(placed[u]);
    }
    std::sort(live.begin(), live.end(),
              [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    uint64_t begin = 0;  // the lowest gap that is wide enough
    for (const Extent& extent : live) {
      if (begin + size <= extent.begin) break;
      begin = std::max(begin, extent.end);
    }
    placed.push_back({begin, begin + size});
    plan.offsets.push_back(begin);
    plan.bytes = std::max(plan.bytes, begin + size);
  }
  plan.bytes += 64;  // vector kernels read past the last position
  return plan;
}

}  // namespace godwit
