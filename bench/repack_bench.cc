// Entropy decoding alone, to symbols in memory: `lite` and another turn by turn on the same tiles.
//   repack_bench [--entropy mid|full] [--step I,J..] [--threads N] [--repeats N] [--tile N] [--cpu]
//   IMAGE...
// `apart`: threads take whole tiles of all pictures; `shared`: all threads share one tile, layer by
// layer, and then the next. --cpu measures processor time, for busy machines.
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "codecs/image/decode_crew.h"
#include "codecs/image/full_model.h"
#include "codecs/image/image_encoder.h"
#include "codecs/image/image_repack.h"
#include "codecs/image/image_syntax.h"
#include "codecs/image/swift_tile_decoder.h"
#include "io/image_file.h"
#include "models/registry.h"

namespace godwit {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "repack_bench: %s\n", message.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) Die(result.status().message());
  return *std::move(result);
}

struct Tile {
  std::vector<std::span<const std::byte>> substreams;
  int64_t cells_w = 0, cells_h = 0;
};

// All tiles of all pictures with one entropy coding.
struct Pile {
  std::vector<Bytes> files;
  std::vector<ImageStream> streams;
  std::vector<Tile> tiles;
  size_t bytes = 0;

  void Take(Bytes file) {
    bytes += file.size();
    files.push_back(std::move(file));
  }
  void Parse() {
    for (const Bytes& file : files) {
      streams.push_back(Must(ParseImageStream(file)));
      const ImageStream& s = streams.back();
      const TileGrid grid(s.header);
      for (uint64_t t = 0; t < grid.count(); ++t) {
        Tile tile;
        for (const auto& layer : s.layers) tile.substreams.push_back(layer[t]);
        tile.cells_w = (grid.TileWidth(t % grid.across) + 31) / 32;
        tile.cells_h = (grid.TileHeight(t / grid.across) + 31) / 32;
        tiles.push_back(std::move(tile));
      }
    }
  }
};

// Decodes whole tiles. Its threads share each of them, layer by layer.
struct Worker {
  Worker(const ImageModel& model, bool full, int64_t cells, int threads)
      : threads_(threads),
        rows_at_once_(threads > 1 ? std::min(threads + 1, 8) : 1),
        decoder(model.swift(), full ? model.full() : nullptr, BestSimdLevel(), 3, cells,
                rows_at_once_) {
    for (size_t p = 0; p < 3; ++p) {
      symbols[p] = Tensor<int16_t>(kRing, cells * 4, 64);
      dc[p] = Tensor<int16_t>(kRing, cells * 4);
    }
  }
  swift::LatentTarget TargetAt(int64_t row) {
    swift::LatentTarget target;
    target.columns = columns_;
    for (size_t p = 0; p < 3; ++p) {
      target.symbols[p] = symbols[p].data() + row % kRing * columns_ * 64;
      target.dc[p] = dc[p].data() + row % kRing * columns_;
    }
    return target;
  }
  void Do(const swift::DecodePiece& piece) {
    decoder.DecodePart(piece.part, piece.row / 4, TargetAt(piece.row));
  }
  void Done(const swift::DecodePiece& piece) { board_->DoneLatents(piece); }
  bool IsDone() const { return board_->latents_end() == end_; }
  void Share(const Tile& tile, int step_index) {
    columns_ = tile.cells_w * 4;
    end_ = tile.cells_h * 4;
    decoder.Start(tile.substreams, step_index, tile.cells_w, tile.cells_h);
    // Nobody reads what is decoded, so the ring never is full.
    board_.emplace(swift::DecodeBoard::Shape{.columns = 1,
                                             .lanes = 0,
                                             .parts = decoder.parts(),
                                             .rows_at_once = rows_at_once_,
                                             .tile_rows = end_,
                                             .first_row = 0,
                                             .end_row = end_,
                                             .capacity = end_});
    crew_.Run(*board_, *this, threads_);
    if (const Status status = decoder.Finish(); !status.ok()) Die(status.message());
  }

  // A sum over all symbols, if asked for.
  uint64_t Decode(const Tile& tile, int step_index, bool check) {
    swift::LatentTarget target;
    target.columns = tile.cells_w * 4;
    for (size_t p = 0; p < 3; ++p) {
      target.symbols[p] = symbols[p].data();
      target.dc[p] = dc[p].data();
    }
    decoder.Start(tile.substreams, step_index, tile.cells_w, tile.cells_h);
    uint64_t sum = 0;
    for (int64_t y = 0; y < tile.cells_h; ++y) {
      const Status status = decoder.DecodeRow(target);
      if (!status.ok()) Die(status.message());
      for (size_t p = 0; check && p < 3; ++p) {
        const int64_t count = target.columns * 4;
        for (int64_t i = 0; i < count * 64; ++i) {
          sum = sum * 31 + static_cast<uint16_t>(target.symbols[p][i]);
        }
        for (int64_t i = 0; i < count; ++i) sum = sum * 31 + static_cast<uint16_t>(target.dc[p][i]);
      }
    }
    return sum;
  }
  static constexpr int64_t kRing = 40;  // rows of blocks; one more row of cells than go at once
  int threads_, rows_at_once_;
  int64_t columns_ = 0, end_ = 0;
  swift::TileDecoder decoder;
  Tensor<int16_t> symbols[3], dc[3];
  swift::DecodeCrew crew_;
  std::optional<swift::DecodeBoard> board_;
};

double Now(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double Median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

int Run(int argc, char** argv) {
  std::vector<int> steps = {246, 187};
  std::vector<std::string> images;
  std::string entropy_size = "full";
  int threads = 2, repeats = 5, tile = 0;
  clockid_t clock = CLOCK_MONOTONIC;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : "0"; };
    if (arg == "--step") {
      steps.clear();
      for (char* p = std::strtok(const_cast<char*>(value()), ","); p != nullptr;
           p = std::strtok(nullptr, ",")) {
        steps.push_back(std::atoi(p));
      }
    } else if (arg == "--entropy") {
      entropy_size = value();
    } else if (arg == "--threads") {
      threads = std::max(1, std::atoi(value()));
    } else if (arg == "--repeats") {
      repeats = std::max(1, std::atoi(value()));
    } else if (arg == "--tile") {
      tile = std::atoi(value());
    } else if (arg == "--cpu") {
      clock = CLOCK_PROCESS_CPUTIME_ID;
    } else {
      images.push_back(arg);
    }
  }
  if (images.empty()) Die("no images");
  ModelRegistry registry;
  registry.AddDefaultFolders();
  const uint64_t id = Must(registry.DefaultStreamModel("swift"));
  ImageModel model = Must(ImageModel::Load(Must(registry.FindStreamModel(id)), id));
  const SafeTensors entropy = Must(registry.FindEntropy(id, entropy_size));
  if (const Status s = model.SetEntropy(entropy, ModelIdOf(entropy.file())); !s.ok())
    Die(s.message());
  std::printf("%zu pictures, %d threads, median of %d, %s, %s\n", images.size(), threads, repeats,
              std::string(SimdLevelName(BestSimdLevel())).c_str(),
              clock == CLOCK_MONOTONIC ? "time" : "processor time of all threads");
  std::printf("%5s %10s %10s %7s %26s %26s\n", "step", "lite b/px",
              (entropy_size + " b/px").c_str(), "saved", "lite Mpixel/s, apart shared",
              (entropy_size + " Mpixel/s, apart shared").c_str());
  for (const int step : steps) {
    Pile piles[2];
    double pixels = 0;
    int64_t cells = 1;
    for (const std::string& path : images) {
      const auto reader = Must(OpenImage(path));
      const ImageInfo& info = reader->info();
      if (info.channels != 3) Die(path + ": not RGB");
      Tensor<uint8_t> picture(info.height, info.width, 3);
      if (const Status s = reader->ReadRows(picture.view()); !s.ok()) Die(s.message());
      ImageEncoder encoder = Must(ImageEncoder::Create(
          model, {.step_index = step, .tile = static_cast<uint32_t>(tile), .threads = 1}));
      piles[0].Take(Must(encoder.Encode(picture.view())));
      const ImageStream lite = Must(ParseImageStream(piles[0].files.back()));
      piles[1].Take(Must(RepackImage(lite, model)));
      pixels += static_cast<double>(picture.height()) * static_cast<double>(picture.width());
      cells = std::max(cells, (picture.width() + 31) / 32);
    }
    for (Pile& pile : piles) pile.Parse();
    std::deque<Worker> workers[2], sharers;
    for (size_t k = 0; k < 2; ++k) {
      for (int i = 0; i < threads; ++i) workers[k].emplace_back(model, k == 1, cells, 1);
      sharers.emplace_back(model, k == 1, cells, threads);
    }
    for (size_t t = 0; t < piles[0].tiles.size(); ++t) {
      if (workers[0][0].Decode(piles[0].tiles[t], step, true) !=
          workers[1][0].Decode(piles[1].tiles[t], step, true)) {
        Die("symbols differ");
      }
    }
    std::vector<double> seconds[2][2];
    for (int r = 0; r < repeats; ++r) {
      for (size_t k = 0; k < 2; ++k) {
        const size_t count = piles[k].tiles.size();
        double start = Now(clock);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (size_t t = 0; t < count; ++t) {
          workers[k][static_cast<size_t>(omp_get_thread_num())].Decode(piles[k].tiles[t], step,
                                                                       false);
        }
        seconds[k][0].push_back(Now(clock) - start);
        start = Now(clock);
        for (const Tile& one : piles[k].tiles) sharers[k].Share(one, step);
        seconds[k][1].push_back(Now(clock) - start);
      }
    }
    const auto speed = [&](size_t k, size_t way) { return pixels / Median(seconds[k][way]) / 1e6; };
    std::printf(
        "%5d %10.4f %10.4f %6.2f%% %19.2f %6.2f %19.2f %6.2f\n", step,
        8 * static_cast<double>(piles[0].bytes) / pixels,
        8 * static_cast<double>(piles[1].bytes) / pixels,
        100 * (1 - static_cast<double>(piles[1].bytes) / static_cast<double>(piles[0].bytes)),
        speed(0, 0), speed(0, 1), speed(1, 0), speed(1, 1));
  }
  return 0;
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) { return godwit::Run(argc, argv); }
