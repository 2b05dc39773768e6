#include "codecs/image/full_mixer.h"

namespace godwit::swift {
namespace {

template <typename T, size_t kOuter, size_t kRows, size_t kColumns, typename From>
Status Read(const SafeTensors& file, const char* name,
            std::array<std::array<std::array<T, kColumns>, kRows>, kOuter>& to, From from) {
  using Stored = decltype(from(T()));
  GODWIT_ASSIGN_OR_RETURN(const auto data, file.Get<Stored>(name, {int64_t{kOuter}, int64_t{kRows},
                                                                   int64_t{kColumns}}));
  size_t i = 0;
  for (auto& outer : to) {
    for (auto& row : outer) {
      for (T& x : row) {
        if constexpr (sizeof(Stored) == sizeof(uint16_t)) {
          if (data[i] == 0) {
            return Status(StatusCode::kModelRefused,
                          std::string("tensor ") + name + ": a probability of zero");
          }
          x = T{data[i++]};
        } else {
          if (data[i] < -kFullMaxWeight || data[i] > kFullMaxWeight) {
            return Status(StatusCode::kModelRefused,
                          std::string("tensor ") + name + ": a weight beyond 8");
          }
          x = data[i++];
        }
      }
    }
  }
  return {};
}

}  // namespace

Status FullState::Load(const SafeTensors& file) {
  const auto weight = [](int32_t w) { return w; };
  const auto odds = [](uint16_t p) { return p; };
  const auto bit = [](AdaptiveBit b) { return b.p1; };
  GODWIT_RETURN_IF_ERROR(Read(file, "start.weights", weights, weight));
  GODWIT_RETURN_IF_ERROR(Read(file, "start.refined", refined, odds));
  GODWIT_RETURN_IF_ERROR(Read(file, "start.place", place, bit));
  GODWIT_RETURN_IF_ERROR(Read(file, "start.exponent", exponent, bit));
  return Read(file, "start.mantissa", mantissa, bit);
}

}  // namespace godwit::swift
