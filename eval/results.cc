#include "eval/results.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <tuple>

namespace godwit {
namespace {

template <typename T>
const T* FindNamed(const std::vector<T>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const T& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

template <typename T>
size_t PlaceOf(const std::vector<T>& all, const std::string& name) {
  return static_cast<size_t>(
      std::find_if(all.begin(), all.end(), [&](const T& one) { return one.name == name; }) -
      all.begin());
}

Status Contradiction(std::string text) {
  return Status(StatusCode::kInvalidArgument, std::move(text));
}

Status MergeItems(Results* into, const Results& from) {
  for (const ItemRecord& item : from.items) {
    const ItemRecord* const known = into->FindItem(item.name);
    if (known == nullptr) {
      into->items.push_back(item);
    } else if (known->digest != item.digest) {
      return Contradiction(item.name + ": is another " + std::string(WordsOf(into->medium).one) +
                           " than in the results that are there");
    }
  }
  return {};
}

Status MergeCodecs(Results* into, const Results& from) {
  for (const CodecRecord& codec : from.codecs) {
    const size_t place = PlaceOf(into->codecs, codec.name);
    if (place == into->codecs.size()) {
      into->codecs.push_back(codec);
      continue;
    }
    CodecRecord& known = into->codecs[place];
    if (known.version != codec.version) {
      return Contradiction(codec.name + ": was measured with " + known.version + ", and now with " +
                           codec.version);
    }
    if (known.aim != codec.aim) {
      return Contradiction(codec.name + ": was measured at settings of another kind");
    }
    if (known.threads != codec.threads) {
      return Contradiction(codec.name + ": was measured with another number of threads");
    }
    for (const double setting : codec.settings) {
      auto& all = known.settings;
      if (std::find(all.begin(), all.end(), setting) == all.end()) all.push_back(setting);
    }
    const bool falling = codec.settings.size() > 1 && codec.settings[0] > codec.settings[1];
    std::sort(known.settings.begin(), known.settings.end(),
              [falling](double a, double b) { return falling ? a > b : a < b; });
  }
  return {};
}

Status MergeMeasurement(Measurement* into, const Measurement& from) {
  if (into->bytes != from.bytes) {
    return Contradiction(from.item + ": " + from.codec + " gave " + std::to_string(into->bytes) +
                         " bytes, and now " + std::to_string(from.bytes));
  }
  into->metrics.insert(from.metrics.begin(), from.metrics.end());
  if (into->encode_s.empty()) {
    into->encode_s = from.encode_s;
    into->decode_s = from.decode_s;
  }
  if (!into->used) into->used = from.used;
  if (!into->delay_s) into->delay_s = from.delay_s;
  if (!into->encode_peak_bytes) {
    into->encode_peak_bytes = from.encode_peak_bytes;
    into->decode_peak_bytes = from.decode_peak_bytes;
  }
  return {};
}

// Pixels, frames of sound, samples of arrays.
double CountOf(Medium medium, const ItemRecord& item) {
  if (medium == Medium::kPicture) return static_cast<double>(item.width) * item.height;
  if (medium == Medium::kSound) return static_cast<double>(item.frames);
  double count = 1;
  for (const uint64_t side : item.shape) count *= static_cast<double>(side);
  return count;
}

auto KeyOf(const Measurement& m) { return std::tie(m.item, m.codec, m.setting); }

}  // namespace

const ItemRecord* Results::FindItem(const std::string& name) const {
  return FindNamed(items, name);
}
const CodecRecord* Results::FindCodec(const std::string& name) const {
  return FindNamed(codecs, name);
}

double Results::AmountOf(const std::string& item) const {
  const ItemRecord* const record = FindItem(item);
  assert(record != nullptr);
  return CountOf(medium, *record) / (medium == Medium::kSound ? record->rate_hz : 1e6);
}

double Results::RateOf(const std::string& item, uint64_t bytes) const {
  const ItemRecord* const record = FindItem(item);
  assert(record != nullptr);
  const double bits = static_cast<double>(bytes) * 8;
  if (medium == Medium::kSound) return bits / 1000 / AmountOf(item);
  return bits / CountOf(medium, *record);
}

uint64_t Results::BytesFor(const std::string& item, double rate) const {
  return static_cast<uint64_t>(std::llround(rate / RateOf(item, 1)));
}

void SortResults(Results* results) {
  std::map<std::string, size_t> items, codecs;
  for (const ItemRecord& item : results->items) items.emplace(item.name, items.size());
  for (const CodecRecord& codec : results->codecs) codecs.emplace(codec.name, codecs.size());
  const auto place = [](const std::map<std::string, size_t>& all, const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? all.size() : found->second;
  };
  const auto key = [&](const auto& row) {
    const CodecRecord* const codec = results->FindCodec(row.codec);
    const bool falling = codec != nullptr && !codec->settings.empty() &&
                         codec->settings.front() > codec->settings.back();
    return std::tuple(place(codecs, row.codec), place(items, row.item),
                      falling ? -row.setting : row.setting);
  };
  const auto by_key = [&](const auto& a, const auto& b) { return key(a) < key(b); };
  std::stable_sort(results->measurements.begin(), results->measurements.end(), by_key);
  std::stable_sort(results->failures.begin(), results->failures.end(), by_key);
  std::stable_sort(results->pictures.begin(), results->pictures.end(),
                   [&](const ReportPicture& a, const ReportPicture& b) {
                     return std::tuple(place(items, a.item), a.target_bpp, place(codecs, a.codec)) <
                            std::tuple(place(items, b.item), b.target_bpp, place(codecs, b.codec));
                   });
}

Status MergeResults(Results* into, const Results& from) {
  if (into->medium != from.medium && !into->items.empty() && !from.items.empty()) {
    return Contradiction("one is of " + std::string(WordsOf(into->medium).many) +
                         ", the other of " + std::string(WordsOf(from.medium).many));
  }
  GODWIT_RETURN_IF_ERROR(MergeItems(into, from));
  GODWIT_RETURN_IF_ERROR(MergeCodecs(into, from));
  for (const std::string& metric : from.metrics) {
    auto& all = into->metrics;
    if (std::find(all.begin(), all.end(), metric) == all.end()) all.push_back(metric);
  }
  std::map<std::tuple<std::string, std::string, double>, size_t> known;
  for (size_t i = 0; i < into->measurements.size(); ++i) {
    known.emplace(KeyOf(into->measurements[i]), i);
  }
  for (const Measurement& m : from.measurements) {
    const auto [at, is_new] = known.emplace(KeyOf(m), into->measurements.size());
    if (is_new) {
      into->measurements.push_back(m);
    } else {
      GODWIT_RETURN_IF_ERROR(MergeMeasurement(&into->measurements[at->second], m));
    }
  }
  for (const ReportPicture& p : from.pictures) {
    const auto same = [&](const ReportPicture& q) {
      return q.item == p.item && q.codec == p.codec && q.target_bpp == p.target_bpp;
    };
    if (std::none_of(into->pictures.begin(), into->pictures.end(), same)) {
      into->pictures.push_back(p);
    }
  }
  for (const Failure& f : from.failures) {
    const auto same = [&](const Failure& g) {
      return g.item == f.item && g.codec == f.codec && g.setting == f.setting;
    };
    if (std::none_of(into->failures.begin(), into->failures.end(), same)) {
      into->failures.push_back(f);
    }
  }
  for (const ImportedCurve& curve : from.imported) {
    if (FindNamed(into->imported, curve.name) == nullptr) into->imported.push_back(curve);
  }
  into->repeats = std::max(into->repeats, from.repeats);
  SortResults(into);
  return {};
}

}  // namespace godwit
