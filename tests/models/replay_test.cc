// Shipped networks against their replay dumps: train/replay.py computed every layer in numpy, from
// docs/format/network.md and the file alone. GODWIT_REPLAY_DIR names another folder to look at.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "models/network.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"
#include "tests/base/sanitized.h"

namespace godwit {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kModel = ".safetensors", kReplay = ".replay";

std::string Folder() {
  const char* const folder = std::getenv("GODWIT_REPLAY_DIR");
  return folder != nullptr && *folder != '\0' ? folder : GODWIT_WEIGHTS_DIR;
}

// Paths in the folder that end so, sorted.
std::vector<std::string> FilesThatEndIn(std::string_view end) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator it(Folder(), error), last; !error && it != last;
       it.increment(error)) {
    if (it->path().string().ends_with(end)) paths.push_back(it->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// "a.replay" <-> "a.safetensors"
std::string WithEnd(const std::string& path, std::string_view from, std::string_view to) {
  return path.substr(0, path.size() - from.size()).append(to);
}

// The network cut off behind `layer`, with what that layer needs.
Result<Network> LoadUpTo(const SafeTensors& model, const std::string& network,
                         const std::string& layer) {
  json graph = json::parse(model.Metadata("network." + network).value_or("{}"));
  json kept = json::array();
  std::set<std::string> needed{layer};
  for (auto it = graph["layers"].rbegin(); it != graph["layers"].rend(); ++it) {
    if (!needed.contains(it->at("name"))) continue;
    kept.insert(kept.begin(), *it);
    for (const char* const key : {"input", "residual", "other"}) {
      if (it->contains(key) && it->at(key).is_string()) needed.insert(it->at(key));
    }
  }
  graph["layers"] = std::move(kept);
  SafeTensorsWriter writer;
  writer.SetMetadata("network." + network, graph.dump());
  for (const auto& [name, tensor] : model.tensors()) {
    if (name.starts_with(network + ".")) writer.Add(name, tensor.type, tensor.shape, tensor.data);
  }
  GODWIT_ASSIGN_OR_RETURN(const SafeTensors cut, SafeTensors::Parse(writer.Finish()));
  return Network::Load(cut, network);
}

// Runs in windows of at most window_h x window_w positions, each given no more input than it needs.
std::vector<uint8_t> RunInWindows(const Network& network, SimdLevel level,
                                  TensorView<const uint8_t> input, int64_t window_h,
                                  int64_t window_w) {
  const int64_t height = input.height, width = input.width;
  const int64_t scale = network.scale(), halo = network.halo();
  Tensor<uint8_t> out(height * scale, width * scale, network.output_channels());
  Result<NetworkRunner> runner = NetworkRunner::Create(network, level, window_h, window_w);
  EXPECT_TRUE(runner.ok()) << runner.status().message();
  if (!runner.ok()) return {};
  for (int64_t y = 0; y < height; y += window_h) {
    for (int64_t x = 0; x < width; x += window_w) {
      const Rect rect{y, x, std::min(window_h, height - y), std::min(window_w, width - x)};
      Rect given{.y = std::max<int64_t>(y - halo, 0), .x = std::max<int64_t>(x - halo, 0)};
      given.h = std::min(y + rect.h + halo, height) - given.y;
      given.w = std::min(x + rect.w + halo, width) - given.x;
      const Status status =
          runner->Run(input.Window(given.y, given.x, given.h, given.w), given, height, width, rect,
                      out.view().Window(y * scale, x * scale, rect.h * scale, rect.w * scale));
      EXPECT_TRUE(status.ok()) << status.message();
    }
  }
  return {out.data(), out.data() + out.size()};
}

void ExpectEveryLayerToEqual(const SafeTensors& model, const SafeTensors& dump) {
  int count = 0;
  const std::string network = dump.Metadata("godwit.replay.network").value_or("");
  const TensorEntry* const given = dump.Find("input");
  ASSERT_TRUE(given != nullptr && given->type == TensorType::kU8 && given->shape.size() == 3);
  Tensor<uint8_t> input(given->shape[0], given->shape[1], given->shape[2]);
  ASSERT_EQ(static_cast<size_t>(input.size()), given->data.size());
  std::memcpy(input.data(), given->data.data(), given->data.size());

  const json graph = json::parse(model.Metadata("network." + network).value_or("{}"), nullptr,
                                 /*allow_exceptions=*/false);
  ASSERT_TRUE(graph.contains("layers")) << "no network \"" << network << '"';
  ASSERT_EQ(dump.tensors().size(), graph["layers"].size() + 1) << "a layer is not in the dump";
  for (const json& layer : graph["layers"]) {
    const std::string name = layer.at("name");
    SCOPED_TRACE(name);
    const Result<Network> cut = LoadUpTo(model, network, name);
    ASSERT_TRUE(cut.ok()) << cut.status().message();
    const TensorEntry* const entry = dump.Find("layer." + name);
    ASSERT_NE(entry, nullptr) << "not in the dump";
    EXPECT_EQ(entry->type, cut->output_signed() ? TensorType::kI8 : TensorType::kU8);
    std::vector<uint8_t> want(entry->data.size());
    std::memcpy(want.data(), entry->data.data(), want.size());
    const int64_t windows[][2] = {{input.height(), input.width()}, {1, 1}, {3, 4}, {2, 6}};
    for (const SimdLevel level : SupportedSimdLevels()) {
      for (const auto& [h, w] : windows) {
        if (kSanitized && count++ % 5 != 0) continue;
        // Not EXPECT_EQ: thousands of bytes tell less than the first that differs.
        const std::vector<uint8_t> got = RunInWindows(*cut, level, input.view(), h, w);
        ASSERT_EQ(got.size(), want.size());
        const auto [a, b] = std::mismatch(got.begin(), got.end(), want.begin());
        EXPECT_TRUE(a == got.end())
            << SimdLevelName(level) << ", windows of " << h << 'x' << w << ": sample "
            << a - got.begin() << " is " << int{*a} << ", not " << int{*b};
      }
    }
  }
}

TEST(ReplayTest, EveryLayerEqualsItsDump) {
  const std::vector<std::string> paths = FilesThatEndIn(kReplay);
  if (paths.empty()) FAIL() << "no *" << kReplay << " in " << Folder();
  for (const std::string& path : paths) {
    SCOPED_TRACE(path);
    const Result<SafeTensors> dump = ReadModelFile(path);
    ASSERT_TRUE(dump.ok()) << dump.status().message();
    const Result<SafeTensors> model = ReadModelFile(WithEnd(path, kReplay, kModel));
    ASSERT_TRUE(model.ok()) << model.status().message();
    ASSERT_EQ(dump->Metadata("godwit.replay.model"), ModelIdHex(ModelIdOf(model->file())))
        << "the dump is of another network: run train/replay.py";
    ExpectEveryLayerToEqual(*model, *dump);
  }
}

TEST(ReplayTest, EveryNetworkHasADump) {
  for (const std::string& path : FilesThatEndIn(kModel)) {
    if (path.ends_with(kReplay)) continue;
    const Result<SafeTensors> model = ReadModelFile(path);
    ASSERT_TRUE(model.ok()) << path << ": " << model.status().message();
    if (model->Metadata("godwit.kind") != "synthesis") continue;
    EXPECT_TRUE(fs::exists(WithEnd(path, kModel, kReplay))) << path;
  }
}

}  // namespace
}  // namespace godwit
