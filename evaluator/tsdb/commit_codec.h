// One committed batch as the payload of one record: the series that it brings first, its floats,
// and its histograms and samples with a start. A float of a scrape costs 1 byte and its value.
//
//   commit = bytes of series n | bytes of floats n | series (series_codec.h) | floats | full
//   float  = head u8: value code | 0x10 number follows | 0x20 time follows
//            [number s: distance from one more than the one before]
//            [time s: distance from the one before, milliseconds] value (packed_value.h)
//   full   = head u8: 1 histogram | 2 start | 4 late; number s; time s, start s (from that time);
//            value u64 or histogram (histogram_codec.h)
//
// (n: varint, s: signed varint; the distances begin at 0, and anew with the full samples.)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/result.h"
#include "common/model/histogram.h"
#include "common/model/labels.h"
#include "common/model/sample.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/packed_value.h"
#include "evaluator/tsdb/series_codec.h"

namespace skep::tsdb {

// Collects a batch. Fastest where numbers rise by one and times are equal. Keeps its memory from
// one batch to the next. Thread-compatible.
class CommitEncoder {
 public:
  void Clear();
  bool empty() const { return series_.empty() && floats_.empty() && full_.empty(); }
  // Memory that it holds.
  std::size_t capacity_bytes() const { return floats_.capacity() + full_.capacity(); }

  void AddSeries(std::uint32_t number, const Labels& labels) { series_.Add(number, labels); }
  void AddFloat(std::uint32_t number, Sample sample) {
    char* const head = floats_.Room(kMostFloatBytes);
    char* at = head + 1;
    unsigned flags = 0;
    if (number != number_ + 1) {
      flags |= kNumberFollows;
      at = StoreVarint(at, ZigZag(static_cast<std::int32_t>(number - number_ - 1)));
    }
    const std::int64_t time = ToMillis(sample.time);
    if (time != time_) {
      flags |= kTimeFollows;
      at = StoreVarint(at, ZigZag(Minus(time, time_)));
    }
    *head = static_cast<char>(flags | PackValue(sample.value, at));
    floats_.SetEnd(at);
    number_ = number;
    time_ = time;
  }
  void AddFull(std::uint32_t number, const FullSample& sample) { AddFull(number, sample, 0); }
  // One that is older than the newest of its series.
  void AddLate(std::uint32_t number, const FullSample& sample) { AddFull(number, sample, kLate); }

  // The payload, in parts that are good until the next change.
  std::span<const std::string_view> Finish();

 private:
  friend class FloatCursor;
  friend class FullCursor;
  static constexpr unsigned kNumberFollows = 0x10;
  static constexpr unsigned kTimeFollows = 0x20;
  static constexpr unsigned kHistogram = 1;
  static constexpr unsigned kStart = 2;
  static constexpr unsigned kLate = 4;
  static constexpr std::size_t kMostFloatBytes = 1 + 2 * kMaxVarintBytes + 8;

  void AddFull(std::uint32_t number, const FullSample& sample, unsigned flags);

  SeriesEncoder series_;
  ByteWriter floats_, full_, sizes_;
  std::uint32_t number_ = 0;
  std::int64_t time_ = 0;
  std::uint32_t full_number_ = 0;
  std::int64_t full_time_ = 0;
  std::array<std::string_view, 4> parts_;
};

// Reads the floats of a commit, of any bytes. Thread-compatible.
class FloatCursor {
 public:
  explicit FloatCursor(std::string_view bytes) : reader_(bytes) {}

  // Moves to the first or next sample. False at the end, and where the bytes make no sense.
  bool Next() {
    if (reader_.left() < CommitEncoder::kMostFloatBytes) return NextNearEnd();
    const auto head = static_cast<unsigned char>(*reader_.at());
    reader_.Skip(1);
    return TakeHead(head) && TakeValue(head & 0xf, reader_.at());
  }
  std::uint32_t number() const { return number_; }
  Sample sample() const { return {FromMillis(time_), value_}; }
  // False once Next has met bytes that are no sample.
  bool ok() const { return reader_.ok(); }

 private:
  bool NextNearEnd();
  bool TakeHead(unsigned head) {
    if (head >= 0x40) return reader_.Fail(), false;
    ++number_;
    if ((head & CommitEncoder::kNumberFollows) != 0) {
      number_ += static_cast<std::uint32_t>(reader_.Signed());
    }
    if ((head & CommitEncoder::kTimeFollows) != 0) time_ = Plus(time_, reader_.Signed());
    return reader_.ok();
  }
  // `at` has 8 bytes.
  bool TakeValue(unsigned code, const char* at) {
    value_ = UnpackValue(code, at);
    reader_.Skip(kPackedBytes[code]);
    return true;
  }

  ByteReader reader_;
  std::uint32_t number_ = 0;
  std::int64_t time_ = 0;
  double value_ = 0;
};

// The same for histograms and samples with a start.
class FullCursor {
 public:
  explicit FullCursor(std::string_view bytes) : reader_(bytes) {}

  bool Next();
  std::uint32_t number() const { return number_; }
  // The present one's; its histogram is its own, but bounds are shared with the one before where
  // they are equal.
  const FullSample& sample() const { return sample_; }
  bool late() const { return late_; }
  bool ok() const { return reader_.ok(); }

 private:
  ByteReader reader_;
  std::uint32_t number_ = 0;
  FullSample sample_;
  bool late_ = false;
  HistogramPtr last_histogram_;
};

// Where the parts of a commit stand in its payload, which they view.
struct CommitParts {
  std::string_view series, floats, full;

  static Result<CommitParts> Find(std::string_view payload);
};

}  // namespace skep::tsdb
