#include "exporter/state/codec.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace skep::state {
namespace {

using exposition::MetricType;

// Written into files: numbers stay for ever.
enum Tag : std::uint8_t {
  kTime = 1,
  kFamily = 2,
  kSeries = 3,
  kValue = 4,
  kHistogram = 5,
  kRemoval = 6,
  kSectionRecord = 7,
  kEnd = 8,
};

constexpr std::size_t kSnapshotPayload = 64UL << 10;
constexpr std::uint64_t kMaxFamilyId = 1UL << 20;
constexpr std::uint64_t kMaxMillis = 1ULL << 52;

void AppendVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void AppendBytes(std::string& out, std::string_view bytes) {
  AppendVarint(out, bytes.size());
  out.append(bytes);
}

void AppendDouble(std::string& out, double value) {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  static_assert(std::endian::native == std::endian::little);
  out.append(bytes, 8);
}

void AppendHead(std::string& out, Tag tag, FamilyId family, SeriesId series) {
  out.push_back(static_cast<char>(tag));
  AppendVarint(out, family);
  AppendVarint(out, series);
}

std::uint8_t TypeByte(MetricType type) {
  return type == MetricType::kCounter ? 1 : type == MetricType::kGauge ? 2 : 3;
}

void AppendFamily(std::string& out, FamilyId id, const FamilySpec& spec) {
  out.push_back(kFamily);
  AppendVarint(out, id);
  out.push_back(static_cast<char>(TypeByte(spec.type)));
  AppendBytes(out, spec.name);
  AppendBytes(out, spec.help);
  AppendVarint(out, static_cast<std::uint64_t>(spec.expiry.count()));
  AppendVarint(out, spec.bounds.size());
  for (const double bound : spec.bounds) AppendDouble(out, bound);
}

void AppendSeries(std::string& out, FamilyId family, SeriesId id, const Series& series) {
  AppendHead(out, kSeries, family, id);
  out.push_back(series.is_overflow ? 1 : 0);
  AppendBytes(out, series.text);
}

void AppendTime(std::string& out, Timestamp time) {
  out.push_back(kTime);
  AppendVarint(out, static_cast<std::uint64_t>(std::max<std::int64_t>(ToMillis(time), 0)));
}

// The counts that differ from `before`; all are taken for 0 first where `is_anew`.
void AppendHistogram(std::string& out, const Unit::Touched& touched,
                     std::span<const std::uint64_t> before, std::span<const std::uint64_t> now) {
  const auto changed = [&](std::size_t i) { return now[i] != (touched.is_anew ? 0 : before[i]); };
  AppendHead(out, kHistogram, touched.family, touched.series);
  out.push_back(touched.is_anew ? 1 : 0);
  AppendDouble(out, touched.value);
  std::size_t n = 0;
  for (std::size_t i = 0; i < now.size(); ++i) n += changed(i) ? 1 : 0;
  AppendVarint(out, n);
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (!changed(i)) continue;
    AppendVarint(out, i);
    AppendVarint(out, now[i]);
  }
}

class UnitEncoder {
 public:
  UnitEncoder(Tables& tables, const Unit& unit, std::string& out, std::vector<FamilyId>& families)
      : tables_(tables), unit_(unit), out_(out), families_(families) {}

  void Encode(const Unit::Touched& touched) {
    Family& family = *tables_.Get(touched.family);
    const Series& series = family.at(touched.series);
    if (touched.is_removed) {
      if (series.is_born) AppendHead(out_, kRemoval, touched.family, touched.series);
      return;
    }
    if (!family.is_in_file) {
      AppendFamily(out_, touched.family, family.spec());
      family.is_in_file = true;
      families_.push_back(touched.family);
    }
    if (!series.is_born) AppendSeries(out_, touched.family, touched.series, series);
    if (family.is_histogram()) {
      return AppendHistogram(out_, touched, family.counts(touched.series), unit_.counts(touched));
    }
    // What expires counts from its last change, also where the value is the same.
    if (series.is_born && series.value == touched.value && family.spec().expiry.count() == 0) {
      return;
    }
    AppendHead(out_, kValue, touched.family, touched.series);
    AppendDouble(out_, touched.value);
  }

 private:
  Tables& tables_;
  const Unit& unit_;
  std::string& out_;
  std::vector<FamilyId>& families_;
};

void AppendRecord(std::string& out, std::string_view section, std::string_view record) {
  out.push_back(kSectionRecord);
  AppendBytes(out, section);
  AppendBytes(out, record);
}

}  // namespace

void EncodeUnit(Tables& tables, const Unit& unit, const std::vector<std::string>& section_names,
                const Moment& now, std::string& out, std::vector<FamilyId>& families) {
  const std::size_t begin = out.size();
  AppendTime(out, now.wall);
  const std::size_t empty = out.size();
  UnitEncoder encoder(tables, unit, out, families);
  for (const Unit::Touched& touched : unit.touched()) encoder.Encode(touched);
  for (const Unit::SectionRecord& record : unit.records()) {
    AppendRecord(out, section_names[record.section], unit.bytes(record));
  }
  if (out.size() == empty) out.resize(begin);
}

void SnapshotEncoder::AddFamily(FamilyId id, const Family& family) {
  AppendFamily(payload_, id, family.spec());
  for (SeriesId series = 0; series < family.end_id(); ++series) {
    if (family.Has(series) && family.at(series).is_born) AddSeries(id, family, series);
  }
}

void SnapshotEncoder::AddSeries(FamilyId id, const Family& family, SeriesId series_id) {
  const Series& series = family.at(series_id);
  AppendSeries(payload_, id, series_id, series);
  if (family.spec().expiry.count() > 0) {
    AppendTime(payload_, now_.wall - Duration(now_.steady_ms - series.changed));
  }
  if (family.is_histogram()) {
    const Unit::Touched touched{id, series_id, false, true, series.value, 0};
    AppendHistogram(payload_, touched, {}, family.counts(series_id));
  } else {
    AppendHead(payload_, kValue, id, series_id);
    AppendDouble(payload_, series.value);
  }
  FlushAt(kSnapshotPayload);
}

void SnapshotEncoder::AddRecord(std::string_view section, std::string_view record) {
  AppendRecord(payload_, section, record);
  FlushAt(kSnapshotPayload);
}

void SnapshotEncoder::Finish() {
  payload_.push_back(kEnd);
  FlushAt(0);
}

void SnapshotEncoder::FlushAt(std::size_t size) {
  if (payload_.size() < size) return;
  write_(payload_);
  payload_.clear();
}

// Takes values off the front; after the first one that is not there all are 0 and ok() is false.
class Decoder::Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool empty() const { return bytes_.empty(); }

  std::uint8_t Byte() {
    const std::string_view byte = Take(1);
    return byte.empty() ? 0 : static_cast<std::uint8_t>(byte[0]);
  }

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = Byte();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  // A number below 2^32, as ids are.
  std::uint32_t Id() {
    const std::uint64_t value = Varint();
    if (value > UINT32_MAX) ok_ = false;
    return static_cast<std::uint32_t>(value);
  }

  double Double() {
    double value = 0;
    const std::string_view bytes = Take(8);
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), 8);
    return value;
  }

  std::string_view Bytes() { return Take(Varint()); }

 private:
  std::string_view Take(std::uint64_t size) {
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

namespace {

Error Malformed() { return Invalid("an entry cannot be read"); }

}  // namespace

Decoder::Decoder(Tables& tables, const Moment& now, OnRecord on_record)
    : tables_(tables), now_(now), on_record_(std::move(on_record)), changed_(now.steady_ms) {}

void Decoder::Read(std::string_view payload) {
  Input in(payload);
  while (!in.empty()) {
    const Status read = ReadEntry(in);
    if (read) continue;
    Refuse(read.error());
    if (read.error().kind() == ErrorKind::kInvalid) return;
  }
}

void Decoder::Refuse(const Error& error) {
  if (refused_++ == 0) first_error_ = error.message();
}

Status Decoder::ReadEntry(Input& in) {
  switch (in.Byte()) {
    case kTime: {
      const std::uint64_t wall = in.Varint();
      if (!in.ok() || wall > kMaxMillis) return Malformed();
      const Duration age = now_.wall - FromMillis(static_cast<std::int64_t>(wall));
      changed_ = now_.steady_ms - std::max(age, Duration(0)).count();
      return {};
    }
    case kFamily:
      return ReadFamily(in);
    case kSeries:
      return ReadSeries(in);
    case kValue:
      return ReadValue(in);
    case kHistogram:
      return ReadHistogram(in);
    case kRemoval:
      return ReadRemoval(in);
    case kSectionRecord:
      return ReadSectionRecord(in);
    case kEnd:
      saw_end_ = true;
      return {};
    default:
      return Malformed();
  }
}

Status Decoder::ReadFamily(Input& in) {
  FamilySpec spec;
  const FamilyId id = in.Id();
  const std::uint8_t type = in.Byte();
  spec.name = in.Bytes();
  spec.help = in.Bytes();
  const std::uint64_t expiry = in.Varint();
  const std::uint64_t bounds = in.Varint();
  for (std::uint64_t i = 0; i < bounds && in.ok(); ++i) spec.bounds.push_back(in.Double());
  if (!in.ok() || id > kMaxFamilyId || type < 1 || type > 3 || expiry > kMaxMillis) {
    return Malformed();
  }
  spec.expiry = std::chrono::milliseconds(expiry);
  spec.type = type == 1   ? MetricType::kCounter
              : type == 2 ? MetricType::kGauge
                          : MetricType::kHistogram;
  return tables_.RestoreFamily(id, std::move(spec));
}

Status Decoder::ReadSeries(Input& in) {
  const FamilyId family = in.Id();
  const SeriesId series = in.Id();
  const std::uint8_t overflow = in.Byte();
  const std::string_view text = in.Bytes();
  if (!in.ok()) return Malformed();
  RETURN_IF_ERROR(tables_.RestoreSeries(family, series, text));
  if (overflow != 0) tables_.Get(family)->MarkOverflow(series);
  return {};
}

Status Decoder::ReadValue(Input& in) {
  const FamilyId id = in.Id();
  const SeriesId series = in.Id();
  const double value = in.Double();
  if (!in.ok()) return Malformed();
  Family* const family = tables_.Get(id);
  if (family == nullptr || !family->Has(series) || family->is_histogram()) {
    return Corrupt("a value of an unknown series");
  }
  family->at(series).value = value;
  family->at(series).changed = changed_;
  return {};
}

Status Decoder::ReadHistogram(Input& in) {
  const FamilyId id = in.Id();
  const SeriesId series = in.Id();
  const bool is_anew = in.Byte() != 0;
  const double sum = in.Double();
  std::vector<std::pair<std::uint64_t, std::uint64_t>> changes;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::uint64_t bucket = in.Varint();
    changes.emplace_back(bucket, in.Varint());
  }
  if (!in.ok()) return Malformed();
  Family* const family = tables_.Get(id);
  if (family == nullptr || !family->Has(series) || !family->is_histogram()) {
    return Corrupt("a value of an unknown series");
  }
  const std::span<std::uint64_t> counts = family->counts(series);
  if (is_anew) std::ranges::fill(counts, 0);
  for (const auto& [bucket, count] : changes) {
    if (bucket >= counts.size()) return Corrupt("a bucket that the histogram does not have");
    counts[bucket] = count;
  }
  family->at(series).value = sum;
  family->at(series).changed = changed_;
  return {};
}

Status Decoder::ReadRemoval(Input& in) {
  const FamilyId id = in.Id();
  const SeriesId series = in.Id();
  if (!in.ok()) return Malformed();
  Family* const family = tables_.Get(id);
  if (family == nullptr || !family->Has(series)) return Corrupt("removes an unknown series");
  tables_.Erase(id, series);
  return {};
}

Status Decoder::ReadSectionRecord(Input& in) {
  const std::string_view section = in.Bytes();
  const std::string_view record = in.Bytes();
  if (!in.ok()) return Malformed();
  const Status restored = on_record_(section, record);
  if (restored) return {};
  return Corrupt("a record of section " + std::string(section) + ": " + restored.error().message());
}

}  // namespace skep::state
