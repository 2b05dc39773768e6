// What train/train_packet.py calls: fits the starts of the array model to arrays, and measures
// them.
//
//   fit_array_start fit JOBS OUT NAME VERSION DESCRIPTION
//   fit_array_start measure JOBS MODEL
//
// A line of JOBS is "STEP AXES FILE": a step in units of the samples, a mask of channel axes, and a
// .npy file. `fit` codes them one after the other and keeps what the model has learned: the
// probabilities with a long memory, then the weights with starts as decoders will have them.
// `measure` prints a line for each job: samples, bytes without the model, bytes with it, and the
// mean squared errors of both.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "codecs/array/array_decoder.h"
#include "codecs/array/array_encoder.h"
#include "codecs/array/wavelet_encode.h"
#include "io/input_file.h"
#include "io/npy_file.h"
#include "models/registry.h"
#include "models/safetensors_writer.h"

namespace {

using namespace godwit;
using array::WaveletModel;

template <typename T>
T Must(Result<T> result, const std::string& what) {
  if (!result.ok()) {
    std::fprintf(stderr, "fit_array_start: %s: %s\n", what.c_str(),
                 std::string(result.status().message()).c_str());
    std::exit(1);
  }
  return *std::move(result);
}

struct Job {
  std::string path;
  NdArray array;
  ArrayEncodeOptions options;
};

std::vector<Job> ReadJobs(const std::string& path) {
  std::ifstream in(path);
  std::vector<Job> jobs;
  double step;
  int axes;
  std::string file;
  while (in >> step >> axes && std::getline(in >> std::ws, file)) {
    Job job{
        file, Must(ReadNpy(Must(ReadFile(file, DecodeLimits().max_memory_bytes), file)), file), {}};
    job.options.wavelet_step = step;
    job.options.channel_axes = static_cast<uint8_t>(axes);
    jobs.push_back(std::move(job));
  }
  if (jobs.empty()) {
    std::fprintf(stderr, "fit_array_start: %s: no jobs\n", path.c_str());
    std::exit(1);
  }
  return jobs;
}

// Codes a job's tiles, each from what the one before left.
void Learn(const Job& job, WaveletModel& model) {
  const Bytes file = Must(EncodeArray(job.array, job.options), job.path);
  const ArrayHeader header = Must(ParseArrayStream(file), job.path).header;
  for (int64_t i = 0; i < array::TileCount(header); ++i) {
    WaveletModel end;
    Must(array::EncodeWaveletTile(job.array, header, model, i, &end), job.path);
    model = end;
  }
}

// How much a start is trusted. Of 4, 12 and 24 bytes saved on held-out halves are 1.15, 1.32 and
// 1.34 % (a motion sensor), 0.51, 0.60 and 0.61 % (volumes), 0.87, 0.69 and 0.58 % (a cube).
constexpr int kStartCount = 12;
constexpr int kLongMemory = 255;

Bytes Fit(const std::vector<Job>& jobs, char** names) {
  WaveletModel model;
  model.limit = kLongMemory;
  for (const Job& job : jobs) Learn(job, model);
  model.limit = WaveletModel::kLimit;
  int64_t count = 0;
  model.ForEachBit([&](CountedBit& bit) {
    bit.count = static_cast<uint8_t>(std::min<int>(bit.count, kStartCount));
    ++count;
  });
  const WaveletModel start = model;
  // The mean of the weights that the jobs end with.
  std::vector<std::array<int64_t, 7>> sums(model.weights.size());
  std::array<int64_t, 3> sign_sums{};
  for (const Job& job : jobs) {
    WaveletModel work = start;
    work.weights = model.weights;
    work.sign_weights = model.sign_weights;
    Learn(job, work);
    model.weights = work.weights;
    model.sign_weights = work.sign_weights;
    for (size_t s = 0; s < sums.size(); ++s) {
      for (size_t i = 0; i < 7; ++i) sums[s][i] += work.weights[s].w[i];
    }
    for (size_t i = 0; i < 3; ++i) sign_sums[i] += work.sign_weights.w[i];
  }
  const auto n = static_cast<int64_t>(jobs.size());
  std::vector<uint16_t> p1;
  std::vector<uint8_t> counts;
  std::vector<int32_t> weights, sign_weights;
  WaveletModel(start).ForEachBit([&](CountedBit& bit) {
    p1.push_back(bit.p1);
    counts.push_back(bit.count);
  });
  for (const auto& of_set : sums) {
    for (const int64_t sum : of_set) weights.push_back(static_cast<int32_t>(sum / n));
  }
  for (const int64_t sum : sign_sums) sign_weights.push_back(static_cast<int32_t>(sum / n));
  SafeTensorsWriter writer;
  writer.SetMetadata("godwit.codec", "packet");
  writer.SetMetadata("godwit.kind", "stream");
  writer.SetMetadata("godwit.name", names[0]);
  writer.SetMetadata("godwit.version", names[1]);
  writer.SetMetadata("godwit.description", names[2]);
  writer.Add<uint16_t>("start.p1", {count}, p1);
  writer.Add<uint8_t>("start.count", {count}, counts);
  writer.Add<int32_t>("start.weight", {static_cast<int64_t>(sums.size()), 7}, weights);
  writer.Add<int32_t>("start.sign_weight", {3}, sign_weights);
  return writer.Finish();
}

double MeanSquare(const Job& job, const Bytes& file, const ArrayModel* model) {
  const ArrayStream stream = Must(ParseArrayStream(file), job.path);
  const NdArray back = Must(DecodeArray(stream, {.model = model}), job.path);
  return WithSampleType(job.array.type, [&](auto type) {
    using T = decltype(type);
    const size_t count = job.array.data.size() / sizeof(T);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto a = static_cast<double>(job.array.As<T>()[i]);
      const double d = a - static_cast<double>(back.As<T>()[i]);
      if (d == d) sum += d * d;  // NaN on both sides is no error
    }
    return sum / static_cast<double>(count);
  });
}

void Measure(std::vector<Job> jobs, const std::string& path) {
  const SafeTensors file = Must(ReadModelFile(path), path);
  const ArrayModel model = Must(ArrayModel::Load(file, ModelIdOf(file.file())), path);
  for (Job& job : jobs) {
    const Bytes without = Must(EncodeArray(job.array, job.options), job.path);
    job.options.model = &model;
    const Bytes with = Must(EncodeArray(job.array, job.options), job.path);
    std::printf("%lld %zu %zu %.9g %.9g\n", static_cast<long long>(job.array.shape.count()),
                without.size(), with.size(), MeanSquare(job, without, nullptr),
                MeanSquare(job, with, &model));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "fit" && argc == 7) {
    const Bytes file = Fit(ReadJobs(argv[2]), argv + 4);
    std::ofstream out(argv[3], std::ios::binary);
    out.write(reinterpret_cast<const char*>(file.data()),
              static_cast<std::streamsize>(file.size()));
    out.close();
    return out ? 0 : 1;
  }
  if (mode == "measure" && argc == 4) {
    Measure(ReadJobs(argv[2]), argv[3]);
    return 0;
  }
  std::fputs(
      "usage: fit_array_start fit JOBS OUT NAME VERSION DESCRIPTION\n"
      "       fit_array_start measure JOBS MODEL\n",
      stderr);
  return 2;
}
