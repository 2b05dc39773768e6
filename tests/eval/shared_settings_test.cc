#include "eval/shared_settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eval/report.h"
#include "eval/tables.h"

namespace godwit {
namespace {

// Two seconds of sound by two codecs at 8 and 16 kb/s; `a` never gets below 12.
Results SoundResults() {
  Results results;
  results.medium = Medium::kSound;
  results.metrics = {"si-sdr", "stoi"};
  results.items = {{"x.wav", 0, 0, "digest", 16000, 1, 32000, {}, {}}};
  for (const std::string codec : {"a", "b"}) {
    results.codecs.push_back({codec, "1", "kb/s", {8, 16}, false, 1, Aim::kRate});
    for (const double kbps : {8.0, 16.0}) {
      Measurement m;
      m.item = "x.wav";
      m.codec = codec;
      m.setting = kbps;
      m.bytes = static_cast<uint64_t>(250 * (codec == "a" ? std::max(kbps, 12.0) : kbps));
      m.metrics = {{"si-sdr", kbps + 0.5}, {"stoi", 0.9321}};
      m.used = 1;
      m.delay_s = 0.0265;
      m.encode_s = {0.02};
      m.decode_s = {0.01};
      results.measurements.push_back(m);
    }
  }
  SortResults(&results);
  return results;
}

Results ArrayResults() {
  Results results;
  results.medium = Medium::kArray;
  results.metrics = {"max-error", "psnr-range"};
  results.items = {{"a.npy", 0, 0, "digest", 0, 0, 0, "i16", {50, 2}},
                   {"b.npy", 0, 0, "digest", 0, 0, 0, "u8", {5, 5, 4}}};
  results.codecs = {{"ours", "1", "bound", {0.01, 0}, false, 1, Aim::kError},
                    {"rival", "1", "bound", {0}, false, 1, Aim::kError}};
  const auto add = [&](const char* item, const char* codec, double bound, uint64_t bytes) {
    Measurement m;
    m.item = item;
    m.codec = codec;
    m.setting = bound;
    m.bytes = bytes;
    m.metrics = {{"max-error", bound}, {"psnr-range", bound > 0 ? 45.06 : INFINITY}};
    results.measurements.push_back(m);
  };
  add("a.npy", "ours", 0, 60);
  add("a.npy", "ours", 0.01, 20);
  add("a.npy", "rival", 0, 80);
  add("b.npy", "ours", 0, 70);
  add("b.npy", "ours", 0.01, 30);
  SortResults(&results);
  return results;
}

TEST(SharedSettingsTest, CodecsAreBesideEachOtherAtEachRate) {
  const Results results = SoundResults();
  const std::vector<CurveSummary> curves = SummariseCurves(results);
  const std::vector<SharedRow> rows = SharedRows(results, curves);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].codec, "a");
  EXPECT_EQ(rows[1].codec, "b");
  EXPECT_EQ(rows[1].setting, 8);
  EXPECT_TRUE(rows[0].missed);
  EXPECT_FALSE(rows[1].missed || rows[2].missed || rows[3].missed);
  EXPECT_DOUBLE_EQ(rows[0].point->rate, 12);
  const std::string want =
      "at kb/s  codec  kb/s  si-sdr    stoi  delay, ms  encode, x real time  decode, x real time\n"
      "      8  a       12*    8.50  0.9321       26.5                  100                  200\n"
      "      8  b         8    8.50  0.9321       26.5                  100                  200\n"
      "     16  a        16   16.50  0.9321       26.5                  100                  200\n"
      "     16  b        16   16.50  0.9321       26.5                  100                  200\n";
  EXPECT_TRUE(SharedTable(results).starts_with(want)) << SharedTable(results);
  EXPECT_NE(SharedTable(results).find("* no setting comes within 3 %"), std::string::npos);
  EXPECT_NE(MarkdownSummary(results, {}).find("| 8 | `a` | 12* | 8.50 | 0.9321 | 26.5 |"),
            std::string::npos);
}

TEST(SharedSettingsTest, ArraysAreOneByOneWithRatios) {
  const std::string table = SharedTable(ArrayResults());
  const std::string want =
      "array  error    dB  ours      rival\n"
      "a.npy   none     -    60  80 (0.75)\n"
      "a.npy   0.01  45.1    20          -\n"
      "b.npy   none     -    70          -\n"
      "b.npy   0.01  45.1    30          -\n";
  EXPECT_TRUE(table.starts_with(want)) << table;
  EXPECT_NE(SharedMarkdown(ArrayResults()).find("| `a.npy` | none | - | 60 | 80 (0.75) |"),
            std::string::npos);
  // A codec that has not taken every array has no curve, and takes none from the others.
  EXPECT_TRUE(FindCommonSet(ArrayResults()).left_out.contains("rival"));
  EXPECT_EQ(FindCommonSet(ArrayResults()).items.size(), 2u);
}

TEST(SharedSettingsTest, ThePageHasTheTable) {
  const nlohmann::ordered_json sounds = ReportData(SoundResults(), {});
  EXPECT_EQ(sounds["shared"]["rows"].size(), 4u);
  EXPECT_EQ(sounds["words"]["rate_unit"], "kb/s");
  EXPECT_EQ(ReportData(ArrayResults(), {})["shared"]["header"][0], "array");
}

TEST(SharedSettingsTest, SettingsOfTheirOwnHaveNoTable) {
  Results results = SoundResults();
  for (CodecRecord& codec : results.codecs) codec.aim = Aim::kSetting;
  EXPECT_EQ(SharedTable(results), "");
  EXPECT_EQ(SharedMarkdown(results), "");
  EXPECT_TRUE(SharedJson(results).is_null());
  EXPECT_EQ(SharedTable(Results()), "");
}

}  // namespace
}  // namespace godwit
