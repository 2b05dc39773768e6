// Any model file: what loads as network "net" runs without fault, and every level and tiling
// gives the scalar kernels' samples.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "models/network.h"
#include "models/row_runner.h"

namespace {

using namespace godwit;

constexpr int64_t kHeight = 3, kWidth = 5;

void Run(const Network& network, SimdLevel level, int64_t tile_w, const Tensor<uint8_t>& input,
         Tensor<uint8_t>* out) {
  Result<NetworkRunner> runner = NetworkRunner::Create(network, level, kHeight, tile_w);
  if (!runner.ok()) std::abort();
  const int64_t scale = network.scale();
  for (int64_t x = 0; x < kWidth; x += tile_w) {
    const Rect rect{0, x, kHeight, std::min(tile_w, kWidth - x)};
    const Status status =
        runner->Run(input.view(), {0, 0, kHeight, kWidth}, kHeight, kWidth, rect,
                    out->view().Window(0, x * scale, kHeight * scale, rect.w * scale));
    if (!status.ok()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = AsBytes({data, size});
  const Result<SafeTensors> file = SafeTensors::Parse(Bytes(bytes.begin(), bytes.end()));
  if (!file.ok()) return 0;
  const Result<Network> network = Network::Load(*file, "net");
  if (!network.ok()) {
    if (network.status().code() != StatusCode::kModelRefused) std::abort();
    return 0;
  }
  if (network->macs_per_position() > 1 << 16 ||
      RowRunner::BytesFor(*network, kWidth, kHeight) > 1 << 24) {
    return 0;
  }
  Tensor<uint8_t> input(kHeight, kWidth, network->input_channels());
  for (int64_t i = 0; i < input.size(); ++i) {  // the file's last bytes are its weights
    input.data()[i] = data[size - 1 - static_cast<uint64_t>(i) % size];
  }
  const int64_t scale = network->scale();
  Tensor<uint8_t> want(kHeight * scale, kWidth * scale, network->output_channels());
  Run(*network, SimdLevel::kScalar, kWidth, input, &want);
  for (const SimdLevel level : SupportedSimdLevels()) {
    Tensor<uint8_t> got(kHeight * scale, kWidth * scale, network->output_channels());
    Run(*network, level, 2, input, &got);
    if (std::memcmp(got.data(), want.data(), static_cast<size_t>(got.size())) != 0) std::abort();
  }
  return 0;
}
