#include "tests/support/chunk_store.h"

#include <algorithm>
#include <span>
#include <string>

namespace skep::test {

using storage::SampleColumns;
using storage::TimeRange;
using tsdb::Chunk;

namespace {

// The floats from `begin` to before `end`.
SampleColumns Floats(const SampleColumns& all, std::size_t begin, std::size_t end) {
  SampleColumns out;
  for (std::size_t i = begin; i < end; ++i) {
    out.times.push_back(all.times[i]);
    out.values.push_back(all.values[i]);
    if (!all.starts.empty()) out.starts.push_back(all.starts[i]);
  }
  return out;
}

SampleColumns::Histograms Histograms(const SampleColumns::Histograms& all, std::size_t begin,
                                     std::size_t end) {
  SampleColumns::Histograms out;
  for (std::size_t i = begin; i < end; ++i) {
    out.times.push_back(all.times[i]);
    out.values.push_back(all.values[i]);
    out.starts.push_back(all.starts[i]);
  }
  return out;
}

// Runs of floats and of histograms as they follow one another.
std::vector<Chunk> CutUp(const SampleColumns& all, const std::function<std::size_t()>& length) {
  tsdb::ChunkEncoder encoder;
  std::vector<Chunk> chunks;
  std::size_t f = 0;
  std::size_t h = 0;
  const std::vector<Timestamp>& histograms = all.histograms.times;
  while (f < all.size() || h < histograms.size()) {
    const std::size_t longest = std::max<std::size_t>(1, length());
    const bool floats = h == histograms.size() || (f < all.size() && all.times[f] < histograms[h]);
    const std::size_t begin = floats ? f : h;
    if (floats) {
      while (f < all.size() && f - begin < longest &&
             (h == histograms.size() || all.times[f] < histograms[h])) {
        ++f;
      }
      chunks.push_back(encoder.EncodeFloats(Floats(all, begin, f)));
    } else {
      while (h < histograms.size() && h - begin < longest &&
             (f == all.size() || histograms[h] < all.times[f])) {
        ++h;
      }
      chunks.push_back(encoder.EncodeHistograms(Histograms(all.histograms, begin, h)));
    }
  }
  return chunks;
}

bool Overlaps(const Chunk& chunk, TimeRange range) {
  return chunk.min_time <= range.max && chunk.max_time >= range.min;
}

bool LiesIn(const Chunk& chunk, TimeRange range) {
  return chunk.min_time >= range.min && chunk.max_time <= range.max;
}

class ChunkSeriesSet final : public storage::SeriesSet {
 public:
  ChunkSeriesSet(std::vector<const ChunkStore::Series*> series, TimeRange range,
                 std::atomic<std::size_t>& summaries_read)
      : series_(std::move(series)), range_(range), summaries_read_(summaries_read) {}

  bool Next() override { return ++at_ <= series_.size(); }
  const Labels& labels() const override { return series_[at_ - 1]->labels; }

  Status ReadSamples(SampleColumns& out) override {
    for (const Chunk& chunk : series_[at_ - 1]->chunks) {
      if (Overlaps(chunk, range_)) RETURN_IF_ERROR(tsdb::DecodeChunk(chunk, range_, out));
    }
    return {};
  }

  Status ReadSummarized(std::span<const Timestamp> cuts, storage::SummarizedSamples& out) override {
    for (const Chunk& chunk : series_[at_ - 1]->chunks) {
      if (!Overlaps(chunk, range_)) continue;
      const auto summary = SummaryFor(chunk, cuts);
      if (!summary) return summary.error();
      if (*summary) {
        ++summaries_read_;
        out.summaries.push_back({**summary, chunk.min_time, chunk.max_time, out.samples.size()});
      } else {
        RETURN_IF_ERROR(tsdb::DecodeChunk(chunk, range_, out.samples));
      }
    }
    return {};
  }

 private:
  Result<std::optional<tsdb::ChunkSummary>> SummaryFor(const Chunk& chunk,
                                                       std::span<const Timestamp> cuts) const {
    if (!LiesIn(chunk, range_) || storage::IsCut(cuts, chunk.min_time, chunk.max_time) ||
        chunk.kind == tsdb::ChunkKind::kHistogram || !chunk.starts.empty()) {
      return std::optional<tsdb::ChunkSummary>();
    }
    return tsdb::SummaryOf(chunk);
  }

  const std::vector<const ChunkStore::Series*> series_;
  const TimeRange range_;
  std::atomic<std::size_t>& summaries_read_;
  std::size_t at_ = 0;
};

class ChunkQuerier final : public storage::Querier {
 public:
  ChunkQuerier(const std::vector<ChunkStore::Series>& series, TimeRange range,
               std::atomic<std::size_t>& summaries_read)
      : series_(series), range_(range), summaries_read_(summaries_read) {}

  Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher> matchers,
                                                     TimeRange range) override {
    range = {std::max(range.min, range_.min), std::min(range.max, range_.max)};
    std::vector<const ChunkStore::Series*> found;
    for (const ChunkStore::Series& series : series_) {
      const bool matches = std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) {
        return m.Matches(series.labels.Get(m.name()));
      });
      if (matches) found.push_back(&series);
    }
    return {std::make_unique<ChunkSeriesSet>(std::move(found), range, summaries_read_)};
  }

  Result<std::vector<std::string>> LabelNames(std::span<const Matcher>) override {
    return Invalid("a store of chunks lists no names");
  }
  Result<std::vector<std::string>> LabelValues(std::string_view,
                                               std::span<const Matcher>) override {
    return Invalid("a store of chunks lists no values");
  }

 private:
  const std::vector<ChunkStore::Series>& series_;
  const TimeRange range_;
  std::atomic<std::size_t>& summaries_read_;
};

}  // namespace

Result<std::unique_ptr<ChunkStore>> ChunkStore::Of(storage::Queryable& from,
                                                   const std::function<std::size_t()>& length) {
  auto querier = from.NewQuerier({});
  if (!querier) return querier.error();
  const Result<Matcher> any = Matcher::Create(MatchType::kRegex, std::string(kMetricName), ".*");
  if (!any) return any.error();
  auto set = (*querier)->Select(std::span(&*any, 1), {});
  if (!set) return set.error();
  std::unique_ptr<ChunkStore> store(new ChunkStore);
  SampleColumns columns;
  while ((*set)->Next()) {
    columns.clear();
    RETURN_IF_ERROR((*set)->ReadSamples(columns));
    store->series_.push_back({(*set)->labels(), CutUp(columns, length)});
  }
  return store;
}

Result<std::unique_ptr<storage::Querier>> ChunkStore::NewQuerier(TimeRange range) {
  return {std::make_unique<ChunkQuerier>(series_, range, summaries_read_)};
}

}  // namespace skep::test
