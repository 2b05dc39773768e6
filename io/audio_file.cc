#include "io/audio_file.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/array_layout.h"
#include "io/byte_source.h"
#include "io/input_file.h"

namespace godwit {
namespace {

// What libsndfile reads from or writes to.
struct Memory {
  std::span<const std::byte> in;
  Bytes out;
  bool writes = false;
  sf_count_t at = 0;
  sf_count_t size() const { return static_cast<sf_count_t>(writes ? out.size() : in.size()); }
};

sf_count_t Length(void* user) { return static_cast<Memory*>(user)->size(); }
sf_count_t Tell(void* user) { return static_cast<Memory*>(user)->at; }
sf_count_t Seek(sf_count_t offset, int whence, void* user) {
  auto& m = *static_cast<Memory*>(user);
  const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m.at : m.size();
  if (offset < -from || offset > (sf_count_t{1} << 60)) return -1;
  m.at = from + offset;
  return m.at;
}
sf_count_t ReadBytes(void* to, sf_count_t count, void* user) {
  auto& m = *static_cast<Memory*>(user);
  const sf_count_t n = std::clamp<sf_count_t>(m.size() - m.at, 0, std::max<sf_count_t>(count, 0));
  if (n > 0 && !m.writes) std::memcpy(to, m.in.data() + m.at, static_cast<size_t>(n));
  m.at += n;
  return n;
}
sf_count_t WriteBytes(const void* from, sf_count_t count, void* user) {
  auto& m = *static_cast<Memory*>(user);
  if (!m.writes || count <= 0) return 0;
  const auto end = static_cast<size_t>(m.at + count);
  if (end > m.out.size()) m.out.resize(end);
  std::memcpy(m.out.data() + m.at, from, static_cast<size_t>(count));
  m.at += count;
  return count;
}
SF_VIRTUAL_IO kMemoryCalls = {Length, Seek, ReadBytes, WriteBytes, Tell};

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, Close>;

constexpr std::pair<int, const char*> kTags[] = {
    {SF_STR_TITLE, "title"},     {SF_STR_ARTIST, "artist"},
    {SF_STR_ALBUM, "album"},     {SF_STR_DATE, "date"},
    {SF_STR_GENRE, "genre"},     {SF_STR_TRACKNUMBER, "tracknumber"},
    {SF_STR_COMMENT, "comment"}, {SF_STR_COPYRIGHT, "copyright"},
    {SF_STR_LICENSE, "license"}};

std::string FormatName(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
      return "wav";
    case SF_FORMAT_FLAC:
      return "flac";
    case SF_FORMAT_OGG:
      return "ogg";
    case SF_FORMAT_AIFF:
      return "aiff";
    case SF_FORMAT_MPEG:
      return "mp3";
    default:
      return "";
  }
}

void SetType(int format, AudioInfo* info) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_S8:
      info->type = SampleType::kI16, info->bits = 8;
      break;
    case SF_FORMAT_PCM_16:
      info->type = SampleType::kI16, info->bits = 16;
      break;
    case SF_FORMAT_PCM_24:
      info->type = SampleType::kI32, info->bits = 24;
      break;
    case SF_FORMAT_PCM_32:
      info->type = SampleType::kI32, info->bits = 32;
      break;
    default:
      info->type = SampleType::kF32, info->bits = 32;
  }
}

class FileReader : public AudioReader {
 public:
  static Result<std::unique_ptr<AudioReader>> Open(std::string place, Bytes owned,
                                                   std::span<const std::byte> bytes,
                                                   const DecodeLimits& limits) {
    auto reader = std::make_unique<FileReader>();
    reader->place_ = std::move(place);
    reader->owned_ = std::move(owned);
    reader->memory_.in = reader->owned_.empty() ? bytes : reader->owned_;
    SF_INFO about = {};
    reader->file_.reset(sf_open_virtual(&kMemoryCalls, SFM_READ, &about, &reader->memory_));
    if (reader->file_ == nullptr) {
      return Status(StatusCode::kUnreadable, reader->place_ + sf_strerror(nullptr));
    }
    AudioInfo& info = reader->info_;
    info.format = FormatName(about.format);
    if (info.format.empty() || about.channels < 1 || about.samplerate < 1 || about.frames < 0) {
      return Status(StatusCode::kUnsupported, reader->place_ + "sound of an unknown kind");
    }
    info.rate_hz = static_cast<uint32_t>(about.samplerate);
    info.channels = static_cast<uint32_t>(about.channels);
    info.frames = static_cast<uint64_t>(about.frames);
    SetType(about.format, &info);
    const uint64_t frame = uint64_t{info.channels} * SampleBytes(info.type);
    if (info.frames > limits.max_memory_bytes / frame) {
      return Status(StatusCode::kOverLimit,
                    reader->place_ + "more samples than the limit on memory allows");
    }
    for (const auto& [code, name] : kTags) {
      const char* const text = sf_get_string(reader->file_.get(), code);
      if (text != nullptr && *text != '\0') info.tags.emplace_back(name, text);
    }
    return std::unique_ptr<AudioReader>(std::move(reader));
  }

  const AudioInfo& info() const override { return info_; }
  Result<size_t> Read(std::span<int32_t> frames) override {
    const auto wanted = static_cast<sf_count_t>(frames.size() / info_.channels);
    const sf_count_t got = sf_readf_int(file_.get(), frames.data(), wanted);
    // libsndfile puts samples into the high bits.
    for (int32_t& v :
         frames.first(static_cast<size_t>(std::max<sf_count_t>(got, 0)) * info_.channels)) {
      v >>= 32 - info_.bits;
    }
    return Count(got, wanted);
  }
  Result<size_t> Read(std::span<float> frames) override {
    const auto wanted = static_cast<sf_count_t>(frames.size() / info_.channels);
    return Count(sf_readf_float(file_.get(), frames.data(), wanted), wanted);
  }

 private:
  Result<size_t> Count(sf_count_t got, sf_count_t wanted) {
    done_ += static_cast<uint64_t>(std::max<sf_count_t>(got, 0));
    // The lengths of lossy files are estimates.
    const bool exact = info_.format != "mp3" && info_.format != "ogg";
    if (got < wanted && exact && done_ < info_.frames) {
      return Status(StatusCode::kTruncated, place_ + "ends after " + std::to_string(done_) +
                                                " of " + std::to_string(info_.frames) + " frames");
    }
    return static_cast<size_t>(std::max<sf_count_t>(got, 0));
  }

  std::string place_;
  Bytes owned_;
  Memory memory_;
  SoundFile file_;
  AudioInfo info_;
  uint64_t done_ = 0;
};

class RawReader : public AudioReader {
 public:
  RawReader(std::string place, ByteSource source, const AudioInfo& info)
      : place_(std::move(place)), source_(std::move(source)), info_(info) {}

  const AudioInfo& info() const override { return info_; }
  Result<size_t> Read(std::span<int32_t> frames) override {
    return ReadAs(frames, [&](double v) {
      return info_.type == SampleType::kF32
                 ? static_cast<int32_t>(std::clamp(v * 2147483648.0, -2147483648.0, 2147483647.0))
                 : static_cast<int32_t>(v);
    });
  }
  Result<size_t> Read(std::span<float> frames) override {
    const double scale = info_.type == SampleType::kF32 ? 1 : std::ldexp(1, 1 - info_.bits);
    return ReadAs(frames, [&](double v) { return static_cast<float>(v * scale); });
  }

 private:
  template <typename T, typename F>
  Result<size_t> ReadAs(std::span<T> frames, F convert) {
    const size_t bytes = SampleBytes(info_.type);
    const size_t wanted = frames.size() / info_.channels * info_.channels;
    buffer_.resize(wanted * bytes);
    const size_t got = source_.Read(buffer_);
    if (!source_.status().ok()) return source_.status().WithPrefix(place_);
    if (got % (bytes * info_.channels) != 0) {
      return Status(StatusCode::kTruncated, place_ + "ends inside a frame");
    }
    for (size_t i = 0; i < got / bytes; ++i) {
      const std::byte* const at = buffer_.data() + i * bytes;
      if (info_.type == SampleType::kI16) {
        int16_t v;
        std::memcpy(&v, at, sizeof(v));
        frames[i] = convert(v);
      } else if (info_.type == SampleType::kI32) {
        int32_t v;
        std::memcpy(&v, at, sizeof(v));
        frames[i] = convert(v);
      } else {
        float v;
        std::memcpy(&v, at, sizeof(v));
        frames[i] = convert(v);
      }
    }
    return got / bytes / info_.channels;
  }

  std::string place_;
  ByteSource source_;
  AudioInfo info_;
  Bytes buffer_;
};

Result<int> WriteFormat(const AudioInfo& info) {
  const bool flac = info.format == "flac";
  if (info.format != "wav" && !flac) {
    return Status(StatusCode::kUnsupported, "writing sound as " + info.format);
  }
  // Beyond two channels or 16 bits WAV needs its extensible header.
  const int type = flac                                  ? SF_FORMAT_FLAC
                   : info.channels > 2 || info.bits > 16 ? SF_FORMAT_WAVEX
                                                         : SF_FORMAT_WAV;
  if (info.type == SampleType::kF32 && !flac) return type | SF_FORMAT_FLOAT;
  if (info.type == SampleType::kI16) return type | SF_FORMAT_PCM_16;
  if (info.type == SampleType::kI32 && info.bits == 24) return type | SF_FORMAT_PCM_24;
  if (info.type == SampleType::kI32 && info.bits == 32 && !flac) return type | SF_FORMAT_PCM_32;
  return Status(StatusCode::kUnsupported, "writing such samples as " + info.format);
}

}  // namespace

Result<std::unique_ptr<AudioReader>> OpenAudio(const std::string& path,
                                               const DecodeLimits& limits) {
  GODWIT_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(path, limits.max_memory_bytes));
  return FileReader::Open(InputName(path) + ": ", std::move(bytes), {}, limits);
}
Result<std::unique_ptr<AudioReader>> OpenAudioBytes(std::span<const std::byte> bytes,
                                                    const DecodeLimits& limits) {
  return FileReader::Open("", {}, bytes, limits);
}
Result<std::unique_ptr<AudioReader>> OpenRawAudio(const std::string& path, const AudioInfo& info) {
  const bool known = info.type == SampleType::kI16 || info.type == SampleType::kI32 ||
                     info.type == SampleType::kF32;
  const int most = info.type == SampleType::kI16 ? 16 : 32;
  if (!known || info.channels < 1 || info.channels > 1024 || info.rate_hz < 1 || info.bits < 1 ||
      info.bits > most) {
    return Status(StatusCode::kInvalidArgument, "raw sound needs a rate, channels and a type");
  }
  Result<ByteSource> source = ByteSource::Open(path);
  if (!source.ok()) return source.status().WithPrefix(InputName(path) + ": ");
  return std::unique_ptr<AudioReader>(
      std::make_unique<RawReader>(InputName(path) + ": ", *std::move(source), info));
}

bool IsAudio(std::span<const std::byte> prefix) {
  const auto at = [&](size_t offset, const char* text) {
    return prefix.size() >= offset + 4 && std::memcmp(prefix.data() + offset, text, 4) == 0;
  };
  const bool riff = at(0, "RIFF") || at(0, "RF64");
  return (riff && at(8, "WAVE")) || at(0, "fLaC") || at(0, "OggS") ||
         (at(0, "FORM") && (at(8, "AIFF") || at(8, "AIFC")));
}

Result<NdArray> ReadAudioArray(AudioReader& reader, const DecodeLimits& limits) {
  const AudioInfo& info = reader.info();
  NdArray array{info.type, Shape::Of(0, info.channels), {}};
  const size_t bytes = SampleBytes(info.type);
  constexpr size_t kFrames = 4096;
  std::vector<int32_t> whole(info.type == SampleType::kF32 ? 0 : kFrames * info.channels);
  std::vector<float> real(info.type == SampleType::kF32 ? kFrames * info.channels : 0);
  while (true) {
    Result<size_t> got = real.empty() ? reader.Read(whole) : reader.Read(real);
    if (!got.ok()) return got.status();
    if (*got == 0) return array;
    array.shape.dims[0] += static_cast<int64_t>(*got);
    GODWIT_RETURN_IF_ERROR(ArrayBytes(info.type, array.shape, limits).status());
    const size_t count = *got * info.channels;
    const size_t begin = array.data.size();
    array.data.resize(begin + count * bytes);
    for (size_t i = 0; i < count; ++i) {
      std::byte* const to = array.data.data() + begin + i * bytes;
      if (real.empty()) {
        std::memcpy(to, &whole[i], bytes);  // the low bytes: little-endian
      } else {
        std::memcpy(to, &real[i], bytes);
      }
    }
  }
}

Result<Bytes> WriteAudio(const AudioInfo& info, const NdArray& samples) {
  if (samples.type != info.type || samples.shape.rank != 2 ||
      samples.shape.dims[1] != static_cast<int64_t>(info.channels) || info.channels < 1) {
    return Status(StatusCode::kInvalidArgument, "samples that do not fit their description");
  }
  if (info.format == "raw") return samples.data;
  GODWIT_ASSIGN_OR_RETURN(const int format, WriteFormat(info));
  SF_INFO about = {};
  about.samplerate = static_cast<int>(info.rate_hz);
  about.channels = static_cast<int>(info.channels);
  about.format = format;
  Memory memory;
  memory.writes = true;
  if (sf_format_check(&about) == 0) {
    return Status(StatusCode::kUnsupported,
                  "writing " + std::to_string(info.channels) + " channels as " + info.format);
  }
  SoundFile file(sf_open_virtual(&kMemoryCalls, SFM_WRITE, &about, &memory));
  if (file == nullptr) return Status(StatusCode::kInternal, sf_strerror(nullptr));
  for (const auto& [code, name] : kTags) {
    for (const auto& [key, text] : info.tags) {
      if (key == name) sf_set_string(file.get(), code, text.c_str());
    }
  }
  const sf_count_t frames = samples.shape.dims[0];
  sf_count_t written = 0;
  if (info.type == SampleType::kF32) {
    written = sf_writef_float(file.get(), samples.As<float>(), frames);
  } else if (info.type == SampleType::kI16) {
    written = sf_writef_short(file.get(), samples.As<int16_t>(), frames);
  } else {
    std::vector<int32_t> high(samples.As<int32_t>(), samples.As<int32_t>() + samples.shape.count());
    for (int32_t& v : high) v = static_cast<int32_t>(static_cast<uint32_t>(v) << (32 - info.bits));
    written = sf_writef_int(file.get(), high.data(), frames);
  }
  if (written != frames) return Status(StatusCode::kInternal, sf_strerror(file.get()));
  file.reset();  // writes what is left and the lengths
  return std::move(memory.out);
}

}  // namespace godwit
