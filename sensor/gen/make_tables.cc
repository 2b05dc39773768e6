// make_tables: writes sensor/src/gws_tables.c from the shipped stream model. Run by hand when the
// model changes; a test holds the file to it.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "codecs/image/swift_layout.h"
#include "codecs/image/swift_model.h"
#include "models/registry.h"

namespace godwit {
namespace {

using namespace swift;

template <typename T>
T Must(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "make_tables: %s\n", result.status().message().c_str());
  std::exit(1);
}

// One line of text after the other, filled to 100 columns.
class CWriter {
 public:
  void Line(const std::string& text) { std::printf("%s\n", text.c_str()); }
  void Items(const std::string& declaration, const std::vector<std::string>& items) {
    std::string line = "const " + declaration + " = {";
    for (size_t i = 0; i < items.size(); ++i) {
      const bool last = i + 1 == items.size();
      if (line.size() + items[i].size() + (last ? 0 : 1) > 98) {
        std::printf("%s\n", line.c_str());
        line.clear();
      }
      line += items[i];
      if (!last) line += ',';
    }
    std::printf("%s};\n", line.c_str());
  }
  // `inner` numbers in braces of their own, 0 for none.
  template <typename T>
  void Array(const std::string& declaration, const std::vector<T>& values, size_t inner = 0) {
    std::vector<std::string> items;
    for (size_t i = 0; i < values.size(); ++i) {
      std::string item;
      if (inner != 0 && i % inner == 0) item += '{';
      item += std::to_string(values[i]);
      if (inner != 0 && i % inner == inner - 1) item += '}';
      items.push_back(std::move(item));
    }
    Items(declaration, items);
  }
};

std::string Struct(const std::vector<std::string>& items) {
  std::string list;
  for (const std::string& item : items) {
    list += list.empty() ? '{' : ',';
    list += item;
  }
  return list += '}';
}

std::string Braces(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  for (const int64_t v : values) items.push_back(std::to_string(v));
  return Struct(items);
}

int64_t RowNorm(const auto& m, size_t n) {
  int64_t largest = 0;
  for (size_t r = 0; r < m.size(); r += n) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::abs(int64_t{m[r + i]});
    largest = std::max(largest, sum);
  }
  return largest;
}

// The library has no saturation where the format has some, folds, and rounds colour in parts: that
// must be right for this model.
bool FitsTheKernels(const SwiftModel& model) {
  const BlockTransform& t = model.transform;
  constexpr int64_t k31 = int64_t{1} << 31;
  const int64_t norm = RowNorm(t.forward, 8), sample = (RowNorm(t.colour, 3) * 128 >> 8) + 1;
  const int64_t half = (sample * norm >> 17) + 1, coefficient = (half * norm >> 15) + 1;
  int64_t entry = 0;
  bool shape = t.colour[0] == t.colour[1] && t.colour[0] == t.colour[2] && t.colour[4] == 0 &&
               t.colour[3] == -t.colour[5] && t.colour[6] == t.colour[8];
  for (size_t u = 0; u < 8; ++u) {  // a row of equal entries, then rows that sum up to 0
    int sum = 0;
    for (size_t i = 0; i < 8; ++i) sum += t.forward[u * 8 + i];
    shape = shape && (u > 0 ? sum == 0 : t.forward[0] == t.forward[1] && sum == 8 * t.forward[0]);
  }
  // gws_kernels_mve.h has the colour matrix in other numbers.
  const auto floor8 = [](int v) { return v >> 8; };
  for (int sum = 0; sum <= 510; ++sum) {
    for (int green = 0; green <= 255; ++green) {
      const int all = sum + green + 512, rest = sum + 512 - 2 * green;
      shape = shape && rest >= 0 && 33 * rest + green < 65536 &&
              floor8(9459 * all) - 33106 == floor8(t.colour[0] * (sum + green - 384) + 128) &&
              26 * rest + floor8(33 * rest + green) - 13378 ==
                  floor8(t.colour[6] * (sum - 256) + t.colour[7] * (green - 128) + 128);
    }
  }
  for (int d = -255; d <= 255; ++d)
    shape = shape && floor8(11585 * (d + 384)) - 17377 == floor8(t.colour[3] * d + 128);
  for (int i = 0; i < 16; ++i) {  // mirrored
    const int u = i / 4, sign = u % 2 == 0 ? 1 : -1, mirror = 4 * u + 3 - i % 4;
    shape = shape && model.coarse_forward[i] == sign * model.coarse_forward[mirror];
    const int odd = i % 2 == 0 ? 1 : -1, row = 4 * (3 - u) + i % 4;
    shape = shape && model.coarse_inverse[i] == odd * model.coarse_inverse[row];
  }
  for (int i = 0; i < 4; ++i)
    shape = shape && model.coarse_inverse[4 * i] == model.coarse_inverse[0];
  for (const int16_t f : t.forward) entry = std::max<int64_t>(entry, std::abs(int{f}));
  return shape && t.fold_forward && 2 * sample <= 32767 && 2 * half <= 32767 &&
         coefficient <= 32767 && sample * norm + (1 << 16) < k31 &&
         2 * half * norm + (1 << 15) < k31 && 2 * entry <= 32767 &&
         8 * (2 * half + 1) * (2 * half + 1) < 2 * k31 &&
         8 * int64_t{t.forward[0]} * t.forward[0] * ((1 << 15) + 1) <= int64_t{1} << 45;
}

// gws_mve_*: sums of flags and cells, of bytes and counts of up to 16 blocks, are 16-bit numbers;
// so are means, in 1/16, of differences between edges of at most 24843 at frequency 0.
bool FitsTheVectors(const ContextParameters& c) {
  bool fits = true;
  for (size_t group = 0; group < c.flag_weights.size(); ++group) {
    constexpr int kFlag[] = {8, 255, 510, 255, 1020, 255, 1020, 255, 1020, 255};
    const int counts = group % kBands == 0 ? 255 : 16;
    const int cell[] = {8, 16, 32, counts, 16, 16};
    int flags = c.flag_bias[group], cells = c.cell_bias[group];
    for (size_t i = 0; i < std::size(kFlag); ++i) flags += kFlag[i] * c.flag_weights[group][i];
    for (size_t i = 0; i < std::size(cell); ++i) cells += cell[i] * c.cell_weights[group][i];
    fits = fits && flags < 65536 && cells < 65536;
  }
  for (const BandWeights& w : c.band) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      int edges = 0, planes = 0;
      for (size_t k = 0; k < 6; ++k) (k < 4 ? edges : planes) += std::abs(int{w.mean[k][lane]});
      fits = fits && (int64_t{edges} * 24843 + planes * 15 + 512) >> 10 < 32768;
    }
  }
  return fits;
}

void Write(const SwiftModel& model, uint64_t id) {
  if (!FitsTheKernels(model) || !FitsTheVectors(model.context) ||
      RowNorm(model.coarse_inverse, 4) > 33000) {
    std::fprintf(stderr, "make_tables: sums of this model do not fit the library's kernels\n");
    std::exit(1);
  }
  const ContextParameters& c = model.context;
  CWriter out;
  out.Line("/* Generated by gen/make_tables.cc from stream model " + ModelIdHex(id) + ". */");
  out.Line("/* clang-format off */");
  out.Line("#include \"gws_tables.h\"\n");
  std::vector<int64_t> v;
  for (int i = 0; i < 8; ++i) v.push_back(static_cast<int64_t>(id >> (8 * i) & 255));
  out.Array("uint8_t gws_model_id[8]", v);
  const auto all = [](const auto& a) { return std::vector<int64_t>(a.begin(), a.end()); };
  out.Array("int16_t gws_colour[9]", all(model.transform.colour));
  const auto halves = [](int low, int high) {
    return int64_t{static_cast<uint16_t>(low)} | int64_t{static_cast<uint16_t>(high)} << 16;
  };
  const auto& colour = model.transform.colour;
  v = {halves(colour[0], colour[0]), halves(colour[3], colour[5]), halves(colour[6], colour[6]),
       halves(colour[7], colour[7] < 0 ? -1 : 0)};
  out.Array("uint32_t gws_colour_halves[4]", v);
  out.Array("int16_t gws_forward[64]", all(model.transform.forward));
  std::vector<int64_t> turned;  // of the first half of a row: 0 2, 1 3
  for (size_t r = 0; r < 8; ++r) {
    const auto entry = [&](size_t i) {
      return uint32_t{static_cast<uint16_t>(model.transform.forward[r * 8 + i])};
    };
    turned.push_back(entry(0) | entry(2) << 16);
    turned.push_back(entry(1) | entry(3) << 16);
  }
  out.Array("uint32_t gws_forward_turned[16]", turned);
  int64_t norm2 = 0;
  for (size_t r = 0; r < 8; ++r) {
    int64_t sum = 0;
    for (size_t i = 0; i < 8; ++i) {
      const int64_t w = model.transform.forward[r * 8 + i];
      sum += w * w;
    }
    norm2 = std::max(norm2, sum);
  }
  out.Line("const uint32_t gws_forward_norm2 = " + std::to_string(norm2) + ";");
  out.Array("int16_t gws_coarse_forward[16]", all(model.coarse_forward));
  out.Array("int16_t gws_coarse_inverse[16]", all(model.coarse_inverse));
  out.Line("const uint8_t gws_rounding = " + std::to_string(int{model.rounding}) + ";");
  v.clear();
  for (int k = 0; k < 32; ++k) v.push_back(std::lround(65536 * std::exp2(k / 32.0)) - 65536);
  for (int i = 0; i <= kMaxStepIndex; ++i) {
    const auto m = static_cast<uint64_t>(65536 + v[static_cast<size_t>(i % 32)]);
    if ((((m << (i / 32)) + 1024) >> 11) != StepFromIndex(i)) std::abort();
  }
  out.Array("uint16_t gws_step_mantissa[32]", v);
  std::vector<int64_t> channel(64), band(64, 255);
  for (size_t ch = 0; ch < 64; ++ch) channel[kPositionOf[ch]] = static_cast<int64_t>(ch);
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t p = kBandFirst[b]; p < kBandFirst[b + 1]; ++p) band[p] = static_cast<int64_t>(b);
  }
  out.Array("uint8_t gws_coarse_order[16]", all(kCoarseOrder));
  out.Array("uint8_t gws_channel[64]", channel);
  std::vector<int64_t> channel_turned;
  for (const int64_t ch : channel) channel_turned.push_back(ch % 8 * 8 + ch / 8);
  out.Array("uint8_t gws_channel_turned[64]", channel_turned);
  out.Array("uint8_t gws_position[64]", all(kPositionOf));
  out.Array("uint8_t gws_band_first[10]", all(kBandFirst));
  out.Array("uint8_t gws_band_of[64]", band);
  const auto flat = [](const auto& rows) {
    std::vector<int64_t> values;
    for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
    return values;
  };
  out.Array("uint8_t gws_cell_weight[27][6]", flat(c.cell_weights), 6);
  out.Array("uint16_t gws_cell_bias[27]", all(c.cell_bias));
  out.Array("uint8_t gws_flag_weight[27][10]", flat(c.flag_weights), 10);
  out.Array("uint16_t gws_flag_bias[27]", all(c.flag_bias));
  constexpr MagnitudeFeature kSlots[] = {kLeft,    kUp,      kUpLeft, kLower0, kLower1,
                                         kLowest0, kLowest1, kScale,  kMean};
  constexpr size_t kMeans[] = {0, 2, 1, 3};  // the tables have west, north, east, south
  std::vector<std::string> lanes, across;
  for (size_t p = 0; p < 3; ++p) {
    for (size_t position = 0; position < 64; ++position) {
      const bool dc = position == 0;
      const size_t b = dc ? 0 : static_cast<size_t>(band[position]);
      const BandWeights& w = c.band[p * kBands + b];
      const size_t lane = dc ? 0 : position - kBandFirst[b];
      std::vector<int64_t> mean, weight;
      for (const size_t k : kMeans) mean.push_back(dc ? 0 : w.mean[k][lane]);
      for (const auto slot : kSlots) weight.push_back(dc ? 0 : w.magnitude[slot][lane]);
      lanes.push_back(Struct({Braces(mean), std::to_string(dc ? 0 : w.bias[lane]), Braces(weight),
                              std::to_string(channel[position])}));
      if (p == 0) continue;
      if (dc) {
        across.push_back("{{0,0},{0,0}}");
        continue;
      }
      across.push_back(Struct({Braces({w.mean[4][lane], w.mean[5][lane]}),
                               Braces({w.magnitude[kLuma][lane], w.magnitude[kOther][lane]})}));
    }
  }
  out.Items("gws_lane gws_lanes[192]", lanes);
  std::vector<std::string> rows;  // bands that are one diagonal
  for (size_t p = 0; p < 3; ++p) {
    for (size_t b = 0; b < 7; ++b) {
      const BandWeights& w = c.band[p * kBands + b];
      const size_t size = kBandFirst[b + 1] - kBandFirst[b];
      const auto padded = [&](const auto& row) {
        std::vector<int64_t> values(8, 0);
        for (size_t i = 0; i < size; ++i) values[i] = row[i];
        return Braces(values);
      };
      const size_t begin = rows.size();
      for (const size_t k : kMeans) rows.push_back(padded(w.mean[k]));
      rows.back() += '}';
      rows.push_back(padded(w.bias));
      const size_t weights = rows.size();
      for (const auto slot : kSlots) rows.push_back(padded(w.magnitude[slot]));
      rows[weights] = '{' + rows[weights];
      rows[begin] = (b == 0 ? "{{{" : "{{") + rows[begin];
      rows.back() += b == 6 ? "}}}" : "}}";
    }
  }
  out.Line("#if GWS_MVE");
  out.Items("gws_mve_lanes gws_mve_rows[3][7]", rows);
  out.Line("#endif");
  out.Items("gws_across gws_planes[128]", across);
  out.Array("uint8_t gws_coarse_flag_weight[3][4]", flat(c.coarse_flag_weights), 4);
  out.Array("uint16_t gws_coarse_flag_bias[3]", all(c.coarse_flag_bias));
  std::vector<std::string> coarse;
  for (const CoarseWeights& w : c.coarse) {
    for (const size_t i : kCoarseOrder) {
      std::vector<int64_t> mean, weight;
      for (const auto& row : w.mean) mean.push_back(row[i]);
      for (const auto& row : w.magnitude) weight.push_back(row[i]);
      coarse.push_back(Struct({Braces(mean), std::to_string(w.bias[i]), Braces(weight)}));
    }
  }
  out.Items("gws_coarse_lane gws_coarse[48]", coarse);
  rows.clear();
  for (const CoarseWeights& w : c.coarse) {
    const auto ordered = [](const auto& row) {
      std::vector<int64_t> values;
      for (const size_t i : kCoarseOrder) values.push_back(i == 0 ? 0 : row[i]);
      return Braces(values);
    };
    const size_t begin = rows.size();
    for (const auto& row : w.mean) rows.push_back(ordered(row));
    rows.back() += '}';
    rows.push_back(ordered(w.bias));
    const size_t weights = rows.size();
    for (const auto& row : w.magnitude) rows.push_back(ordered(row));
    rows[weights] = '{' + rows[weights];
    rows[begin] = "{{" + rows[begin];
    rows.back() += "}}";
  }
  out.Line("#if GWS_MVE");
  out.Items("gws_mve_coarse_lanes gws_mve_coarse[3]", rows);
  out.Line("#endif");
  out.Array("int16_t gws_coarse_dc_mean[3][4]", flat(c.coarse_dc_mean), 4);
  std::string list;
  for (size_t r = 0; r < 3; ++r) {
    const std::string n = std::to_string(r);
    out.Line("#if (GWS_STEP_RANGES >> " + n + " & 1) != 0");
    std::printf("static ");
    out.Array("uint16_t start" + n + "[GWS_CONTEXTS] __attribute__((aligned(4)))", all(c.start[r]));
    out.Line("#define START" + n + " start" + n + "\n#else\n#define START" + n + " 0\n#endif");
    list += (r > 0 ? ", START" : "START") + n;
  }
  out.Line("const uint16_t *const gws_start[3] = {" + list + "};");
}

}  // namespace
}  // namespace godwit

int main() {
  godwit::ModelRegistry registry;
  const uint64_t id = godwit::Must(registry.DefaultStreamModel("swift"));
  const auto file = godwit::Must(registry.FindStreamModel(id));
  godwit::Write(godwit::Must(godwit::swift::SwiftModel::Load(file, id)), id);
  return 0;
}
