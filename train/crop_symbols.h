// train/crop_symbols.h: the symbols that the encoder finds for crops, row of cells by row.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "codecs/image/image_model.h"
#include "codecs/image/swift_analysis.h"
#include "codecs/image/swift_effort.h"
#include "codecs/image/swift_tile_search.h"
#include "train/crop_file.h"

namespace godwit::swift {

// Crop after crop takes the next of `efforts`, numbers between commas, over and over. Effort 1
// rounds, as a sensor does; from 4 on symbols are found with the network of the file `synthesis`
// in mind, if one is named.
class CropSymbols {
 public:
  CropSymbols(const SwiftModel& model, const char* efforts, const char* synthesis)
      : analyser_(model, BestSimdLevel()) {
    if (synthesis != nullptr) {
      synthesis_ = std::make_unique<ImageSynthesis>(
          Need(synthesis, ImageSynthesis::Load(OpenTensors(synthesis))));
    }
    for (const char* at = efforts; *at != 0; at += *at == ',') {
      char* end = nullptr;
      const long effort = std::strtol(at, &end, 10);
      if (end == at || effort < kMinEffort || effort > kMaxEffort)
        Refuse(efforts, "no efforts of the encoder");
      at = end;
      efforts_.push_back(static_cast<size_t>(effort));
      auto& search = searches_[efforts_.back()];
      if (effort > kMinEffort && search == nullptr) {
        search = std::make_unique<TileSearch>(
            model, nullptr, synthesis_.get(), static_cast<int>(effort), ImageTune::kPsnr,
            BestSimdLevel(), kPlanes, kMaxCropCells, kMaxCropCells);
      }
    }
    if (efforts_.empty()) Refuse(efforts, "no efforts of the encoder");
  }

  // Sides are whole cells where an effort above 1 is asked for. `crop` must outlive its rows.
  void Start(const Crop& crop, CellRow& row) {
    crop_ = &crop;
    search_ = searches_[efforts_[next_++ % efforts_.size()]].get();
    analyser_.SetStep(crop.step_index);
    row.StartTile((crop.samples.width() + kCell - 1) / kCell);
    if (search_ == nullptr) return;
    if (crop.samples.height() % kCell != 0 || crop.samples.width() % kCell != 0 ||
        rows() > kMaxCropCells)
      Refuse("a crop", "sides are not whole cells, or too many");
    search_->StartTile(crop.step_index, kLayers, row.cells_w, rows());
    for (int64_t y = 0; y < rows(); ++y) search_->AddRow(analyser_, Pixels(y), y);
    search_->Search();
  }
  int64_t rows() const { return (crop_->samples.height() + kCell - 1) / kCell; }
  // In order. `row` is then as an encoder's analysis leaves it.
  void Load(int64_t y, CellRow& row) {
    row.first = y == 0;
    if (search_ != nullptr) {
      search_->LoadRow(y, row);
    } else {
      analyser_.Analyse(Pixels(y), row);
    }
  }

 private:
  TensorView<const uint8_t> Pixels(int64_t y) const {
    return crop_->samples.view().Window(
        y * kCell, 0, std::min<int64_t>(kCell, crop_->samples.height() - y * kCell),
        crop_->samples.width());
  }

  RowAnalyser analyser_;
  std::unique_ptr<ImageSynthesis> synthesis_;
  std::vector<size_t> efforts_;
  std::array<std::unique_ptr<TileSearch>, kMaxEffort + 1> searches_;  // null: rounding
  size_t next_ = 0;
  const Crop* crop_ = nullptr;
  TileSearch* search_ = nullptr;
};

}  // namespace godwit::swift
