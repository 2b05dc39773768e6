// apps/array_search.h: the stream that meets what was asked for: its method, step or error, the
// axes that hold channels and the model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/array_commands.h"
#include "apps/array_file.h"
#include "apps/console.h"
#include "codecs/array/array_encoder.h"
#include "codecs/array/array_model.h"

namespace godwit {

struct FoundArray {
  Bytes file;
  std::optional<ArrayModel> model;  // that it names
};

class ArraySearch {
 public:
  // `models`: to choose from, for wavelets. All outlive the search.
  ArraySearch(const NdArray& array, const ArrayEncodeArguments& a,
              const std::vector<ArrayModel>& models, const Console& console)
      : array_(array), a_(a), models_(models), console_(console), range_(RangeOf(array)) {}

  Result<FoundArray> Run();
  const ArrayRange& range() const { return range_; }
  Result<NdArray> Decode(const FoundArray& found) const;
  double Psnr(const ArrayError& error) const;

 private:
  // A stream, and what the search wants to know of it.
  struct Trial {
    FoundArray found;
    double place = 0;   // octaves below the range: of the step, or twice the error
    double beyond = 0;  // what was asked for is exceeded by so much, below 0: missed
    std::optional<double> mean_square = {};  // where it was decoded
  };
  struct Settings {
    bool is_wavelet = false;
    std::optional<uint8_t> channel_axes = {};
    const ArrayModel* model = nullptr;
  };

  bool WantsLeastError() const { return a_.size_bytes || a_.bits_per_sample; }
  uint64_t MostBytes() const;
  Result<Bytes> Encode(const ArrayEncodeOptions& options) const;
  Result<Trial> At(const Settings& settings, double place) const;
  Status Measure(Trial& trial) const;
  // Bisection over places, starting near `about`.
  Result<Trial> Find(const Settings& settings, std::optional<double> about) const;
  // For a size or a PSNR as Find(), else at the quality.
  Result<Trial> FindFrom(const Settings& settings, std::optional<double> about) const;
  Result<Trial> FindWavelet() const;
  Result<Trial> FindLive() const;
  // What bits and errors cost together, as the encoder weighs them.
  Result<double> Cost(Trial& trial) const;
  std::vector<uint8_t> OtherAxes() const;

  const NdArray& array_;
  const ArrayEncodeArguments& a_;
  const std::vector<ArrayModel>& models_;
  const Console& console_;
  const ArrayRange range_;
};

}  // namespace godwit
