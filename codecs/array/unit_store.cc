#include "codecs/array/unit_store.h"

#include <bit>
#include <type_traits>

#include "codecs/array/tile_syntax.h"

namespace godwit::array {

void StoreUnits(const ArrayHeader& header, const std::vector<int32_t>& values,
                const TileExceptions& exceptions, const Box& box, const Box& part, NdArray& out,
                const Box& whole) {
  const BoxOrder order = OrderOf(header, box);
  WithSampleType(header.type, [&](auto type) {
    using T = decltype(type);
    T* const samples = out.As<T>();
    ForEachSample(header, whole, box, part, StepsInBoxes(order), [&](int64_t to, int64_t from) {
      const int32_t v = values[static_cast<size_t>(from)];
      if constexpr (std::is_integral_v<T>) {
        samples[to] = static_cast<T>(IntegerFromWhole(header.map, v));
      } else {
        samples[to] = std::is_same_v<T, double> ? static_cast<T>(DoubleFromWhole(header.map, v))
                                                : static_cast<T>(FloatFromWhole(header.map, v));
      }
    });
    if constexpr (!std::is_integral_v<T>) {
      if (exceptions.mask.empty()) return;
      ForEachSample(header, whole, box, part, StepsInPlanes(order), [&](int64_t to, int64_t from) {
        const auto i = static_cast<size_t>(from);
        if (exceptions.mask[i] == 0) return;
        if constexpr (std::is_same_v<T, float>) {
          samples[to] = std::bit_cast<float>(exceptions.bits[i]);
        } else {
          samples[to] = DoubleOf(exceptions.bits[i], exceptions.lower[i]);
        }
      });
    }
  });
}

}  // namespace godwit::array
