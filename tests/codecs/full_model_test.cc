// The networks of `full` entropy coding against docs/format/entropy.md section 6.3 written plainly,
// and files that are refused.
#include "codecs/image/full_model.h"

#include <gtest/gtest.h>

#include <algorithm>
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
const FullModel& MidModel() {
  static const FullModel* const model =
      Must(FullModel::Load(Must(SafeTensors::Parse(TestEntropyFile(5, 7, "mid"))), 1)).release();
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

// All sums of one place, as the document has them, in 64 bits.
struct PlainSums {
  std::vector<int64_t> hidden, logit, sign;
  int64_t flag = 0;
};

PlainSums Plain(const FullNetwork& n, const FullInputs& common, const FullInputs& even,
                const FullInputs& odd) {
  PlainSums s;
  for (size_t h = 0; h < n.hidden; ++h) {
    int64_t sum = n.first_bias[h] + 256;
    for (size_t i = 0; i < common.count; ++i)
      sum += int64_t{common.size[i]} * n.first[common.row[i] * n.hidden + h];
    for (size_t i = 0; i < even.count; ++i) {
      const size_t row = static_cast<size_t>(n.common) + even.row[i];
      sum += int64_t{even.value[i]} * n.first[row * n.hidden + h];
    }
    s.hidden.push_back(std::clamp<int64_t>(sum >> 9, 0, 2035));
  }
  s.flag = n.flag_bias;
  for (size_t h = 0; n.has_flag && h < n.hidden; ++h) s.flag += s.hidden[h] * n.flag[h];
  for (size_t o = 0; o < n.outputs; ++o) {
    int64_t sum = n.out_bias[o];
    for (size_t h = 0; h < n.hidden; ++h) sum += s.hidden[h] * n.out[h * n.outputs + o];
    s.logit.push_back(sum);
  }
  if (n.values == 0) return s;
  const size_t width = n.odd_hidden + n.lanes;
  const auto odd_sum = [&](size_t column) {
    int64_t sum = 0;
    for (size_t i = 0; i < common.count; ++i)
      sum += int64_t{common.value[i]} * n.odd_first[common.row[i] * width + column];
    for (size_t i = 0; i < odd.count; ++i) {
      const size_t row = static_cast<size_t>(n.common) + odd.row[i];
      sum += int64_t{odd.value[i]} * n.odd_first[row * width + column];
    }
    return sum;
  };
  for (size_t i = 0; i < n.lanes; ++i) {
    int64_t sum = odd_sum(n.odd_hidden + i);
    for (size_t h = 0; h < n.odd_hidden; ++h) {
      sum += std::clamp<int64_t>(odd_sum(h) / 256, -256, 256) * n.odd_out[h * n.lanes + i];
    }
    s.sign.push_back(sum);
  }
  return s;
}

class FullModelTest : public testing::TestWithParam<SimdLevel> {};

TEST_P(FullModelTest, SumsAreTheDocuments) {
  std::vector<const FullNetwork*> networks;
  std::set<std::pair<size_t, size_t>> shapes;
  for (const FullModel* const model : {&Model(), &MidModel()}) {
    for (const FullNetwork& n : model->values) {
      if (n.present()) networks.push_back(&n);
    }
    for (const FullNetwork& n : model->cells) shapes.emplace(n.hidden, n.odd_hidden);
  }
  for (const FullNetwork* const network : networks) {
    const FullNetwork& n = *network;
    shapes.emplace(n.hidden, n.odd_hidden);
    for (uint32_t seed = 0; seed < 6; ++seed) {
      const int period = seed % 2 == 0 ? 1 : 5;
      const FullInputs common = RandomInputs(n.common, seed, period),
                       even = RandomInputs(n.even, seed + 50, period),
                       odd = RandomInputs(n.odd, seed + 90, period);
      FullSums sums;
      SumHidden(GetParam(), n, common, even, sums);
      SumOutputs(GetParam(), n, common, odd, sums);
      const PlainSums want = Plain(n, common, even, odd);
      for (size_t h = 0; h < n.hidden; ++h) ASSERT_EQ(sums.hidden[h], want.hidden[h]);
      for (size_t o = 0; o < n.outputs; ++o) ASSERT_EQ(sums.logit[o], want.logit[o]);
      for (size_t i = 0; i < n.lanes; ++i) ASSERT_EQ(sums.sign[i], want.sign[i]);
      if (n.has_flag) {
        EXPECT_EQ(FlagLogit(n, sums), std::clamp<int64_t>((want.flag + 512) >> 10, -2559, 2559));
      }
      TellLater(GetParam(), n, 0, -77, sums);
      for (size_t o = 0; o < n.outputs; ++o)
        ASSERT_EQ(sums.logit[o], want.logit[o] + 77 * n.ahead[o]);
      for (size_t i = 0; i < n.lanes; ++i)
        ASSERT_EQ(sums.sign[i], want.sign[i] - 77 * n.odd_ahead[i]);
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

TEST(FullModelFileTest, AnotherStreamModelsIsRefused) {
  const Bytes bytes = TestStreamModelFile();
  ImageModel model = Must(ImageModel::Load(Must(SafeTensors::Parse(bytes)), ModelIdOf(bytes)));
  const Bytes other = TestEntropyFile(model.id() + 1);
  EXPECT_EQ(model.SetEntropy(Must(SafeTensors::Parse(other)), 1).code(), StatusCode::kModelRefused);
  EXPECT_EQ(model.full(), nullptr);
}

}  // namespace
}  // namespace godwit::swift
