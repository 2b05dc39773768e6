// Fits how the contexts of sound start: models/weights/music-1 and voice-1.
//
//   fit_sound music|voice VERSION OUT.safetensors FILE...
//
// Encodes the files at several steps with the model so far and codes the decisions again, round
// after round: probabilities and counts by the likelihood of what each context saw from key to key,
// weights by moving the start towards where each key period ends. Every eighth file is held out.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "codecs/audio/audio_encoder.h"
#include "codecs/audio/unit_coder.h"
#include "io/audio_file.h"
#include "io/container.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"

namespace {

using namespace godwit;
using namespace godwit::audio;

// What was coded from a key to the next: decisions and raw values in order.
struct Period {
  uint32_t hop = 0;
  int channels = 0, shape = 0, step = 0, frames = 0;
  bool held_out = false;
  std::vector<uint16_t> values;
};

// Reads, and writes down what it read.
class Recorder {
 public:
  static constexpr bool kWrites = false;
  Recorder(std::span<const std::byte> in, std::vector<uint16_t>* to) : reader(in), to_(to) {}
  bool CodeBit(bool, uint32_t p1) {
    const bool bit = reader.CodeBit(false, p1);
    to_->push_back(bit ? 1 : 0);
    return bit;
  }
  uint32_t CodeRaw(uint32_t, int count) {
    const uint32_t value = reader.CodeRaw(0, count);
    to_->push_back(static_cast<uint16_t>(value));
    return value;
  }
  BitReader reader;

 private:
  std::vector<uint16_t>* to_;
};

struct Seen {
  uint32_t n[2] = {};
};

// Contexts have sizes in multiples of this, so that a place in memory is a number.
constexpr size_t kGrain = alignof(CountedBit);

// Says again what was written down; counts bits and what each context sees.
class Player {
 public:
  static constexpr bool kWrites = false;
  Player(const Period& period, const std::vector<float>& costs, const UnitContexts& contexts,
         std::vector<Seen>* seen)
      : at_(period.values.data()),
        costs_(costs.data()),
        first_(reinterpret_cast<const std::byte*>(&contexts)),
        seen_(seen) {}
  bool CodeBit(bool, uint32_t p1) {
    const bool bit = *at_++ != 0;
    bits += costs_[bit ? p1 : 65536 - p1];
    return bit;
  }
  uint32_t CodeRaw(uint32_t, int count) {
    bits += count;
    return *at_++;
  }
  void Saw(const CountedBit& context, bool bit) {
    const auto at = reinterpret_cast<const std::byte*>(&context) - first_;
    ++(*seen_)[static_cast<size_t>(at) / kGrain].n[bit ? 1 : 0];
  }
  double bits = 0;

 private:
  const uint16_t* at_;
  const float* costs_;
  const std::byte* first_;
  std::vector<Seen>* seen_;
};

int Fail(const std::string& text) {
  std::fprintf(stderr, "fit_sound: %s\n", text.c_str());
  return 1;
}

struct Sound {
  std::string name;
  AudioHeader header;
  std::vector<int32_t> samples;
  bool held_out = false;
};

Result<Sound> Read(const std::string& path, AudioKind kind) {
  GODWIT_ASSIGN_OR_RETURN(const auto reader, OpenAudio(path));
  const AudioInfo& info = reader->info();
  Sound sound;
  sound.name = path;
  GODWIT_ASSIGN_OR_RETURN(sound.header, MakeAudioHeader(kind, info.rate_hz, info.channels));
  std::vector<float> floats(info.frames * info.channels);
  GODWIT_ASSIGN_OR_RETURN(const size_t got, reader->Read(std::span<float>(floats)));
  for (size_t i = 0; i < got * info.channels; ++i) {
    sound.samples.push_back(static_cast<int32_t>(floats[i] * 8388608.0f));
  }
  return sound;
}

// Training sound is thin: the same again softer, on one channel.
Sound Softer(const Sound& sound) {
  Sound out = sound;
  const size_t channels = sound.header.channels;
  out.header.channels = 1;
  out.samples.resize(sound.samples.size() / channels);
  for (size_t i = 0; i < out.samples.size(); ++i) {
    int64_t sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += sound.samples[i * channels + c];
    out.samples[i] = static_cast<int32_t>(sum / static_cast<int64_t>(3 * channels));
  }
  return out;
}

// Appends the periods of one encoding.
Status Record(const Sound& sound, const AudioModel& model, int step, std::vector<Period>* out) {
  AudioEncodeOptions options;
  options.step = step;
  options.model = model;
  GODWIT_ASSIGN_OR_RETURN(const Bytes file, EncodeAudio(sound.samples, sound.header, options));
  GODWIT_ASSIGN_OR_RETURN(ContainerReader reader, ContainerReader::Open(file));
  const AudioHeader& h = sound.header;
  const int channels = static_cast<int>(h.channels);
  UnitRules rules(h.hop, channels, h.shape);
  UnitMemory memory(h.hop);
  UnitFrame frame;
  for (ChannelFrame& c : frame.channels) c.symbols.resize(h.hop);
  while (true) {
    GODWIT_ASSIGN_OR_RETURN(const std::optional<Section> section, reader.Next());
    if (!section) return {};
    if (section->type != static_cast<uint8_t>(SectionType::kSoundPart)) continue;
    GODWIT_ASSIGN_OR_RETURN(AudioPart part, ParseAudioPart(section->body, h));
    if (part.key) {
      memory.Reset(model.start());
      out->push_back({h.hop, channels, h.shape, part.step, 0, sound.held_out, {}});
    }
    rules.step = part.step;
    for (uint32_t f = 0; f < part.frames; ++f) {
      Recorder recorder(part.packets, &out->back().values);
      CodeUnit(recorder, rules, frame, memory);
      GODWIT_ASSIGN_OR_RETURN(const size_t used, recorder.reader.FinishOpen());
      part.packets = part.packets.subspan(used);
      ++out->back().frames;
    }
  }
}

double LogBeta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

// The start under which what was seen in all periods is likeliest, if each draws its probability
// from a beta distribution of mean p and weight count + 1/2.
CountedBit FitStart(const std::vector<Seen>& periods) {
  CountedBit best;
  double best_cost = 1e300;
  for (const int count : {0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 255}) {
    const double weight = count + 0.5;
    double ones = 0.4, all = 0.8;  // so that nothing is ever certain
    for (const Seen& s : periods) {
      const double n = s.n[0] + s.n[1], share = 1 / (1 + n / weight);
      ones += s.n[1] * share;
      all += n * share;
    }
    const double p = ones / all, a = p * weight, b = weight - a;
    double cost = 0;
    for (const Seen& s : periods) cost += LogBeta(a, b) - LogBeta(a + s.n[1], b + s.n[0]);
    if (cost < best_cost && !periods.empty()) {
      best_cost = cost;
      best.count = static_cast<uint8_t>(count);
      best.p1 = static_cast<uint16_t>(std::clamp(std::lround(p * 65536), 16L, 65520L));
    }
  }
  return best;
}

template <typename T>
T Moved(T from, T to, double share) {
  return static_cast<T>(from + std::lround(share * (to - from)));
}

// Codes all periods once. Weights move by `share` of where each took them; with `refit`, the
// contexts start anew after what was seen.
void Round(std::vector<Period>& periods, UnitContexts& start, double share, bool refit) {
  static const std::vector<float> costs = [] {
    std::vector<float> table(65537, 20);
    for (int p = 1; p <= 65536; ++p) {
      table[static_cast<size_t>(p)] = static_cast<float>(16 - std::log2(p));
    }
    return table;
  }();
  static std::mt19937 random(1);
  std::shuffle(periods.begin(), periods.end(), random);
  const size_t places = sizeof(UnitContexts) / kGrain;
  std::vector<std::vector<Seen>> kept(places);
  std::vector<Seen> seen(places);
  double bits[2] = {}, frames[2] = {}, key_bits[2] = {}, keys[2] = {};
  for (const Period& period : periods) {
    UnitRules rules(period.hop, period.channels, period.shape);
    rules.step = period.step;
    const auto memory = std::make_unique<UnitMemory>(period.hop);
    UnitFrame frame;
    for (ChannelFrame& c : frame.channels) c.symbols.resize(period.hop);
    memory->Reset(start);
    Player player(period, costs, memory->contexts, &seen);
    for (int f = 0; f < period.frames; ++f) {
      CodeUnit(player, rules, frame, *memory);
      if (f == 0) key_bits[period.held_out] += player.bits;
    }
    bits[period.held_out] += player.bits;
    frames[period.held_out] += period.frames;
    ++keys[period.held_out];
    for (size_t i = 0; i < places; ++i) {
      if (seen[i].n[0] + seen[i].n[1] == 0) continue;
      if (!period.held_out) kept[i].push_back(seen[i]);
      seen[i] = {};
    }
    if (period.held_out) continue;
    std::vector<int16_t> of_symbols;
    std::vector<int32_t> of_levels;
    ForEachSymbolWeight(memory->contexts, [&](int16_t w) { of_symbols.push_back(w); });
    ForEachLevelWeight(memory->contexts, [&](int32_t w) { of_levels.push_back(w); });
    size_t i = 0, k = 0;
    ForEachSymbolWeight(start, [&](int16_t& w) { w = Moved(w, of_symbols[i++], share); });
    ForEachLevelWeight(start, [&](int32_t& w) { w = Moved(w, of_levels[k++], share); });
  }
  std::printf("bits a frame %.1f, of a key frame %.1f; held out %.1f, %.1f\n", bits[0] / frames[0],
              key_bits[0] / keys[0], bits[1] / frames[1], key_bits[1] / keys[1]);
  std::fflush(stdout);
  if (!refit) return;
  const auto* const first = reinterpret_cast<const std::byte*>(&start);
  ForEachContext(start, [&](CountedBit& bit) {
    const auto at = reinterpret_cast<const std::byte*>(&bit) - first;
    bit = FitStart(kept[static_cast<size_t>(at) / kGrain]);
  });
}

Bytes Write(const UnitContexts& start, const std::string& codec, const std::string& version) {
  SafeTensorsWriter writer;
  std::vector<uint16_t> p1;
  std::vector<uint8_t> count;
  std::vector<int16_t> of_symbols;
  std::vector<int32_t> of_levels;
  ForEachContext(start, [&](const CountedBit& bit) {
    p1.push_back(bit.p1);
    count.push_back(bit.count);
  });
  ForEachSymbolWeight(start, [&](int16_t w) { of_symbols.push_back(w); });
  ForEachLevelWeight(start, [&](int32_t w) { of_levels.push_back(w); });
  const auto size = [](const auto& v) { return static_cast<int64_t>(v.size()); };
  writer.Add<uint16_t>("start.p1", {size(p1)}, p1);
  writer.Add<uint8_t>("start.count", {size(count)}, count);
  writer.Add<int16_t>("start.symbol_weight", {size(of_symbols)}, of_symbols);
  writer.Add<int32_t>("start.level_weight", {size(of_levels)}, of_levels);
  writer.SetMetadata("godwit.codec", codec);
  writer.SetMetadata("godwit.kind", "stream");
  writer.SetMetadata("godwit.name", codec + "-" + version);
  writer.SetMetadata("godwit.version", version);
  writer.SetMetadata("godwit.default", "1");
  writer.SetMetadata("godwit.description", codec + ": trained starts of all contexts");
  return writer.Finish();
}

int Run(const std::string& codec, const std::string& version, const std::string& out,
        std::span<char*> paths) {
  const bool music = codec == "music";
  // Of music some 150 to 13 kb/s, of voice 33 to 5.
  const std::vector<int> steps = music ? std::vector<int>{920, 980, 1040, 1100, 1140, 1180}
                                       : std::vector<int>{960, 1030, 1090, 1140, 1180, 1220};
  std::vector<Sound> sounds;
  for (size_t i = 0; i < paths.size(); ++i) {
    Result<Sound> sound = Read(paths[i], music ? AudioKind::kMusic : AudioKind::kVoice);
    if (!sound.ok()) return Fail(std::string(paths[i]) + ": " + sound.status().message());
    sound->held_out = i % 8 == 4;
    sounds.push_back(*std::move(sound));
  }
  AudioModel model;
  auto start = std::make_unique<UnitContexts>();
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<Period> periods;
    for (const Sound& sound : sounds) {
      const Sound softer = Softer(sound);
      for (size_t i = 0; i < steps.size(); ++i) {
        Status status = Record(sound, model, steps[i], &periods);
        if (status.ok() && i % 3 == 1) status = Record(softer, model, steps[i], &periods);
        if (!status.ok()) return Fail(sound.name + ": " + status.message());
      }
    }
    std::printf("pass %d: %zu periods\n", pass, periods.size());
    for (const double share : {0.02, 0.02, 0.01}) Round(periods, *start, share, true);
    Round(periods, *start, 0.003, false);
    const Bytes file = Write(*start, codec, version);
    const auto parsed = SafeTensors::Parse(Bytes(file));
    if (!parsed.ok()) return Fail(parsed.status().message());
    const auto loaded = AudioModel::Load(*parsed, ModelIdOf(file));
    if (!loaded.ok()) return Fail(loaded.status().message());
    model = *loaded;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> to(std::fopen(out.c_str(), "wb"),
                                                             std::fclose);
    if (to == nullptr || std::fwrite(file.data(), 1, file.size(), to.get()) != file.size()) {
      return Fail(out + ": cannot be written");
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string codec = argc > 1 ? argv[1] : "";
  if (argc < 5 || (codec != "music" && codec != "voice")) {
    return Fail("music|voice VERSION OUT.safetensors FILE...");
  }
  return Run(codec, argv[2], argv[3], std::span(argv + 4, static_cast<size_t>(argc - 4)));
}
