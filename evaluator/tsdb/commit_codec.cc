#include "evaluator/tsdb/commit_codec.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "evaluator/tsdb/histogram_codec.h"

namespace skep::tsdb {

void CommitEncoder::Clear() {
  series_.Clear();
  floats_.Clear();
  full_.Clear();
  number_ = 0;
  time_ = 0;
  full_number_ = 0;
  full_time_ = 0;
}

void CommitEncoder::AddFull(std::uint32_t number, const FullSample& sample, unsigned flags) {
  const std::int64_t time = ToMillis(sample.time);
  const bool has_histogram = sample.histogram != nullptr;
  const bool has_start = sample.start != kNoStart;
  flags |= (has_histogram ? kHistogram : 0) | (has_start ? kStart : 0);
  full_.U8(static_cast<std::uint8_t>(flags));
  full_.Signed(static_cast<std::int64_t>(number) - full_number_);
  full_.Signed(Minus(time, full_time_));
  if (has_start) full_.Signed(Minus(ToMillis(sample.start), time));
  if (has_histogram) {
    WriteHistogram(*sample.histogram, full_);
  } else {
    full_.U64(std::bit_cast<std::uint64_t>(sample.value));
  }
  full_number_ = number;
  full_time_ = time;
}

std::span<const std::string_view> CommitEncoder::Finish() {
  sizes_.Clear();
  sizes_.Varint(series_.bytes().size());
  sizes_.Varint(floats_.size());
  parts_ = {sizes_.view(), series_.bytes(), floats_.view(), full_.view()};
  return parts_;
}

bool FloatCursor::NextNearEnd() {
  if (reader_.done()) return false;
  const unsigned head = reader_.U8();
  if (!TakeHead(head)) return false;
  std::array<char, 8> padded{};
  const std::size_t size = kPackedBytes[head & 0xf];
  if (size > reader_.left()) return reader_.Fail(), false;
  std::copy_n(reader_.at(), size, padded.begin());
  return TakeValue(head & 0xf, padded.data());
}

bool FullCursor::Next() {
  if (reader_.done()) return false;
  const unsigned head = reader_.U8();
  if (head > (CommitEncoder::kHistogram | CommitEncoder::kStart | CommitEncoder::kLate)) {
    return reader_.Fail(), false;
  }
  late_ = (head & CommitEncoder::kLate) != 0;
  number_ += static_cast<std::uint32_t>(reader_.Signed());
  const std::int64_t time = Plus(ToMillis(sample_.time), reader_.Signed());
  sample_ = {.time = FromMillis(time)};
  if ((head & CommitEncoder::kStart) != 0) sample_.start = FromMillis(Plus(time, reader_.Signed()));
  if ((head & CommitEncoder::kHistogram) != 0) {
    last_histogram_ =
        std::make_shared<const Histogram>(ReadHistogram(reader_, last_histogram_.get()));
    sample_.histogram = last_histogram_;
  } else {
    sample_.value = std::bit_cast<double>(reader_.U64());
  }
  return reader_.ok();
}

Result<CommitParts> CommitParts::Find(std::string_view payload) {
  ByteReader reader(payload);
  const std::uint64_t series = reader.Varint();
  const std::uint64_t floats = reader.Varint();
  CommitParts parts;
  parts.series = reader.Bytes(series);
  parts.floats = reader.Bytes(floats);
  parts.full = reader.Bytes(reader.left());
  if (!reader.ok()) return Corrupt("a commit whose parts are longer than itself");
  return parts;
}

}  // namespace skep::tsdb
