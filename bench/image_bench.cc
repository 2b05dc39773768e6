// Pictures in memory to bytes in memory and back: swift beside libjpeg-turbo and libavif at equal
// PSNR, in one process, turn by turn on each picture. Rivals are those of eval/codec_table.h and
// keep their buffers.
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "codecs/image/image_decoder.h"
#include "codecs/image/image_encoder.h"
#include "eval/codec_table.h"
#include "io/image_file.h"
#include "models/registry.h"

namespace godwit {
namespace {

constexpr std::string_view kUsage =
    R"(usage: image_bench [OPTION...] [IMAGE...]      RGB pictures; without any, the demo picture

  --stream FILE      stream model; default: the default of what is built in or in --models
  --synthesis FILE   decode with this one too, may be repeated; default: all sizes there are
  --models FOLDER    look for models here too
  --match SIZE       rivals get the PSNR of swift with this synthesis; default: the largest
  --step I[,J...]    step indices; default: what comes nearest to --bpp
  --bpp B            bits per pixel, mean over the pictures; default 0.25
  --threads E[,D]    threads for encoding, and for decoding and frames; default 1,2
  --repeats N        default 11
  --clock cpu        processor time, for machines that others use; only with --threads 1,1
  --frame WxH        also time frames of this size, one from each picture; default none
)";

struct Options {
  std::string stream, match;
  std::vector<std::string> synthesis, folders, images;
  std::vector<int> steps;
  double bpp = 0.25;
  int encode_threads = 1, decode_threads = 2, repeats = 11;
  clockid_t clock = CLOCK_MONOTONIC;
  int64_t frame_width = 0, frame_height = 0;
};

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "image_bench: %s\n", message.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result, const std::string& what) {
  if (!result.ok()) Die(what + ": " + result.status().message());
  return *std::move(result);
}
void Must(const Status& status, const std::string& what) {
  if (!status.ok()) Die(what + ": " + status.message());
}

// ------------------------------------------------------------------------------------- pictures

using Picture = Tensor<uint8_t>;  // RGB

double Pixels(const Picture& p) { return static_cast<double>(p.height() * p.width()); }

double Psnr(const Picture& a, const Picture& b) {
  int64_t sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const int64_t d = int64_t{a.data()[i]} - b.data()[i];
    sum += d * d;
  }
  const double mse = static_cast<double>(sum) / static_cast<double>(a.size());
  return mse > 0 ? 10 * std::log10(255 * 255 / mse) : 99;
}

// What a picture of nothing but the mean colour would get.
double FlatPsnr(const Picture& p) {
  double sum[3] = {}, squares = 0;
  for (int64_t i = 0; i < p.size(); ++i) {
    const double v = p.data()[i];
    sum[i % 3] += v;
    squares += v * v;
  }
  for (const double s : sum) squares -= s * s / Pixels(p);
  return 10 * std::log10(255 * 255 / std::max(1e-4, squares / static_cast<double>(p.size())));
}

Picture ReadPicture(const std::string& path) {
  const auto reader = Must(OpenImage(path), "cannot open");
  const ImageInfo& info = reader->info();
  if (info.channels != 3) Die(path + ": only RGB pictures, please");
  Picture picture(info.height, info.width, 3);
  Must(reader->ReadRows(picture.view()), "cannot read");
  return picture;
}

// Repeats the picture, mirrored, so that detail stays as dense as it is.
Picture MakeFrame(const Picture& p, int64_t height, int64_t width) {
  const auto mirror = [](int64_t i, int64_t n) { return i / n % 2 ? n - 1 - i % n : i % n; };
  Picture frame(height, width, 3);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      std::memcpy(frame.data() + (y * width + x) * 3,
                  p.data() + (mirror(y, p.height()) * p.width() + mirror(x, p.width())) * 3, 3);
    }
  }
  return frame;
}

// The value in [low, high] whose result is nearest to `target`; results grow with the value.
int Nearest(int low, int high, double target, const std::function<double(int)>& result) {
  const int first = low;
  while (low < high) {  // to the first that is not below the target
    const int middle = (low + high) / 2;
    if (result(middle) < target) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > first && target - result(low - 1) < std::abs(result(low) - target) ? low - 1 : low;
}

// --------------------------------------------------------------------------------------- rivals

CodecEntry MustFind(const std::string& name) { return Must(FindCodec(name, {}), name); }

// A rival with its buffers.
class Rival {
 public:
  explicit Rival(const std::string& name, int threads = 1)
      : codec_(Must(MustFind(name).create(threads), name)) {}

  // Valid until the next call.
  std::span<const std::byte> Encode(const Picture& p, int setting) {
    return Must(codec_->Encode(p.view(), setting), "rival");
  }
  void Decode(std::span<const std::byte> bytes, Picture* out) {
    Must(codec_->Decode(bytes, out->view()), "rival");
  }

 private:
  std::unique_ptr<Codec> codec_;
};

// ---------------------------------------------------------------------------------------- swift

struct Models {
  std::optional<ImageModel> stream;
  std::vector<ImageSynthesis> synthesis;  // smallest first
};

void DecodeSwift(const Bytes& bytes, const ImageModel& model, const ImageSynthesis* synthesis,
                 int threads, Picture* out) {
  const ImageStream stream = Must(ParseImageStream(bytes), "swift");
  ImageDecodeOptions options;
  options.threads = threads;
  ImageDecoder decoder = Must(ImageDecoder::Create(stream, model, synthesis, options), "swift");
  Must(decoder.ReadRows(out->view()), "swift");
}

ImageEncoder MakeEncoder(const Models& models, int step, int threads) {
  ImageEncodeOptions options;
  options.step_index = step;
  options.threads = threads;
  return Must(ImageEncoder::Create(*models.stream, options), "swift");
}

int StepForBpp(const Models& models, const std::vector<Picture>& pictures, double bpp,
               int threads) {
  ImageEncoder encoder = MakeEncoder(models, 0, threads);
  return 351 - Nearest(0, 351, bpp, [&](int fineness) {
           Must(encoder.SetStepIndex(351 - fineness), "swift");
           double sum = 0;
           for (const Picture& p : pictures) {
             sum += static_cast<double>(Must(encoder.Encode(p.view()), "swift").size()) * 8 /
                    Pixels(p);
           }
           return sum / static_cast<double>(pictures.size());
         });
}

// ---------------------------------------------------------------------------------------- races

double Seconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Contender {
  std::string name;
  std::function<void(size_t picture)> run;
  std::vector<double> bpp, psnr;             // of each picture
  std::vector<std::vector<double>> seconds;  // of each picture, sorted
};

// Everyone takes a turn at each picture, in an order that changes; a turn is one run to warm up and
// one that counts.
void Race(std::vector<Contender>& contenders, size_t pictures, const Options& options) {
  for (Contender& c : contenders) c.seconds.assign(pictures, {});
  for (int r = 0; r < options.repeats; ++r) {
    for (size_t p = 0; p < pictures; ++p) {
      for (size_t k = 0; k < contenders.size(); ++k) {
        Contender& c = contenders[(k + p + static_cast<size_t>(r)) % contenders.size()];
        // OpenMP's idle threads spin for milliseconds, which would cost the next one a core.
        omp_pause_resource_all(omp_pause_soft);
        c.run(p);
        const double start = Seconds(options.clock);
        c.run(p);
        c.seconds[p].push_back(Seconds(options.clock) - start);
      }
    }
  }
  for (Contender& c : contenders) {
    for (std::vector<double>& s : c.seconds) std::sort(s.begin(), s.end());
  }
}

double Mean(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

// All pictures, each at its own quantile, so that a disturbance spoils one time and not a pass.
double SecondsAt(const Contender& c, double quantile) {
  double sum = 0;
  for (const std::vector<double>& s : c.seconds) {
    sum += s[static_cast<size_t>(std::lround(quantile * static_cast<double>(s.size() - 1)))];
  }
  return sum;
}

void Print(const std::vector<Contender>& contenders, const Contender& reference, double megapixels,
           const std::vector<double>& target) {
  std::printf("  %-34s %8s  %-15s %6s  %7s  %6s  %6s  %s\n", "", "MPx/s", "quartiles", "best",
              "ratio", "bpp", "PSNR", "furthest off, dB");
  for (const Contender& c : contenders) {
    double off = 0;
    for (size_t p = 0; p < target.size(); ++p) off = std::max(off, std::abs(c.psnr[p] - target[p]));
    char quartiles[64];
    std::snprintf(quartiles, sizeof quartiles, "%.1f..%.1f", megapixels / SecondsAt(c, 0.75),
                  megapixels / SecondsAt(c, 0.25));
    std::printf("  %-34s %8.1f  %-15s %6.1f  %6.2fx  %6.4f  %6.3f  %.2f\n", c.name.c_str(),
                megapixels / SecondsAt(c, 0.5), quartiles, megapixels / SecondsAt(c, 0),
                SecondsAt(reference, 0.5) / SecondsAt(c, 0.5), Mean(c.bpp), Mean(c.psnr), off);
  }
}

// ----------------------------------------------------------------------------------- comparison

class Comparison {
 public:
  Comparison(const Options& options, const Models& models, const std::vector<Picture>& pictures,
             int step)
      : options_(options), models_(models), pictures_(pictures), step_(step) {
    for (const Picture& p : pictures) {
      megapixels_ += Pixels(p) / 1e6;
      out_.emplace_back(p.height(), p.width(), 3);
    }
  }

  void Run() {
    EncodeSwift();
    std::printf(
        "\nstep index %d (quality %.1f), %zu pictures, %.2f MPx, %d repeats of %s time; "
        "rivals at the PSNR of swift, %s\n",
        step_, QualityFromStepIndex(step_), pictures_.size(), megapixels_, options_.repeats,
        options_.clock == CLOCK_MONOTONIC ? "wall" : "processor", SizeOf(match_));
    RaceEncoders();
    RaceDecoders();
    if (options_.frame_width > 0) TimeFrames();
  }

 private:
  using Decode = std::function<void(size_t picture)>;  // to out_[picture]

  static const char* SizeOf(const ImageSynthesis* s) {
    return s == nullptr ? "no synthesis" : s->size().c_str();
  }
  static double Bpp(size_t bytes, const Picture& p) {
    return static_cast<double>(bytes) * 8 / Pixels(p);
  }

  // Also checks what shall be timed.
  void EncodeSwift() {
    match_ = models_.synthesis.empty() ? nullptr : &models_.synthesis.back();
    if (!options_.match.empty()) {
      match_ = nullptr;
      for (const ImageSynthesis& s : models_.synthesis) {
        if (s.size() == options_.match) match_ = &s;
      }
      if (match_ == nullptr && options_.match != "none") Die("no synthesis " + options_.match);
    }
    ImageEncoder encoder = MakeEncoder(models_, step_, options_.encode_threads);
    ImageEncoder again = MakeEncoder(models_, step_, options_.decode_threads);
    for (size_t i = 0; i < pictures_.size(); ++i) {
      swift_.push_back(Must(encoder.Encode(pictures_[i].view()), "swift"));
      if (Must(again.Encode(pictures_[i].view()), "swift") != swift_[i]) {
        Die("swift encodes to different bytes the second time");
      }
      DecodeSwift(swift_[i], *models_.stream, match_, options_.decode_threads, &out_[i]);
      const Picture first = out_[i].Clone();
      DecodeSwift(swift_[i], *models_.stream, match_, 1, &out_[i]);
      if (std::memcmp(first.data(), out_[i].data(), static_cast<size_t>(first.size())) != 0) {
        Die("swift decodes to different samples the second time");
      }
      target_.push_back(Psnr(pictures_[i], first));
      if (target_[i] < std::min(40.0, FlatPsnr(pictures_[i]) + 3)) {
        Die("swift's PSNR of picture " + std::to_string(i + 1) + " is no better than grey");
      }
    }
  }

  double PsnrAfter(const Decode& decode, size_t i) {
    std::memset(out_[i].data(), 0, static_cast<size_t>(out_[i].size()));
    decode(i);
    return Psnr(pictures_[i], out_[i]);
  }

  // A contender whose bytes are already there; `decode` gives their PSNR.
  template <typename Streams>
  Contender Make(std::string name, const Streams& streams, Decode run, const Decode& decode) {
    Contender c{std::move(name), std::move(run), {}, {}, {}};
    for (size_t i = 0; i < pictures_.size(); ++i) {
      c.bpp.push_back(Bpp(streams[i].size(), pictures_[i]));
      c.psnr.push_back(PsnrAfter(decode, i));
    }
    return c;
  }

  void RaceEncoders() {
    ImageEncoder swift = MakeEncoder(models_, step_, options_.encode_threads);
    Rival fixed("jpeg:fixed"), optimised("jpeg");
    const Decode decode_jpeg = [this](size_t i) { jpeg_decoder_.Decode(jpeg_[i], &out_[i]); };
    const auto encode = [this](Rival* encoder, size_t i, int quality) {
      const std::span<const std::byte> bytes = encoder->Encode(pictures_[i], quality);
      jpeg_[i].assign(bytes.begin(), bytes.end());
    };
    jpeg_.resize(pictures_.size());
    std::vector<int> quality(pictures_.size());
    for (size_t i = 0; i < pictures_.size(); ++i) {
      quality[i] = Nearest(1, 100, target_[i], [&](int q) {
        encode(&optimised, i, q);
        return PsnrAfter(decode_jpeg, i);
      });
    }
    std::vector<Contender> contenders;
    contenders.push_back(Make(
        "swift", swift_,
        [&](size_t i) {
          if (Must(swift.Encode(pictures_[i].view()), "swift").size() != swift_[i].size()) {
            Die("swift encodes to another size while timed");
          }
        },
        [&](size_t i) {
          DecodeSwift(swift_[i], *models_.stream, match_, options_.decode_threads, &out_[i]);
        }));
    for (Rival* const jpeg : {&fixed, &optimised}) {  // jpeg_ keeps the optimised ones
      for (size_t i = 0; i < pictures_.size(); ++i) encode(jpeg, i, quality[i]);
      contenders.push_back(Make(
          jpeg == &fixed ? "libjpeg-turbo, fixed Huffman" : "libjpeg-turbo, optimised Huffman",
          jpeg_, [&, jpeg](size_t i) { jpeg->Encode(pictures_[i], quality[i]); }, decode_jpeg));
    }
    Race(contenders, pictures_.size(), options_);
    std::printf("encode, %d thread(s) for swift, 1 for libjpeg-turbo\n", options_.encode_threads);
    Print(contenders, contenders.back(), megapixels_, target_);
  }

  // AVIF streams at the PSNR of swift; one thread, since libaom's choices depend on it.
  std::vector<Bytes> EncodeAvif() {
    Rival encoder("avif:6");
    std::vector<Bytes> streams(pictures_.size());
    for (size_t i = 0; i < pictures_.size(); ++i) {
      std::map<int, Bytes> tried;
      const int fineness = Nearest(0, 63, target_[i], [&](int f) {
        Bytes& bytes = tried[f];
        if (bytes.empty()) {
          const std::span<const std::byte> stream = encoder.Encode(pictures_[i], 63 - f);
          bytes.assign(stream.begin(), stream.end());
        }
        return PsnrAfter([&](size_t k) { encoder.Decode(bytes, &out_[k]); }, i);
      });
      streams[i] = std::move(tried[fineness]);
    }
    return streams;
  }

  void RaceDecoders() {
    std::vector<Contender> contenders;
    const int threads = options_.decode_threads;
    const auto add_swift = [&](const ImageSynthesis* synthesis) {
      const Decode decode = [this, synthesis, threads](size_t i) {
        DecodeSwift(swift_[i], *models_.stream, synthesis, threads, &out_[i]);
      };
      contenders.push_back(
          Make(std::string("swift, ") + SizeOf(synthesis), swift_, decode, decode));
    };
    add_swift(nullptr);
    for (const ImageSynthesis& s : models_.synthesis) add_swift(&s);

    const Decode decode_jpeg = [this](size_t i) { jpeg_decoder_.Decode(jpeg_[i], &out_[i]); };
    contenders.push_back(Make("libjpeg-turbo, 1 thread", jpeg_, decode_jpeg, decode_jpeg));
    size_t reference = contenders.size() - 1;
    std::vector<Bytes> avif;
    std::vector<std::unique_ptr<Rival>> decoders;
    if (FindCodec("avif", {}).ok()) avif = EncodeAvif();
    for (const std::string name : {"dav1d", "aom"}) {
      if (avif.empty() || !FindCodec("avif:" + name, {}).ok()) continue;
      if (decoders.empty())
        reference = contenders.size();  // the faster one, which is libavif's own choice
      decoders.push_back(std::make_unique<Rival>("avif:" + name, threads));
      const Decode decode = [&avif, this, rival = decoders.back().get()](size_t i) {
        rival->Decode(avif[i], &out_[i]);
      };
      contenders.push_back(Make("libavif, " + name, avif, decode, decode));
    }
    Race(contenders, pictures_.size(), options_);
    std::printf("decode, %d thread(s) where not said\n", threads);
    Print(contenders, contenders[reference], megapixels_, target_);
  }

  void TimeFrames() {
    std::vector<Picture> frames;
    for (const Picture& p : pictures_) {
      frames.push_back(MakeFrame(p, options_.frame_height, options_.frame_width));
    }
    std::printf("frames of %dx%d, each a picture repeated and mirrored: ms of swift encoding\n",
                static_cast<int>(options_.frame_width), static_cast<int>(options_.frame_height));
    std::vector<int> thread_counts = {1};
    if (options_.decode_threads > 1) thread_counts.push_back(options_.decode_threads);
    for (const int threads : thread_counts) {
      ImageEncoder encoder = MakeEncoder(models_, step_, threads);
      std::vector<double> bpp(frames.size());
      std::vector<Contender> contenders(1);
      contenders[0].run = [&](size_t i) {
        bpp[i] = Bpp(Must(encoder.Encode(frames[i].view()), "swift").size(), frames[i]);
      };
      Race(contenders, frames.size(), options_);
      std::vector<double> medians;
      for (const auto& s : contenders[0].seconds) medians.push_back(s[(s.size() - 1) / 2] * 1e3);
      std::printf(
          "  %d thread(s): mean %.2f (quartiles %.2f..%.2f), slowest picture's %.2f; "
          "%.4f bpp\n",
          threads, Mean(medians),
          SecondsAt(contenders[0], 0.25) * 1e3 / static_cast<double>(frames.size()),
          SecondsAt(contenders[0], 0.75) * 1e3 / static_cast<double>(frames.size()),
          *std::max_element(medians.begin(), medians.end()), Mean(bpp));
    }
  }

  const Options& options_;
  const Models& models_;
  const std::vector<Picture>& pictures_;
  int step_;
  double megapixels_ = 0;
  const ImageSynthesis* match_ = nullptr;
  std::vector<Bytes> swift_;
  std::vector<double> target_;  // dB, of each picture
  std::vector<Bytes> jpeg_;
  Rival jpeg_decoder_{"jpeg"};
  std::vector<Picture> out_;
};

// --------------------------------------------------------------------------------- command line

template <typename T>
bool ParseNumbers(std::string_view text, char separator, std::vector<T>* numbers) {
  numbers->clear();
  for (const char *at = text.data(), *const end = at + text.size();; ++at) {
    T value{};
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) return false;
    numbers->push_back(value);
    at = next;
    if (at == end) return true;
    if (*at != separator) return false;
  }
}

bool ParseArguments(const std::vector<std::string>& args, Options* o) {
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& name = args[i];
    if (name.starts_with("--benchmark_")) continue;  // `./dev bench` passes them to all programs
    if (!name.starts_with("--")) {
      o->images.push_back(name);
      continue;
    }
    if (++i == args.size()) return false;
    const std::string& value = args[i];
    std::vector<int> n;
    std::vector<double> real;
    if (name == "--stream") {
      o->stream = value;
    } else if (name == "--synthesis") {
      o->synthesis.push_back(value);
    } else if (name == "--models") {
      o->folders.push_back(value);
    } else if (name == "--match") {
      o->match = value;
    } else if (name == "--step" && ParseNumbers(value, ',', &n)) {
      o->steps = n;
    } else if (name == "--bpp" && ParseNumbers(value, ',', &real) && real.size() == 1) {
      o->bpp = real[0];
    } else if (name == "--threads" && ParseNumbers(value, ',', &n) && n.size() <= 2 &&
               *std::min_element(n.begin(), n.end()) > 0) {
      o->encode_threads = n[0];
      if (n.size() > 1) o->decode_threads = n[1];
    } else if (name == "--repeats" && ParseNumbers(value, ',', &n) && n.size() == 1 && n[0] > 0) {
      o->repeats = n[0];
    } else if (name == "--clock" && (value == "cpu" || value == "wall")) {
      o->clock = value == "cpu" ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    } else if (name == "--frame" && ParseNumbers(value, 'x', &n) && n.size() == 2 &&
               *std::min_element(n.begin(), n.end()) > 0) {
      o->frame_width = n[0];
      o->frame_height = n[1];
    } else {
      return false;
    }
  }
  const bool alone = o->encode_threads == 1 && o->decode_threads == 1;
  return o->clock == CLOCK_MONOTONIC || alone;
}

Models LoadModels(const Options& options) {
  ModelRegistry registry;
  for (const std::string& folder : options.folders) Must(registry.AddFolder(folder), folder);
  Models models;
  const auto load_stream = [&](const SafeTensors& file, const std::string& name) {
    models.stream.emplace(Must(ImageModel::Load(file, ModelIdOf(file.file())), name));
  };
  if (options.stream.empty()) {
    const uint64_t id = Must(registry.DefaultStreamModel("swift"), "models");
    load_stream(Must(registry.FindStreamModel(id), "models"), ModelIdHex(id));
  } else {
    load_stream(Must(ReadModelFile(options.stream), options.stream), options.stream);
  }
  for (const std::string& path : options.synthesis) {
    models.synthesis.push_back(Must(ImageSynthesis::Load(Must(ReadModelFile(path), path)), path));
  }
  if (options.synthesis.empty()) {
    for (const std::string_view size : kSynthesisSizes) {
      const Result<SafeTensors> file = registry.FindSynthesis("swift", models.stream->id(), size);
      if (file.ok())
        models.synthesis.push_back(Must(ImageSynthesis::Load(*file), std::string(size)));
    }
  }
  std::stable_sort(models.synthesis.begin(), models.synthesis.end(),
                   [](const ImageSynthesis& a, const ImageSynthesis& b) {
                     return a.macs_per_pixel() < b.macs_per_pixel();
                   });
  return models;
}

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

#if defined(__clang__)
constexpr const char* kGcc = "";  // clang's version has its name
#else
constexpr const char* kGcc = "gcc ";
#endif

void PrintPlace(const Models& models) {
  std::printf("commit %s, compiler %s%s\ncpu %s, %d processors, SIMD %s\n", GODWIT_BENCH_COMMIT,
              kGcc, __VERSION__, CpuName().c_str(), omp_get_num_procs(),
              std::string(SimdLevelName(BestSimdLevel())).c_str());
  std::printf("%s", MustFind("jpeg").version.c_str());
  const Result<CodecEntry> avif = FindCodec("avif", {});
  std::printf("; %s", avif.ok() ? avif->version.c_str() : "built without libavif");
  std::printf(
      "\nJPEG: 4:2:0, accurate integer DCT; AVIF: 4:4:4, speed 6\nstream model %s, %.0f "
      "multiply-adds per pixel\n",
      ModelIdHex(models.stream->id()).c_str(), models.stream->encoder_macs_per_pixel());
  for (const ImageSynthesis& s : models.synthesis) {
    std::printf("synthesis %s, %.0f multiply-adds per pixel\n", s.size().c_str(),
                s.macs_per_pixel());
  }
}

int Main(const std::vector<std::string>& args) {
  Options options;
  if (!ParseArguments(args, &options)) {
    std::fputs(std::string(kUsage).c_str(), stderr);
    return 2;
  }
  if (options.images.empty()) options.images.push_back(GODWIT_BENCH_PICTURE);
  const Models models = LoadModels(options);
  std::vector<Picture> pictures;
  for (const std::string& path : options.images) pictures.push_back(ReadPicture(path));
  PrintPlace(models);
  if (options.steps.empty()) {
    options.steps.push_back(StepForBpp(models, pictures, options.bpp, options.encode_threads));
  }
  for (const int step : options.steps) Comparison(options, models, pictures, step).Run();
  return 0;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) { return godwit::Main({argv + 1, argv + argc}); }
