// The networks of `full` entropy coding against docs/format/entropy.md section 6.3 written plainly,
// and files that are refused.
#include "codecs/image/full_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codecs/image/swift_model.h"
#include "models/registry.h"
#include "tests/codecs/test_model.h"
#include "tests/codecs/test_pictures.h"

namespace godwit::swift {
namespace {

const FullModel& Model() { return *TestImageModel().full(); }
Bytes MidFile() { return TestEntropyFile(5, 7, "mid"); }
const FullModel& MidModel() {
  static const FullModel* const model =
      Must(FullModel::Load(Must(SafeTensors::Parse(MidFile())), 1)).release();
  return *model;
}

FullInputs RandomInputs(int rows, uint32_t seed, int period) {
  FullInputs in;
  for (int i = 0; i < rows; ++i) {
    const uint32_t hash = HashOf(static_cast<uint32_t>(i), 7, seed);
    in.Add(i,
           hash % static_cast<uint32_t>(period) == 0 ? static_cast<int>(hash >> 8 & 255) - 128 : 0);
  }
  return in;
}

// A network, and its tensors as the file has them.
struct FileNetwork {
  const FullNetwork* network;
  const SafeTensors* file;
  std::string name;

  template <typename T>
  std::vector<int64_t> Get(const char* tensor) const {
    std::vector<int64_t> values;
    const TensorEntry* const entry = file->Find(name + tensor);
    for (size_t at = 0; entry != nullptr && at < entry->data.size(); at += sizeof(T)) {
      T value;
      std::memcpy(&value, entry->data.data() + at, sizeof value);
      values.push_back(value);
    }
    return values;
  }
};

std::vector<FileNetwork> NetworksOf(const FullModel& model, const SafeTensors& file) {
  std::vector<FileNetwork> all;
  for (int p = 0; p < kPlanes; ++p) {
    const auto pz = static_cast<size_t>(p);
    const std::string plane = std::to_string(p);
    for (int b = 0; b < FullBands(p); ++b) {
      const size_t g = pz * kBands + static_cast<size_t>(b);
      all.push_back({&model.values[g], &file, "band." + plane + "." + std::to_string(b)});
      all.push_back({&model.cells[g], &file, "cell." + plane + "." + std::to_string(b)});
    }
    all.push_back({&model.values[kFullCoarseGroup + pz], &file, "coarse." + plane});
    all.push_back({&model.values[kFullCoarseDcGroup + pz], &file, "coarse_dc." + plane});
  }
  return all;
}

// All sums of one place in 64 bits, as the document has them: logits by k * n + i.
struct PlainSums {
  std::vector<int64_t> hidden, logit, sign;
  int64_t flag = 0;
};

PlainSums Plain(const FileNetwork& from, const FullInputs& common, const FullInputs& even,
                const FullInputs& odd) {
  const FullNetwork& shape = *from.network;
  PlainSums s;
  // Adds the rows of the inputs that are there, `common` by `by`.
  const auto add = [&](const std::vector<int64_t>& rows, size_t column, size_t width,
                       const auto& by, const FullInputs& more) {
    int64_t sum = 0;
    for (size_t i = 0; i < common.count; ++i) sum += by[i] * rows[common.row[i] * width + column];
    for (size_t i = 0; i < more.count; ++i) {
      const size_t row = static_cast<size_t>(shape.common) + more.row[i];
      sum += more.value[i] * rows[row * width + column];
    }
    return sum;
  };
  const auto first = from.Get<int16_t>(".first"), flag = from.Get<int16_t>(".flag"),
             out = from.Get<int16_t>(".out"), direct = from.Get<int16_t>(".odd_direct"),
             odd_first = from.Get<int16_t>(".odd_first"), odd_out = from.Get<int16_t>(".odd_out");
  const auto first_bias = from.Get<int32_t>(".first_bias"),
             flag_bias = from.Get<int32_t>(".flag_bias"), out_bias = from.Get<int32_t>(".out_bias");
  const size_t wide = first_bias.size(), values = out_bias.size() / 4;
  for (size_t h = 0; h < wide; ++h) {
    const int64_t sum = first_bias[h] + add(first, h, wide, common.size, even);
    s.hidden.push_back(std::clamp<int64_t>((sum + 256) >> 9, 0, 2035));
  }
  for (size_t h = 0; h < flag.size(); ++h) s.flag += s.hidden[h] * flag[h];
  if (!flag.empty()) s.flag += flag_bias[0];
  for (size_t o = 0; o < out_bias.size(); ++o) {
    s.logit.push_back(out_bias[o]);
    for (size_t h = 0; h < wide; ++h) s.logit[o] += s.hidden[h] * out[h * out_bias.size() + o];
  }
  for (size_t i = 0; i < values; ++i) {
    s.sign.push_back(add(direct, i, values, common.value, odd));
    for (size_t h = 0; h < odd_out.size() / values; ++h) {
      const int64_t sum = add(odd_first, h, 16, common.value, odd);
      s.sign[i] += std::clamp<int64_t>(sum / 256, -256, 256) * odd_out[h * values + i];
    }
  }
  return s;
}

class FullModelTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(FullModelTest, SumsAreTheDocuments) {
  const SafeTensors full = Must(SafeTensors::Parse(TestEntropyFile(TestImageModel().id()))),
                    mid = Must(SafeTensors::Parse(MidFile()));
  std::vector<FileNetwork> networks = NetworksOf(Model(), full);
  const std::vector<FileNetwork> more = NetworksOf(MidModel(), mid);
  networks.insert(networks.end(), more.begin(), more.end());
  std::set<std::pair<size_t, size_t>> shapes;  // of those with values
  for (const FileNetwork& from : networks) {
    const FullNetwork& n = *from.network;
    const auto values = static_cast<size_t>(n.values);
    if (values > 0) shapes.emplace(n.hidden, n.odd_hidden);
    for (uint32_t seed = 0; seed < 4; ++seed) {
      const int period = seed % 2 == 0 ? 1 : 5;
      const FullInputs common = RandomInputs(n.common, seed, period),
                       even = RandomInputs(n.even, seed + 50, period),
                       odd = RandomInputs(n.odd, seed + 90, period);
      FullSums sums;
      SumHidden(GetParam(), n, common, even, sums);
      PlainSums want = Plain(from, common, even, odd);
      ASSERT_EQ(want.hidden.size(), n.hidden) << from.name;
      for (size_t h = 0; h < n.hidden; ++h) ASSERT_EQ(sums.hidden[h], want.hidden[h]) << from.name;
      if (n.has_flag) {
        EXPECT_EQ(FlagLogit(n, sums), std::clamp<int64_t>((want.flag + 512) >> 10, -2559, 2559));
      }
      if (values == 0) continue;
      ASSERT_EQ(want.sign.size(), values) << from.name;
      SumOutputs(GetParam(), n, common, odd, sums);
      const auto ahead = from.Get<int16_t>(".ahead"), odd_ahead = from.Get<int16_t>(".odd_ahead");
      const auto expect_equal = [&] {
        for (size_t i = 0; i < values; ++i) {
          for (size_t k = 0; k < kFullLogits; ++k)
            ASSERT_EQ(sums.logit[FullOutput(i, k)], want.logit[k * values + i]) << from.name;
          ASSERT_EQ(sums.sign[i], want.sign[i]) << from.name;
        }
      };
      expect_equal();
      for (size_t v = 0; v < values; ++v) {  // each as if it had turned out so
        const int value = v % 2 == 0 ? -77 : 19;
        TellLater(GetParam(), n, v, value, sums);
        for (size_t o = 0; o < want.logit.size(); ++o)
          want.logit[o] += std::abs(value) * ahead[v * want.logit.size() + o];
        for (size_t i = 0; i < values; ++i) want.sign[i] += value * odd_ahead[v * values + i];
        expect_equal();
      }
    }
  }
  for (const auto& shape : {std::pair<size_t, size_t>{8, 0}, {16, 16}, {32, 16}, {64, 16}})
    EXPECT_EQ(shapes.count(shape), 1u) << shape.first << ' ' << shape.second;
}

TEST_P(FullModelTest, TurnedInputsTurnSigns) {
  for (const FullNetwork* const network : {&Model().values[3], &MidModel().values[3]}) {
    const FullNetwork& n = *network;
    const FullInputs common = RandomInputs(n.common, 3, 2), odd = RandomInputs(n.odd, 4, 2);
    FullInputs turned_common = common, turned_odd = odd;
    for (int16_t& x : turned_common.value) x = static_cast<int16_t>(-x);
    for (int16_t& x : turned_odd.value) x = static_cast<int16_t>(-x);
    FullSums a, b;
    a.hidden.fill(0);
    b.hidden.fill(0);
    SumOutputs(GetParam(), n, common, odd, a);
    SumOutputs(GetParam(), n, turned_common, turned_odd, b);
    for (size_t i = 0; i < n.lanes; ++i) EXPECT_EQ(a.sign[i], -b.sign[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, FullModelTest, testing::ValuesIn(SupportedSimdLevels()),
                         [](const auto& level) { return std::string(SimdLevelName(level.param)); });

Status LoadStatus(const Bytes& file) {
  return FullModel::Load(Must(SafeTensors::Parse(file)), 1).status();
}

// A file that differs at the first element of a tensor, in its low byte.
Bytes With(std::string_view tensor, size_t byte, uint8_t value) {
  Bytes file = TestEntropyFile(5);
  const SafeTensors parsed = Must(SafeTensors::Parse(file));
  const TensorEntry* const entry = parsed.Find(tensor);
  const auto offset = static_cast<size_t>(entry->data.data() - parsed.file().data());
  file[offset + byte] = std::byte{value};
  return file;
}

TEST(FullModelFileTest, DamageIsRefused) {
  EXPECT_TRUE(LoadStatus(TestEntropyFile(5)).ok());
  const auto refused = [](const Bytes& file) {
    return LoadStatus(file).code() == StatusCode::kModelRefused;
  };
  EXPECT_TRUE(refused(TestStreamModelFile()));
  EXPECT_TRUE(refused(TestSynthesisFile(5)));
  EXPECT_TRUE(refused(With("level", 0, 1)));
  EXPECT_TRUE(refused(With("level", 9, 128)));
  EXPECT_TRUE(refused(With("band.0.3.first_bias", 3, 0x7f)));  // 2^30 and more
  EXPECT_TRUE(refused(With("cell.1.2.flag_bias", 3, 0x7f)));
  EXPECT_TRUE(refused(With("coarse.2.out_bias", 3, 0x40)));
  EXPECT_TRUE(refused(With("coarse_dc.0.sign_gain", 1, 0x20)));
  EXPECT_TRUE(refused(With("start.weights", 2, 0x7f)));
  Bytes zero = With("start.place", 0, 0);
  const SafeTensors parsed = Must(SafeTensors::Parse(zero));
  zero[static_cast<size_t>(parsed.Find("start.place")->data.data() - parsed.file().data()) + 1] =
      std::byte{0};
  EXPECT_TRUE(refused(zero));
}

// The file with one tensor renamed, so missing.
Bytes Without(Bytes file, std::string_view tensor) {
  const std::string name = '"' + std::string(tensor) + '"';
  auto* const text = reinterpret_cast<char*>(file.data());
  const auto at = std::search(text, text + file.size(), name.begin(), name.end());
  EXPECT_NE(at, text + file.size()) << tensor;
  at[1] = '_';
  return file;
}

TEST(FullModelFileTest, SumsOfSignsComeInTwoTensorsOrNone) {
  const Bytes full = TestEntropyFile(5);
  EXPECT_EQ(LoadStatus(Without(full, "band.0.3.odd_first")).code(), StatusCode::kModelRefused);
  EXPECT_EQ(LoadStatus(Without(full, "band.0.3.odd_out")).code(), StatusCode::kModelRefused);
  EXPECT_TRUE(LoadStatus(Without(Without(full, "band.0.3.odd_first"), "band.0.3.odd_out")).ok());
  for (const char* const tensor : {"band.0.3.odd_direct", "band.0.3.ahead", "coarse.1.out",
                                   "cell.0.0.flag", "cell.2.1.first", "start.place"}) {
    EXPECT_EQ(LoadStatus(Without(full, tensor)).code(), StatusCode::kModelRefused) << tensor;
    EXPECT_EQ(LoadStatus(Without(MidFile(), tensor)).code(), StatusCode::kModelRefused) << tensor;
  }
}

TEST(FullModelFileTest, AnotherStreamModelsIsRefused) {
  const Bytes bytes = TestStreamModelFile();
  ImageModel model = Must(ImageModel::Load(Must(SafeTensors::Parse(bytes)), ModelIdOf(bytes)));
  const Bytes other = TestEntropyFile(model.id() + 1);
  EXPECT_EQ(model.SetEntropy(Must(SafeTensors::Parse(other)), 1).code(), StatusCode::kModelRefused);
  EXPECT_EQ(model.full(), nullptr);
}

}  // namespace
}  // namespace godwit::swift
