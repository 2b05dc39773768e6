// bench/audio_bench.cc: audio_bench FILE... [KBPS]: how many times faster than they play the sounds
// are encoded and decoded, samples in memory to bytes in memory, in CPU time of one thread.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "codecs/audio/audio_decoder.h"
#include "codecs/audio/audio_encoder.h"
#include "io/audio_file.h"
#include "io/container.h"

namespace {

using namespace godwit;

double CpuSeconds() {
  timespec t;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

int Fail(const std::string& text) {
  std::fprintf(stderr, "audio_bench: %s\n", text.c_str());
  return 1;
}

// Median and range of nine runs of each.
int Run(const std::string& path, double kbps) {
  constexpr int kRuns = 9;
  const auto reader = OpenAudio(path);
  if (!reader.ok()) return Fail(reader.status().message());
  const AudioInfo& info = (*reader)->info();
  std::vector<int32_t> samples(info.frames * info.channels);
  std::vector<float> floats(samples.size());
  if (!(*reader)->Read(std::span<float>(floats)).ok()) return Fail(path + ": cannot be read");
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<int32_t>(floats[i] * 8388608.0f);
  }
  const bool voice = info.channels == 1 && info.rate_hz <= 16000;
  auto header =
      MakeAudioHeader(voice ? AudioKind::kVoice : AudioKind::kMusic, info.rate_hz, info.channels);
  if (!header.ok()) return Fail(header.status().message());
  header->length = info.frames;
  const double length = static_cast<double>(info.frames) / info.rate_hz;
  const auto sized =
      EncodeAudioToSize(samples, *header, static_cast<uint64_t>(kbps * 125 * length));
  if (!sized.ok()) return Fail(sized.status().message());
  // The step that fitted: the first part has it, behind its flags.
  auto sections = ContainerReader::Open(*sized);
  (void)sections->Next();
  const auto first = sections->Next();
  const auto part = ParseAudioPart((**first).body, *header);
  if (!part.ok()) return Fail(part.status().message());
  const int step = part->step;
  std::vector<double> encode, decode;
  size_t bytes = 0;
  for (int run = 0; run < kRuns; ++run) {
    const double a = CpuSeconds();
    const auto file = EncodeAudio(samples, *header, {.step = step});
    const double b = CpuSeconds();
    const auto sound = DecodeAudio(*file);
    const double c = CpuSeconds();
    if (!sound.ok() || sound->samples.size() != samples.size()) return Fail("does not decode");
    bytes = file->size();
    encode.push_back(length / (b - a));
    decode.push_back(length / (c - b));
  }
  for (auto* times : {&encode, &decode}) std::sort(times->begin(), times->end());
  std::printf("%-60s %6.1f kb/s  encode %5.0f (%.0f to %.0f)  decode %5.0f (%.0f to %.0f)\n",
              path.c_str(), 8e-3 * static_cast<double>(bytes) / length, encode[kRuns / 2],
              encode.front(), encode.back(), decode[kRuns / 2], decode.front(), decode.back());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  double kbps = 48;
  int failed = 0;
  for (int i = 1; i < argc; ++i) {
    if (const double rate = std::atof(argv[i]); rate > 0) kbps = rate;
  }
  for (int i = 1; i < argc; ++i) {
    if (std::atof(argv[i]) == 0) failed |= Run(argv[i], kbps);
  }
  return failed;
}
