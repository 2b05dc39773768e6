// make_goldens TESTDATA: rewrites TESTDATA/v1 with the shipped default model, and TESTDATA/bad and
// TESTDATA/fuzz/{container,swift,image_round_trip,lossless_plane,safetensors,network} with the test
// model.
// Run it when the format changes, or the test model; never to make a test pass.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "codecs/image/full_model.h"
#include "codecs/image/image_repack.h"
#include "codecs/image/lossless_plane.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"
#include "tests/codecs/golden_set.h"
#include "tests/codecs/stream_bytes.h"
#include "tests/codecs/test_model.h"
#include "tests/models/test_network.h"

namespace godwit {
namespace {

namespace fs = std::filesystem;

void Write(const fs::path& path, std::span<const std::byte> bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) {
    std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
    std::exit(1);
  }
}

void WriteGoldens(const fs::path& folder) {
  ModelRegistry registry;
  const Result<uint64_t> id = registry.DefaultStreamModel("swift");
  if (!id.ok()) {
    std::fprintf(stderr, "no goldens: %s\n", id.status().message().c_str());
    return;
  }
  ImageModel model = Must(ImageModel::Load(Must(registry.FindStreamModel(*id)), *id));
  nlohmann::json files = nlohmann::json::object(), entropy = files;
  for (const GoldenPicture& g : GoldenPictures()) {
    SetEntropy(registry, model, g.entropy);
    if (g.entropy != "lite") entropy[g.entropy] = ModelIdHex(model.full()->id);
    const Bytes file = EncodeGolden(model, g, g.options);
    Write(folder / (g.name + ".gdw"), file);
    nlohmann::json& row = files[g.name + ".gdw"];
    row["stream"] = DigestOf(file);
    for (const std::string& size : GoldenSynthesesOf(g)) {
      if (size == "none") {
        row[size] = DigestOf(DecodePicture(file, model, nullptr));
      } else {
        const ImageSynthesis synthesis =
            Must(ImageSynthesis::Load(Must(registry.FindSynthesis("swift", *id, size))));
        row[size] = DigestOf(DecodePicture(file, model, &synthesis));
      }
    }
  }
  const nlohmann::json digests = {
      {"model", ModelIdHex(*id)}, {"entropy", entropy}, {"files", files}};
  const std::string text = digests.dump(2) + "\n";
  Write(folder / "digests.json", std::as_bytes(std::span(text)));
}

Bytes FirstBytes(const Bytes& file, size_t n) {
  return Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(n));
}

Bytes Flipped(Bytes file, size_t at) {
  file[at] ^= std::byte{0x10};
  return file;
}

Bytes Replaced(Bytes file, size_t at, uint8_t value) {
  file[at] = std::byte{value};
  return file;
}

void WriteBad(const fs::path& folder) {
  const uint64_t id = TestImageModel().id();
  const Bytes good = EncodePicture(TestImageModel(), MakePicture(64, 80, 3), {.step_index = 60});
  const ImageStream stream = Must(ParseImageStream(good));
  const size_t second = stream.sections[1].offset, third = stream.sections[2].offset;
  const Bytes tiny = FirstBytes(good, second);  // the picture section alone
  const auto write = [&](const std::string& name, const Bytes& bytes) {
    Write(folder / (name + ".gdw"), bytes);
  };
  const auto write_picture = [&](const std::string& name, const HandMadePicture& picture,
                                 const std::vector<HandMadeSection>& sections = {}) {
    write(name, HandMadeFile(picture, sections));
  };
  constexpr auto kLayers = static_cast<uint8_t>(SectionType::kLayers);
  constexpr auto kAlpha = static_cast<uint8_t>(SectionType::kAlpha);

  write("truncated-empty", {});
  write("truncated-in-magic", FirstBytes(good, 2));
  write("truncated-after-version", FirstBytes(good, 4));
  write("truncated-in-header", FirstBytes(good, 10));
  write("truncated-in-picture", FirstBytes(good, second / 2));
  write("truncated-in-crc", FirstBytes(good, second - 1));
  write("truncated-in-layers", FirstBytes(good, second + 20));
  write("unreadable-wrong-magic", Flipped(tiny, 0));
  write("corrupt-flipped-header", Flipped(tiny, 8));
  write("corrupt-flipped-payload", Flipped(tiny, second - 20));
  write("corrupt-flipped-crc", Flipped(tiny, second - 2));
  write("corrupt-flipped-layers", Flipped(FirstBytes(good, third), second + 20));
  Bytes longer = HandMadeFile({.model_id = id});
  longer[5] |= std::byte{0x80};
  longer.insert(longer.begin() + 6, std::byte{0});
  write("corrupt-section-length-not-shortest", longer);
  longer = HandMadeFile({.model_id = id});
  longer.insert(longer.begin() + 5, 9, std::byte{0xff});
  write("corrupt-section-length-past-64-bits", longer);
  write("unsupported-version-9", Replaced(tiny, 3, 9));
  write_picture("unsupported-critical-section", {.model_id = id}, {{0xc0, {1, 2}}});
  write_picture("unsupported-reserved-flag", {.flags = 128, .model_id = id});
  const auto entropy = static_cast<uint32_t>(TestImageModel().full()->id);
  const auto full_picture = [&](uint32_t entropy_id, std::vector<uint8_t> layer) {
    std::vector<uint8_t> rest;
    for (int i = 0; i < 4; ++i) rest.push_back(static_cast<uint8_t>(entropy_id >> (8 * i)));
    rest.insert(rest.end(), layer.begin(), layer.end());
    return HandMadePicture{.flags = 16, .model_id = id, .rest = rest};
  };
  write_picture("model-missing-other-entropy", full_picture(entropy + 1, {0}));
  write_picture("corrupt-without-entropy-id", {.flags = 16, .model_id = id, .rest = {0}});
  write_picture("corrupt-full-ends-in-zeros", full_picture(entropy, {2, 7, 0}));
  write_picture("corrupt-full-left-over", full_picture(entropy, {9, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  write_picture("truncated-before-alpha", {.flags = 8, .model_id = id});
  write_picture("model-missing-unknown-id", {.model_id = 0x0123456789abcdef});
  const uint64_t side = uint64_t{1} << 31;
  write_picture("over-limit-2-31-square", {.width = side, .height = side, .model_id = id});
  write_picture("over-limit-2-31-wide", {.width = side, .model_id = id});
  write_picture("corrupt-zero-width", {.width = 0, .model_id = id});
  write_picture("corrupt-zero-height", {.height = 0, .model_id = id});
  write_picture("corrupt-side-beyond-2-31", {.width = side + 1, .model_id = id});
  write_picture("corrupt-step-352", {.model_id = id, .rate = 352});
  write_picture("corrupt-nine-layers",
                {.model_id = id, .rate = 8 << 12, .rest = std::vector<uint8_t>(9)});
  write_picture("corrupt-tile-16", {.flags = 4, .model_id = id, .rest = {4, 0}});
  write_picture("corrupt-tile-8192", {.flags = 4, .model_id = id, .rest = {13, 0}});
  write_picture("corrupt-tile-square-with-width", {.flags = 4, .model_id = id, .rest = {0x15, 0}});
  const HandMadePicture rows{
      .flags = 36, .width = 40, .height = 70, .model_id = id, .rate = 7 << 12, .rest = {0x25}};
  write_picture("truncated-without-rows", rows);
  write_picture("truncated-row-missing-at-the-end", rows,
                {{kLayers, {0, 0, 0}}, {kLayers, {1, 0, 0}}});
  write_picture("corrupt-row-left-out", rows, {{kLayers, {0, 0, 0}}, {kLayers, {2, 0, 0}}});
  write_picture("corrupt-row-twice", rows, {{kLayers, {0, 0, 0}}, {kLayers, {0, 0, 0}}});
  write_picture("corrupt-row-layer-left-out", rows, {{kLayers, {0, 1, 0}}});
  write_picture(
      "corrupt-row-past-the-picture", rows,
      {{kLayers, {0, 0, 0}}, {kLayers, {1, 0, 0}}, {kLayers, {2, 0, 0}}, {kLayers, {3, 0, 0}}});
  HandMadePicture one_layer = rows;
  one_layer.rate = 0;
  write_picture("corrupt-row-of-more-layers", one_layer, {{kLayers, {0, 0x10, 0, 0}}});
  write_picture("corrupt-missing-tiles",
                {.flags = 4, .width = 16000, .height = 16000, .model_id = id, .rest = {5, 0}});
  write_picture("corrupt-byte-left-over", {.model_id = id, .rest = {0, 1}});
  write_picture("corrupt-substream-past-section", {.model_id = id, .rest = {9, 1}});
  write_picture("corrupt-substream-ends-in-zeros", {.model_id = id, .rest = {2, 7, 0}});
  write_picture("corrupt-substream-left-over",
                {.model_id = id, .rest = {9, 1, 2, 3, 4, 5, 6, 7, 8, 9}});
  write_picture("corrupt-layer-left-out", {.model_id = id}, {{kLayers, {0x02, 0}}});
  write_picture("corrupt-layer-twice", {.model_id = id}, {{kLayers, {0x00, 0}}});
  write_picture("corrupt-alpha-twice", {.flags = 8, .model_id = id},
                {{kAlpha, {0}}, {kAlpha, {0}}});
  write_picture("corrupt-alpha-left-over", {.flags = 8, .model_id = id},
                {{kAlpha, {5, 1, 2, 3, 4, 5}}});
  write_picture("corrupt-icc-twice", {.model_id = id}, {{0x10, {1}}, {0x10, {1}}});
}

void WriteSeeds(const fs::path& folder) {
  const ImageModel& model = TestImageModel();
  std::vector<Bytes> files = {
      EncodePicture(model, MakePicture(20, 30, 3), {.step_index = 150}),
      EncodePicture(model, MakePicture(40, 40, 4), {.step_index = 190, .tile = 32}),
      EncodePicture(model, MakePicture(33, 20, 1), {.step_index = 100}),
      EncodePicture(model, MakePicture(32, 32, 2), {.step_index = 250, .tile = 32}),
      EncodePicture(model, MakePicture(60, 64, 3), {.step_index = 240, .layers = 4, .tile = 32}),
      EncodePicture(model, MakePicture(70, 60, 4),
                    {.step_index = 200, .tile = 32, .tile_height = 64, .order = ImageOrder::kRows}),
  };
  for (const size_t i : {0, 1, 2})
    files.push_back(Must(RepackImage(Must(ParseImageStream(files[i])), model)));
  int n = 0;
  const std::vector<HandMadeSection> sections = {{0x10, {1, 2, 3}}, {0x7f, {}}, {0x12, {60, 62}}};
  Write(folder / "container" / "hand_made.gdw", HandMadeFile({}, sections));
  for (const Bytes& file : files) {
    const std::string name = "picture_" + std::to_string(n++) + ".gdw";
    Write(folder / "container" / name, file);
    for (uint8_t mode = 0; mode < 3; ++mode) {  // fuzz_swift.cc: how the bytes are taken
      Bytes seed = {std::byte{mode}, std::byte{0xff}, std::byte{0}};
      seed.insert(seed.end(), file.begin(), file.end());
      Write(folder / "swift" / (std::to_string(mode) + "_" + name), seed);
    }
  }
  for (uint8_t i = 0; i < 8; ++i) {
    Bytes seed = {std::byte{i}, std::byte{static_cast<uint8_t>(i * 40)}, std::byte{i},
                  std::byte{static_cast<uint8_t>(4 + i * 5)},
                  std::byte{static_cast<uint8_t>(36 - i * 3)}};
    const Tensor<uint8_t> pixels = MakePicture(8, 8, 3, i);
    const auto bytes = AsBytes({pixels.data(), static_cast<size_t>(pixels.size())});
    seed.insert(seed.end(), bytes.begin(), bytes.end());
    Write(folder / "image_round_trip" / ("pixels_" + std::to_string(i)), seed);
  }
  for (const int64_t side : {1, 9, 40}) {
    const Tensor<uint8_t> picture = MakePicture(side, side, 2);
    Bytes plane(2 + LosslessPlaneBound(side, side));
    const TensorView<const uint8_t> alpha{picture.data() + 1, side, side, 1, side * 2, 2};
    const size_t size = Must(EncodeLosslessPlane(alpha, std::span(plane).subspan(2)));
    plane[0] = plane[1] = static_cast<std::byte>(side);
    plane.resize(2 + size);
    Write(folder / "lossless_plane" / ("plane_" + std::to_string(side)), plane);
  }
  SafeTensorsWriter tensors;
  tensors.SetMetadata("kind", "seed");
  tensors.Add<int16_t>("a", {2, 3}, std::vector<int16_t>{1, 2, 3, 4, 5, 6});
  tensors.Add<uint8_t>("b", {5}, std::vector<uint8_t>{1, 2, 3, 4, 5});
  tensors.Add<float>("c", {}, std::vector<float>{0.5f});
  Write(folder / "safetensors" / "three.safetensors", tensors.Finish());
  Write(folder / "safetensors" / "none.safetensors", SafeTensorsWriter().Finish());
  Write(folder / "network" / "monarch.safetensors", MonarchNetwork(1).Writer("net").Finish());
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_goldens TESTDATA\n");
    return 2;
  }
  const std::filesystem::path root = argv[1];
  godwit::WriteGoldens(root / "v1");
  godwit::WriteBad(root / "bad");
  godwit::WriteSeeds(root / "fuzz");
  return 0;
}
