#include "eval/results.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "eval/compare_results.h"
#include "eval/compressai.h"
#include "eval/journal.h"
#include "eval/results_json.h"
#include "eval/tables.h"
#include "tests/eval/example_results.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

TEST(ResultsJsonTest, ReadsWhatItWrites) {
  const Results results = ExampleResults();
  const std::string text = Serialise(ToJson(results));
  const auto read = ParseResults(text);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(Serialise(ToJson(*read)), text);
  EXPECT_TRUE(std::isnan(read->measurements[0].metrics.at("none")));
}

TEST(ResultsJsonTest, EveryPrefixIsRefused) {
  const std::string text = Serialise(ToJson(ExampleResults()));
  for (size_t size = 0; size + 2 < text.size(); size += 7) {
    EXPECT_EQ(ParseResults(std::string_view(text).substr(0, size)).status().code(),
              StatusCode::kCorrupt)
        << size;
  }
}

TEST(ResultsJsonTest, DamageIsRefusedWithItsPlace) {
  const nlohmann::json good = nlohmann::json::parse(Serialise(ToJson(ExampleResults())));
  const auto message = [&](const char* pointer, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    return ResultsFromJson(bad).status().message();
  };
  EXPECT_EQ(message("/measurements/1/bytes", -1),
            "measurements[1]: bytes: no whole number from 0 to 1099511627776");
  EXPECT_EQ(message("/measurements/1/item", "z.png"), "measurements: no item z.png");
  EXPECT_EQ(message("/items/0/width", 0u), "items[0]: width: is no size of a picture");
  EXPECT_EQ(message("/codecs", 3), "codecs: no list");
  EXPECT_EQ(message("/schema", "godwit-eval-9"), "schema godwit-eval-9, not godwit-eval-2");
  EXPECT_EQ(message("/medium", "smell"), "medium: none that is known");
  EXPECT_EQ(message("/codecs/0/aim", "high"), "codecs[0]: aim: none of setting, rate and error");
  EXPECT_EQ(ParseResults("[]").status().message(), "schema: no text");
  EXPECT_EQ(ParseResults(std::string(100, '[')).status().code(), StatusCode::kOverLimit);
}

TEST(ResultsJsonTest, SoundsAndArraysComeBackAsTheyWere) {
  Results sounds = ExampleResults();
  sounds.medium = Medium::kSound;
  sounds.metrics = {"si-sdr"};
  for (ItemRecord& item : sounds.items)
    item = {item.name, 0, 0, item.digest, 44100, 2, 88200, "", {}};
  sounds.codecs[0].aim = sounds.codecs[1].aim = Aim::kRate;
  for (Measurement& m : sounds.measurements) {
    m.used = 1.25;
    m.delay_s = 0.0265;
  }
  Results arrays = ExampleResults();
  arrays.medium = Medium::kArray;
  for (ItemRecord& item : arrays.items)
    item = {item.name, 0, 0, item.digest, 0, 0, 0, "i16", {40, 50}};
  arrays.codecs[0].aim = Aim::kError;
  for (const Results& results : {sounds, arrays}) {
    const std::string text = Serialise(ToJson(results));
    const auto read = ParseResults(text);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(Serialise(ToJson(*read)), text);
    EXPECT_EQ(read->medium, results.medium);
  }
  EXPECT_DOUBLE_EQ(sounds.RateOf("x.png", 6000), 24);  // two seconds
  EXPECT_DOUBLE_EQ(sounds.AmountOf("x.png"), 2);
  EXPECT_EQ(sounds.BytesFor("x.png", 24), 6000u);
  EXPECT_DOUBLE_EQ(arrays.RateOf("x.png", 500), 2);
  EXPECT_EQ(MergeResults(&sounds, arrays).code(), StatusCode::kInvalidArgument);
}

TEST(ResultsJsonTest, HostileSoundsAndArraysAreRefused) {
  Results results = ExampleResults();
  results.medium = Medium::kSound;
  for (ItemRecord& item : results.items)
    item = {item.name, 0, 0, item.digest, 44100, 2, 88200, "", {}};
  const nlohmann::json sound = nlohmann::json::parse(Serialise(ToJson(results)));
  const auto refused = [](nlohmann::json bad, const char* pointer, const nlohmann::json& value) {
    bad[nlohmann::json::json_pointer(pointer)] = value;
    return ResultsFromJson(bad).status().code() == StatusCode::kCorrupt;
  };
  for (const char* const pointer : {"/items/0/frames", "/items/0/rate_hz", "/items/1/channels"}) {
    for (const nlohmann::json& value :
         {nlohmann::json(0u), nlohmann::json(-1), nlohmann::json(1e300), nlohmann::json("x"),
          nlohmann::json(UINT64_MAX)}) {
      EXPECT_TRUE(refused(sound, pointer, value)) << pointer << " " << value;
    }
  }
  results.medium = Medium::kArray;
  for (ItemRecord& item : results.items)
    item = {item.name, 0, 0, item.digest, 0, 0, 0, "u8", {40, 50}};
  const nlohmann::json array = nlohmann::json::parse(Serialise(ToJson(results)));
  for (const nlohmann::json& shape :
       {nlohmann::json::array(), nlohmann::json::array({1, 2, 3, 4, 5}), nlohmann::json::array({0}),
        nlohmann::json::array({-2}), nlohmann::json::array({UINT64_MAX}), nlohmann::json("x")}) {
    EXPECT_TRUE(refused(array, "/items/0/shape", shape)) << shape;
  }
  EXPECT_TRUE(refused(array, "/measurements/0/used", "much"));
  EXPECT_TRUE(refused(array, "/measurements/0/delay_s", nlohmann::json::array()));
}

TEST(ResultsJsonTest, TheFirstSchemaIsStillRead) {
  const auto read = ReadResults(GODWIT_SOURCE_DIR "/testdata/fuzz/eval_results/results");
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->medium, Medium::kPicture);
  EXPECT_FALSE(read->measurements.empty());
  EXPECT_FALSE(read->measurements[0].item.empty());
}

TEST(MergeTest, RunsThatAgreeArePutTogether) {
  Results a = ExampleResults(), b = ExampleResults();
  std::erase_if(a.measurements, [](const Measurement& m) { return m.codec == "b"; });
  a.codecs.pop_back();
  std::erase_if(b.measurements, [](const Measurement& m) { return m.item == "y.png"; });
  b.measurements[0].metrics["ssim"] = 0.5;
  ASSERT_TRUE(MergeResults(&a, b).ok());
  EXPECT_EQ(a.codecs.size(), 2u);
  EXPECT_EQ(a.measurements.size(), 9u);
  EXPECT_EQ(a.measurements[0].metrics.at("ssim"), 0.5);
  EXPECT_EQ(a.measurements[0].metrics.count("psnr"), 1u);
}

TEST(MergeTest, ContradictionsAreRefused) {
  const Results good = ExampleResults();
  const auto refusal = [&](auto change) {
    Results into = good, from = good;
    change(&from);
    return MergeResults(&into, from).message();
  };
  EXPECT_EQ(refusal([](Results* r) { r->items[0].digest = "other"; }),
            "x.png: is another picture than in the results that are there");
  EXPECT_EQ(refusal([](Results* r) { r->codecs[1].version = "2"; }),
            "b: was measured with 1, and now with 2");
  EXPECT_EQ(refusal([](Results* r) { r->measurements[0].bytes = 1; }),
            "x.png: a gave 1000 bytes, and now 1");
  EXPECT_EQ(refusal([](Results* r) { r->codecs[0].threads = 2; }),
            "a: was measured with another number of threads");
}

TEST(JournalTest, ATornLineIsLeftOut) {
  const TempFolder folder;
  const std::string path = folder.File("journal.jsonl");
  const Results results = ExampleResults();
  {
    auto journal = Journal::Open(path, results);
    ASSERT_TRUE(journal.ok()) << journal.status().message();
    for (const Measurement& m : results.measurements) ASSERT_TRUE(journal->Add(m, 1).ok());
  }
  const auto whole = ReadJournal(path);
  ASSERT_TRUE(whole.ok()) << whole.status().message();
  EXPECT_EQ(whole->measurements.size(), results.measurements.size());
  // Wherever the program was ended, what is read is a prefix and the journal can go on.
  const Bytes bytes = LoadBytes(path);
  size_t last = 0;
  for (size_t size = bytes.size() / 2; size < bytes.size(); size += 13) {
    SaveBytes(path, std::span(bytes).first(size));
    const auto part = ReadJournal(path);
    ASSERT_TRUE(part.ok()) << part.status().message();
    EXPECT_GE(part->measurements.size(), last);
    last = part->measurements.size();
    auto journal = Journal::Open(path, results);
    ASSERT_TRUE(journal.ok());
    ASSERT_TRUE(journal->Add(results.measurements.back(), 1).ok());
    const auto after = ReadJournal(path);
    ASSERT_TRUE(after.ok()) << after.status().message();
    EXPECT_GE(after->measurements.size(), last);
  }
}

TEST(JournalTest, DamageNamesItsLine) {
  const TempFolder folder;
  const std::string path = folder.File("journal.jsonl");
  SaveBytes(path, ToBytes("{\"x\":1}\nnonsense\n"));
  EXPECT_EQ(ReadJournal(path).status().message(), path + ": line 2: no JSON, at byte 2");
}

TEST(CompressAiTest, WhatIsWrittenIsRead) {
  Results results = ExampleResults();
  const auto curve = ParseCompressAi(CompressAiText(results, "a"));
  ASSERT_TRUE(curve.ok()) << curve.status().message();
  EXPECT_EQ(curve->name, "a");
  ASSERT_EQ(curve->columns.at("bpp").size(), 3u);
  EXPECT_DOUBLE_EQ(curve->columns.at("psnr")[0], 25.5);
  EXPECT_EQ(curve->columns.count("msssim-rgb"), 0u);  // was not measured
  EXPECT_EQ(curve->columns.count("encode_s"), 1u);
}

TEST(CompressAiTest, OlderNamesAreRead) {
  const auto curve = ParseCompressAi(
      R"({"name":"VTM","results":{"psnr":[30,31.5],"ms-ssim":[0.9,0.95],"bpp":[0.1,0.2]}})");
  ASSERT_TRUE(curve.ok()) << curve.status().message();
  EXPECT_EQ(curve->columns.at("psnr")[1], 31.5);
  EXPECT_EQ(curve->columns.at("msssim-rgb")[1], 0.95);
}

TEST(CompressAiTest, OthersAreRefused) {
  for (const char* const text :
       {"{}", "3", R"({"name":"x","results":{"bpp":[1]}})", R"({"results":{"bpp":[1],"psnr":[3]}})",
        R"({"name":"x","results":{"bpp":[1],"psnr":[3,4]}})",
        R"({"name":"x","results":{"bpp":[1],"psnr":["3"]}})"}) {
    EXPECT_EQ(ParseCompressAi(text).status().code(), StatusCode::kCorrupt) << text;
  }
}

TEST(CompareResultsTest, EqualRunsHaveNotMoved) {
  const auto moved = CompareResults(ExampleResults(), ExampleResults());
  ASSERT_TRUE(moved.ok());
  EXPECT_TRUE(moved->empty());
}

TEST(CompareResultsTest, RatesMoveExactlyAndTimesBeyondTheirSpread) {
  const Results older = ExampleResults();
  Results newer = older;
  for (Measurement& m : newer.measurements) {
    if (m.codec == "b") m.bytes = m.bytes * 9 / 10;
    if (m.codec == "a") {
      for (double& s : m.encode_s) s *= 0.99;  // inside the spread
      for (double& s : m.decode_s) s *= 3;
    }
  }
  const auto moved = CompareResults(older, newer);
  ASSERT_TRUE(moved.ok());
  ASSERT_EQ(moved->size(), 3u);
  EXPECT_EQ((*moved)[0].what, "decode time");
  EXPECT_FALSE((*moved)[0].better);
  EXPECT_EQ((*moved)[1].what, "bytes");
  EXPECT_EQ((*moved)[1].text, "6 of 6 files, -10.000 % in all");
  EXPECT_EQ((*moved)[2].what, "psnr");
  EXPECT_TRUE((*moved)[2].text.starts_with("BD-rate -10.000 %")) << (*moved)[2].text;
  EXPECT_TRUE((*moved)[2].better);
  Results other = older;
  for (Measurement& m : other.measurements) m.setting += 100;
  EXPECT_FALSE(CompareResults(older, other).ok());
}

TEST(TablesTest, SayWhatTheCurvesSay) {
  const Results results = ExampleResults();
  const std::string table = TerminalTable(results, {.anchor = "a"});
  EXPECT_NE(table.find("-20.0 % (-20.0 %)"), std::string::npos) << table;
  const std::string markdown = MarkdownSummary(results, {.anchor = "a"});
  EXPECT_NE(markdown.find("| `b` | -20.0 % |"), std::string::npos) << markdown;
  EXPECT_NE(markdown.find("godwit eval x\n"), std::string::npos) << markdown;
  const std::string csv = MeasurementsCsv(results);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 13);
}

TEST(TablesTest, OnlyPicturesThatAllCodecsHaveCount) {
  Results results = ExampleResults();
  results.measurements.pop_back();  // of b
  const std::string csv = CurvesCsv(results);
  EXPECT_NE(csv.find("a,10,1,"), std::string::npos) << csv;
  EXPECT_TRUE(TerminalTable(results, {}).starts_with("1 of 2 pictures\n"));
}

TEST(TablesTest, ACodecWithFewPicturesIsLeftOut) {
  Results results = ExampleResults();
  results.codecs[1].settings = {10};
  std::erase_if(results.measurements,
                [](const Measurement& m) { return m.codec == "b" && m.setting > 10; });
  results.measurements.pop_back();
  results.items.push_back({"z.png", 50, 100, "digest z"});
  for (size_t i = 0; i < 3; ++i) {
    results.measurements.push_back(results.measurements[i]);
    results.measurements.back().item = "z.png";
  }
  const std::string csv = CurvesCsv(results);  // b has one picture of three
  EXPECT_NE(csv.find("a,10,3,"), std::string::npos) << csv;
  EXPECT_EQ(csv.find("b,10"), std::string::npos) << csv;
  EXPECT_NE(TerminalTable(results, {}).find("without b"), std::string::npos);
}

TEST(TablesTest, TheMarkedPartOfADocumentIsReplaced) {
  const std::string document =
      "before\n<!-- godwit eval: begin -->\nold\n<!-- godwit eval: end -->\nafter\n";
  EXPECT_EQ(*ReplaceMarkedPart(document, "new\n"),
            "before\n<!-- godwit eval: begin -->\nnew\n<!-- godwit eval: end -->\nafter\n");
  EXPECT_FALSE(ReplaceMarkedPart("no marks", "new").ok());
}

}  // namespace
}  // namespace godwit
