#include "evaluator/transfer/analysis.h"

#include <algorithm>
#include <chrono>

#include "evaluator/tsdb/labels_cursor.h"

namespace skep::transfer {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// A series of a target that is scraped begins and ends up to a scrape interval or two beside the
// others: that is no churn.
constexpr Duration kGrace = minutes(10);

std::string PairText(const LabelView& label) {
  return std::string(label.name) + "=" + std::string(label.value);
}

using Counts = std::unordered_map<std::string, std::uint64_t>;

std::vector<NamedCount> Largest(const Counts& counts, std::size_t limit) {
  std::vector<NamedCount> list;
  list.reserve(counts.size());
  for (const auto& [name, count] : counts) list.push_back({name, count});
  std::sort(list.begin(), list.end(), [](const NamedCount& a, const NamedCount& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  });
  if (list.size() > limit) list.resize(limit);
  return list;
}

class Analyzer {
 public:
  explicit Analyzer(StoreReader& store) : store_(store) {}

  Status Read();
  StoreAnalysis Finish(std::size_t limit);

 private:
  // When a series was first and last seen.
  struct Life {
    Timestamp first = kMaxTimestamp;
    Timestamp last = kMinTimestamp;
  };

  Status ReadBlock(const tsdb::Block& block);
  Status CountColumns(const tsdb::Block& block, std::vector<std::uint32_t>& users);
  Status ReadLog();
  void See(const Labels& labels, storage::TimeRange span);
  void CountNew(const Labels& labels);
  template <typename Visit>
  Status WalkLabels(Visit visit);
  Status CountChurn();
  void CountChurnOf(const Labels& labels, Life& life);

  StoreReader& store_;
  StoreAnalysis out_;
  std::unordered_map<std::uint64_t, Life> lives_;  // by the hash of the labels
  std::unordered_map<std::string, MetricShare> metrics_;
  Counts values_, series_by_label_, pairs_, churn_by_metric_, churn_by_pair_;
  std::vector<tsdb::BlockChunk> chunks_;
};

void Analyzer::CountNew(const Labels& labels) {
  ++metrics_[std::string(labels.metric_name())].series;
  for (const LabelView label : labels) {
    ++series_by_label_[std::string(label.name)];
    if (++pairs_[PairText(label)] == 1) ++values_[std::string(label.name)];
  }
}

void Analyzer::See(const Labels& labels, storage::TimeRange span) {
  const auto [life, is_new] = lives_.try_emplace(labels.Hash());
  if (is_new) CountNew(labels);
  life->second.first = std::min(life->second.first, span.min);
  life->second.last = std::max(life->second.last, span.max);
  out_.min_time = std::min(out_.min_time, span.min);
  out_.max_time = std::max(out_.max_time, span.max);
}

// How many chunks have each column of times.
Status Analyzer::CountColumns(const tsdb::Block& block, std::vector<std::uint32_t>& users) {
  for (std::uint32_t i = 0; i < block.series_count(); ++i) {
    chunks_.clear();
    RETURN_IF_ERROR(block.ReadChunks(i, {}, chunks_));
    for (const tsdb::BlockChunk& chunk : chunks_) {
      if (chunk.column >= users.size()) users.resize(chunk.column + 1);
      ++users[chunk.column];
    }
  }
  return {};
}

Status Analyzer::ReadBlock(const tsdb::Block& block) {
  ++out_.blocks;
  out_.block_bytes += block.meta().size_bytes;
  out_.block_samples += block.meta().samples;
  out_.parts += block.meta().parts;
  std::vector<std::uint32_t> users;
  RETURN_IF_ERROR(CountColumns(block, users));
  tsdb::LabelsCursor cursor(block.index());
  for (std::uint32_t i = 0; i < block.series_count(); ++i) {
    const Result<Labels> labels = cursor.LabelsOf(i);
    if (!labels) return labels.error();
    chunks_.clear();
    RETURN_IF_ERROR(block.ReadChunks(i, {}, chunks_));
    MetricShare& metric = metrics_[std::string(labels->metric_name())];
    storage::TimeRange span{kMaxTimestamp, kMinTimestamp};
    for (const tsdb::BlockChunk& chunk : chunks_) {
      const tsdb::ChunkView& parts = chunk.parts;
      metric.bytes += parts.values.size() + parts.starts.size() + parts.summary.size() +
                      parts.times.size() / users[chunk.column];
      metric.samples += parts.count;
      span.min = std::min(span.min, chunk.min_time);
      span.max = std::max(span.max, chunk.max_time);
    }
    See(*labels, span);
  }
  return {};
}

Status Analyzer::ReadLog() {
  out_.log_bytes = store_.log_bytes();
  Result<std::unique_ptr<storage::Querier>> querier = store_.head().NewQuerier({});
  if (!querier) return querier.error();
  Result<std::unique_ptr<storage::SeriesSet>> set = (*querier)->Select({}, {});
  if (!set) return set.error();
  storage::SampleColumns samples;
  while ((*set)->Next()) {
    samples.clear();
    RETURN_IF_ERROR((*set)->ReadSamples(samples));
    if (samples.empty()) continue;
    out_.log_samples += samples.times.size() + samples.histograms.size();
    storage::TimeRange span{kMaxTimestamp, kMinTimestamp};
    for (const auto* times : {&samples.times, &samples.histograms.times}) {
      if (times->empty()) continue;
      span.min = std::min(span.min, times->front());
      span.max = std::max(span.max, times->back());
    }
    See((*set)->labels(), span);
  }
  return {};
}

// Calls `visit` for the labels of each series in each place, so that no labels need be kept.
template <typename Visit>
Status Analyzer::WalkLabels(Visit visit) {
  for (const tsdb::LiveBlock& live : store_.blocks()) {
    tsdb::LabelsCursor cursor(live.block->index());
    for (std::uint32_t i = 0; i < live.block->series_count(); ++i) {
      const Result<Labels> labels = cursor.LabelsOf(i);
      if (!labels) return labels.error();
      visit(*labels);
    }
  }
  Result<std::unique_ptr<storage::Querier>> querier = store_.head().NewQuerier({});
  if (!querier) return querier.error();
  Result<std::unique_ptr<storage::SeriesSet>> set = (*querier)->Select({}, {});
  if (!set) return set.error();
  while ((*set)->Next()) visit((*set)->labels());
  return {};
}

void Analyzer::CountChurnOf(const Labels& labels, Life& life) {
  const Timestamp begin = std::max(out_.min_time, out_.max_time - hours(24));
  const bool began = life.first > begin + kGrace;
  const bool ended = life.last >= begin && life.last < out_.max_time - kGrace;
  if (began) ++out_.began;
  if (ended) ++out_.ended;
  if (!began && !ended) return;
  ++churn_by_metric_[std::string(labels.metric_name())];
  for (const LabelView label : labels) {
    if (label.name != kMetricName) ++churn_by_pair_[PairText(label)];
  }
}

// Once all is seen: only then is known when the newest day begins.
Status Analyzer::CountChurn() {
  return WalkLabels([this](const Labels& labels) {
    const auto life = lives_.find(labels.Hash());
    if (life == lives_.end()) return;
    CountChurnOf(labels, life->second);
    lives_.erase(life);  // each series once
  });
}

Status Analyzer::Read() {
  for (const tsdb::LiveBlock& live : store_.blocks()) RETURN_IF_ERROR(ReadBlock(*live.block));
  RETURN_IF_ERROR(ReadLog());
  out_.series = lives_.size();
  return CountChurn();
}

StoreAnalysis Analyzer::Finish(std::size_t limit) {
  for (auto& [name, metric] : metrics_) {
    metric.name = name;
    out_.metrics.push_back(std::move(metric));
  }
  std::sort(out_.metrics.begin(), out_.metrics.end(),
            [](const MetricShare& a, const MetricShare& b) {
              if (a.bytes != b.bytes) return a.bytes > b.bytes;
              return a.series != b.series ? a.series > b.series : a.name < b.name;
            });
  if (out_.metrics.size() > limit) out_.metrics.resize(limit);
  out_.values_by_label = Largest(values_, limit);
  out_.series_by_label = Largest(series_by_label_, limit);
  out_.series_by_pair = Largest(pairs_, limit);
  out_.churn_by_metric = Largest(churn_by_metric_, limit);
  out_.churn_by_pair = Largest(churn_by_pair_, limit);
  return std::move(out_);
}

}  // namespace

Result<StoreAnalysis> Analyze(StoreReader& store, std::size_t limit) {
  Analyzer analyzer(store);
  RETURN_IF_ERROR(analyzer.Read());
  return analyzer.Finish(limit);
}

}  // namespace skep::transfer
