#include "eval/run.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "eval/codec_table.h"
#include "eval/eval_picture.h"
#include "eval/result_folder.h"
#include "eval/results_json.h"
#include "tests/io/image_samples.h"

namespace godwit {
namespace {

class RunTest : public testing::Test {
 protected:
  RunTest() {
    AddPicture("a.png", NoisePicture(40, 24, 3, 1));
    AddPicture("b.png", SmoothPicture(33, 17, 3));  // odd sides
    AddPicture("c.png", SmoothPicture(9, 5, 3));    // too small for SSIM
    metrics_ = *ParseMetricNames(Medium::kPicture, {"psnr", "ssim"});
  }

  void AddPicture(const std::string& name, const Picture& picture) {
    ASSERT_TRUE(WriteEvalPicture(folder_.File(name), picture.view()).ok());
    pictures_.push_back(folder_.File(name));
  }

  RunOptions Options(const std::string& out, const std::vector<std::string>& codecs) {
    RunOptions options;
    options.program = "godwit test";
    options.command = "test";
    options.items = pictures_;
    for (const std::string& name : codecs) {
      auto codec = FindCodec(name, {});
      EXPECT_TRUE(codec.ok()) << codec.status().message();
      options.codecs.push_back(*std::move(codec));
    }
    options.metrics = metrics_;
    options.points = 3;
    options.repeats = 2;
    options.report_bpp = {2};
    options.folder = folder_.File(out);
    std::filesystem::create_directories(options.folder);
    return options;
  }

  // Stops when it has been asked `questions` times.
  RunEvents Events(int questions = 1 << 30) {
    RunEvents events;
    events.stop = [questions, asked = 0]() mutable { return ++asked > questions; };
    events.note = [this](const std::string& text) { notes_.push_back(text); };
    return events;
  }

  // All but what the clock says.
  static std::string WithoutTimes(Results results) {
    for (Measurement& m : results.measurements) {
      EXPECT_FALSE(m.encode_s.empty()) << m.codec << " of " << m.item;
      m.encode_s.clear();
      m.decode_s.clear();
    }
    return Serialise(ToJson(results));
  }

  TempFolder folder_;
  std::vector<std::string> pictures_, notes_;
  std::vector<const Metric*> metrics_;
};

TEST_F(RunTest, MeasuresEachPictureWithEachCodecAtEachSetting) {
  const auto outcome = RunEvaluation(Options("out", {"jpeg", "webp"}), Events());
  ASSERT_TRUE(outcome.ok()) << outcome.status().message();
  EXPECT_FALSE(outcome->stopped);
  const Results& results = outcome->results;
  EXPECT_EQ(results.measurements.size(), 3u * 2 * 3);
  EXPECT_EQ(results.pictures.size(), 3u * 2);
  EXPECT_TRUE(results.failures.empty());
  for (const Measurement& m : results.measurements) {
    EXPECT_EQ(m.encode_s.size(), 2u);
    EXPECT_GT(m.metrics.at("psnr"), 4);
    EXPECT_EQ(std::isnan(m.metrics.at("ssim")), m.item == "c.png");
  }
  EXPECT_TRUE(std::filesystem::exists(folder_.File("out/report_pictures/a.png.original.webp")));
  EXPECT_TRUE(std::filesystem::exists(folder_.File("out/report_pictures/b.png.jpeg.2.webp")));
}

TEST_F(RunTest, AnInterruptedRunGoesOnToTheSameResults) {
  const std::vector<std::string> codecs = {"jpeg", "webp:0"};
  const auto whole = RunEvaluation(Options("whole", codecs), Events());
  ASSERT_TRUE(whole.ok());
  const std::string want = WithoutTimes(whole->results);
  for (int questions = 0; questions < 120; questions += 7) {
    const std::string out = "part" + std::to_string(questions);
    RunOptions options = Options(out, codecs);
    const auto part = RunEvaluation(options, Events(questions));
    ASSERT_TRUE(part.ok()) << part.status().message();
    options.resume = true;
    const auto rest = RunEvaluation(options, Events());
    ASSERT_TRUE(rest.ok()) << rest.status().message();
    EXPECT_FALSE(rest->stopped);
    EXPECT_EQ(WithoutTimes(rest->results), want) << "stopped after " << questions << " questions";
  }
}

TEST_F(RunTest, JobsChangeNothing) {
  RunOptions options = Options("one", {"jpeg", "webp:0"});
  const auto one = RunEvaluation(options, Events());
  options = Options("three", {"jpeg", "webp:0"});
  options.jobs = 3;
  const auto three = RunEvaluation(options, Events());
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(WithoutTimes(one->results), WithoutTimes(three->results));
}

TEST_F(RunTest, MoreCodecsAndMetricsJoinWhatIsThere) {
  RunOptions options = Options("out", {"jpeg"});
  const auto first = RunEvaluation(options, Events());
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(WriteResultsFile(options.folder, first->results).ok());
  std::filesystem::remove(folder_.File("out/journal.jsonl"));
  metrics_ = *ParseMetricNames(Medium::kPicture, {"psnr", "ssim", "psnr-y"});
  options = Options("out", {"jpeg", "jpeg:444"});
  options.resume = true;
  const auto second = RunEvaluation(options, Events());
  ASSERT_TRUE(second.ok()) << second.status().message();
  EXPECT_EQ(second->results.measurements.size(), 18u);
  for (const Measurement& m : second->results.measurements) {
    EXPECT_EQ(m.metrics.count("psnr-y"), 1u);
  }
  // Those of before keep their times.
  EXPECT_EQ(second->results.measurements[0].encode_s, first->results.measurements[0].encode_s);
}

TEST_F(RunTest, WhatFailsIsNotedAndTheRestIsMeasured) {
  SaveBytes(folder_.File("bad.png"), ToBytes("no picture"));
  pictures_.insert(pictures_.begin(), folder_.File("bad.png"));
  const std::string fails = "cmd:fails|cp {ppm} {file}; test {q} -lt 2|cp {file} {ppm}|1 2";
  RunOptions options = Options("out", {fails, "jpeg"});
  const auto outcome = RunEvaluation(options, Events());
  ASSERT_TRUE(outcome.ok()) << outcome.status().message();
  EXPECT_EQ(outcome->results.items.size(), 3u);
  EXPECT_EQ(outcome->results.measurements.size(), 3u * (1 + 3));
  size_t pictures = 0, settings = 0;
  for (const Failure& failure : outcome->results.failures) {
    pictures += failure.codec.empty() ? 1 : 0;
    settings += failure.codec == "fails" && failure.setting == 2 ? 1 : 0;
  }
  EXPECT_EQ(pictures, 1u);
  EXPECT_GE(settings, 3u);
  ASSERT_FALSE(notes_.empty());
  EXPECT_TRUE(notes_[0].starts_with("skipped: " + folder_.File("bad.png"))) << notes_[0];
}

TEST_F(RunTest, NothingToMeasureIsAnError) {
  pictures_ = {folder_.File("none.png")};
  EXPECT_EQ(RunEvaluation(Options("out", {"jpeg"}), Events()).status().code(),
            StatusCode::kUnreadable);
}

TEST_F(RunTest, AnotherPictureOfTheSameNameEndsAResumedRun) {
  RunOptions options = Options("out", {"jpeg"});
  ASSERT_TRUE(RunEvaluation(options, Events()).ok());
  ASSERT_TRUE(WriteEvalPicture(folder_.File("a.png"), NoisePicture(40, 24, 3, 2).view()).ok());
  options.resume = true;
  EXPECT_EQ(RunEvaluation(options, Events()).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(RunTest, ACodecNamedTwiceIsRefused) {
  EXPECT_EQ(RunEvaluation(Options("out", {"jpeg", "jpeg"}), Events()).status().message(),
            "jpeg: named twice");
}

}  // namespace
}  // namespace godwit
