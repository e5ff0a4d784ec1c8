// A series as bytes of a checkpoint.
#include <bit>

#include "evaluator/tsdb/histogram_codec.h"
#include "evaluator/tsdb/series.h"

namespace skep::tsdb {

//   series = has first kept u8, [first kept s] | n sealed, each as sealed_chunk.cc has it |
//            the open run, as xor_chunk.cc has it | rare
//   rare   = histograms n | starts of floats n | late n | deleted n |
//            of each histogram: time s, start s, histogram_codec.h | of each start: time s, start s
//            | of each late sample: time s, start s, 0 u8 value u64 or 1 u8 histogram_codec.h | of
//            each deleted span: first s, last s
void Series::Save(ByteWriter& out) const {
  out.U8(first_kept_ == kMinTimestamp ? 0 : 1);
  if (first_kept_ != kMinTimestamp) out.Signed(ToMillis(first_kept_));
  out.Varint(sealed_.size());
  for (const SealedChunk& chunk : sealed_) chunk.Save(out);
  open_.Save(out);
  SaveRare(out);
}

void Series::SaveRare(ByteWriter& out) const {
  static const Rare kNone;
  const Rare& rare = rare_ == nullptr ? kNone : *rare_;
  for (const std::size_t size :
       {rare.histograms.size(), rare.starts.size(), rare.late.size(), rare.deleted.size()}) {
    out.Varint(size);
  }
  const auto times = [&out](const Rare::Entry& entry) {
    out.Signed(ToMillis(entry.time));
    out.Signed(ToMillis(entry.start));
  };
  for (const Rare::Entry& entry : rare.histograms) {
    times(entry);
    WriteHistogram(*entry.histogram, out);
  }
  for (const Rare::Entry& entry : rare.starts) times(entry);
  for (const Rare::Entry& entry : rare.late) {
    times(entry);
    out.U8(entry.histogram == nullptr ? 0 : 1);
    if (entry.histogram != nullptr) {
      WriteHistogram(*entry.histogram, out);
    } else {
      out.U64(std::bit_cast<std::uint64_t>(entry.value));
    }
  }
  for (const storage::TimeRange& span : rare.deleted) {
    out.Signed(ToMillis(span.min));
    out.Signed(ToMillis(span.max));
  }
}

bool Series::RestoreFloats(ByteReader& reader) {
  const unsigned has_first_kept = reader.U8();
  if (has_first_kept > 1) return false;
  if (has_first_kept == 1) first_kept_ = FromMillis(reader.Signed());
  for (std::uint64_t left = reader.Varint(); left > 0; --left) {
    std::optional<SealedChunk> chunk = SealedChunk::Restore(reader);
    if (!chunk) return false;
    if (!sealed_.empty() && chunk->min_time() <= sealed_.back().max_time()) return false;
    appended_ += chunk->samples();
    sealed_.push_back(std::move(*chunk));
  }
  if (!reader.ok() || !open_.Restore(reader, kRunSamples)) return false;
  appended_ += open_.samples();
  return sealed_.empty() || (!open_.empty() && open_.first_time() > sealed_.back().max_time());
}

bool Series::Restore(ByteReader& reader) {
  if (RestoreFloats(reader) && RestoreRare(reader)) return true;
  sealed_.clear();
  open_ = XorWriter();
  appended_ = 0;
  first_kept_ = kMinTimestamp;
  rare_.reset();
  return false;
}

bool Series::RestoreRare(ByteReader& reader) {
  const std::uint64_t histograms = reader.Varint();
  const std::uint64_t starts = reader.Varint();
  const std::uint64_t late = reader.Varint();
  const std::uint64_t deleted = reader.Varint();
  const Histogram* before = nullptr;
  for (std::uint64_t i = 0; i < histograms + starts && reader.ok(); ++i) {
    Rare::Entry entry = RestoreTimes(reader);
    if (i < histograms) {
      entry.histogram = std::make_shared<Histogram>(ReadHistogram(reader, before));
      before = entry.histogram.get();
    }
    auto& list = i < histograms ? rare().histograms : rare().starts;
    if (reader.ok()) list.push_back(std::move(entry));
  }
  return RestoreLate(reader, late) && RestoreDeleted(reader, deleted);
}

Series::Rare::Entry Series::RestoreTimes(ByteReader& reader) {
  const Timestamp time = FromMillis(reader.Signed());
  return {.time = time, .start = FromMillis(reader.Signed()), .histogram = nullptr};
}

bool Series::RestoreLate(ByteReader& reader, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    Rare::Entry entry = RestoreTimes(reader);
    const unsigned kind = reader.U8();
    if (kind > 1) return false;
    if (kind == 1) {
      entry.histogram = std::make_shared<Histogram>(ReadHistogram(reader, nullptr));
    } else {
      entry.value = std::bit_cast<double>(reader.U64());
    }
    std::vector<Rare::Entry>& late = rare().late;
    if (!late.empty() && late.back().time >= entry.time) return false;
    if (reader.ok()) late.push_back(std::move(entry));
  }
  return reader.ok();
}

bool Series::RestoreDeleted(ByteReader& reader, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const Timestamp first = FromMillis(reader.Signed());
    const Timestamp last = FromMillis(reader.Signed());
    if (reader.ok()) rare().deleted.push_back({first, last});
  }
  return reader.ok();
}

}  // namespace skep::tsdb
