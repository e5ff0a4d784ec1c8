#include "evaluator/tsdb/chunk_summary.h"

#include <array>
#include <bit>
#include <cmath>

#include "evaluator/tsdb/column_bytes.h"
#include "evaluator/tsdb/decimal.h"

namespace skep::tsdb {
namespace {

// The numbers in the order of the bytes, each with an earlier one that it is likely to be near to.
constexpr int kNothing = -1;
struct Field {
  double ChunkSummary::*number;
  int near;  // place here
};
constexpr Field kFields[] = {
    {&ChunkSummary::first, kNothing},
    {&ChunkSummary::last, 0},
    {&ChunkSummary::min, 0},
    {&ChunkSummary::max, 1},
    {&ChunkSummary::sum, kNothing},
    {&ChunkSummary::squares, kNothing},
    {&ChunkSummary::before_resets, kNothing},
};

constexpr double kFar = 0x1p48;  // longer varints are no gain

// How many of the fields stand in the bytes: the last one only where it is not 0.
std::size_t FieldsOf(const ChunkSummary& summary) {
  return std::size(kFields) - (summary.resets == 0 ? 1 : 0);
}

bool AppendAsInteger(const Field& field, const ChunkSummary& summary, Scale scale,
                     std::string& out) {
  std::int64_t integer = 0;
  std::int64_t near = 0;
  if (!ToScaled(summary.*field.number, scale, integer)) return false;
  if (field.near != kNothing && !ToScaled(summary.*kFields[field.near].number, scale, near)) {
    return false;
  }
  if (std::fabs(static_cast<double>(integer) - static_cast<double>(near)) > kFar) return false;
  AppendSigned(out, integer - near);
  return true;
}

// Reads the numbers one after the other. Their integers are remembered: to find them anew takes
// longer than all the rest.
class FieldReader {
 public:
  FieldReader(Scale scale, unsigned raw, ByteReader& bytes)
      : scale_(scale), raw_(raw), bytes_(bytes) {}

  bool Read(std::size_t place, ChunkSummary& summary) {
    double& number = summary.*kFields[place].number;
    if (IsRaw(place)) {
      number = std::bit_cast<double>(bytes_.U64());
      return true;
    }
    std::uint64_t near = 0;
    if (!NearInteger(kFields[place].near, summary, near)) return false;
    integers_[place] =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(bytes_.Signed()) + near);
    number = FromScaled(integers_[place], scale_);
    return true;
  }

 private:
  bool IsRaw(std::size_t place) const { return (raw_ & (1U << place)) != 0; }
  bool NearInteger(int near, const ChunkSummary& summary, std::uint64_t& out) const {
    if (near == kNothing) return true;
    const auto place = static_cast<std::size_t>(near);
    std::int64_t integer = integers_[place];
    if (IsRaw(place) && !ToScaled(summary.*kFields[place].number, scale_, integer)) return false;
    out = static_cast<std::uint64_t>(integer);
    return true;
  }

  const Scale scale_;
  const unsigned raw_;
  ByteReader& bytes_;
  std::array<std::int64_t, std::size(kFields)> integers_{};  // of those that are not raw
};

bool Decode(ByteReader& bytes, ChunkSummary& summary) {
  const std::optional<Scale> scale = Scale::FromCode(bytes.U8());
  const unsigned raw = bytes.U8();
  summary.resets = static_cast<std::uint32_t>(bytes.Varint());
  summary.changes = static_cast<std::uint32_t>(bytes.Varint());
  if (!scale) return false;
  FieldReader fields(*scale, raw, bytes);
  for (std::size_t i = 0; i < FieldsOf(summary); ++i) {
    if (!fields.Read(i, summary)) return false;
  }
  return bytes.ok() && bytes.left() == 0;
}

}  // namespace

// scale (1 byte), which numbers are raw (1 byte), resets and changes (varints), then the numbers:
// raw (8 bytes), or integer * 10^-decimals less that of the one near it (signed varint).
void EncodeSummary(const ChunkSummary& summary, Scale scale, std::string& out) {
  unsigned raw = 0;
  std::string numbers;
  for (std::size_t i = 0; i < FieldsOf(summary); ++i) {
    if (AppendAsInteger(kFields[i], summary, scale, numbers)) continue;
    raw |= 1U << i;
    AppendU64(numbers, std::bit_cast<std::uint64_t>(summary.*kFields[i].number));
  }
  out.push_back(static_cast<char>(scale.code()));
  out.push_back(static_cast<char>(raw));
  AppendVarint(out, summary.resets);
  AppendVarint(out, summary.changes);
  out += numbers;
}

Result<ChunkSummary> DecodeSummary(std::string_view bytes, std::uint32_t count) {
  ChunkSummary summary;
  summary.count = count;
  ByteReader reader(bytes);
  if (!Decode(reader, summary)) return Corrupt("summary of a chunk: not a list of its numbers");
  return summary;
}

}  // namespace skep::tsdb
