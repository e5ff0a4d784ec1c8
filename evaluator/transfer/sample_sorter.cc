#include "evaluator/transfer/sample_sorter.h"

#include <algorithm>
#include <set>

namespace skep::transfer {
namespace {

// What a series takes beside its samples and the bytes of its labels.
constexpr std::size_t kSeriesBytes = 150;

bool IsEarlier(const Sample& a, const Sample& b) { return a.time < b.time; }

// By time, each time once.
void Sort(std::vector<Sample>& samples) {
  if (!std::is_sorted(samples.begin(), samples.end(), IsEarlier)) {
    std::stable_sort(samples.begin(), samples.end(), IsEarlier);
  }
  std::size_t kept = 0;
  for (const Sample& sample : samples) {
    if (kept > 0 && samples[kept - 1].time == sample.time) --kept;
    samples[kept++] = sample;
  }
  samples.resize(kept);
}

void AddDays(const std::vector<Sample>& samples, std::set<std::int64_t>& days) {
  for (std::size_t i = 0; i < samples.size();) {
    const std::int64_t day = DayOf(samples[i].time);
    days.insert(day);
    const Timestamp end = SpanOfDay(day).max;
    while (i < samples.size() && samples[i].time <= end) ++i;
  }
}

}  // namespace

SampleSorter::Series& SampleSorter::Find(const Labels& labels) {
  const auto [at, is_new] = series_.try_emplace(labels);
  if (is_new) bytes_ += kSeriesBytes + labels.size_bytes();
  return *at;
}

Status SampleSorter::Add(Series& series, Sample sample) {
  const std::size_t before = series.second.capacity();
  series.second.push_back(sample);
  bytes_ += (series.second.capacity() - before) * sizeof(Sample);
  return bytes_ < limit_bytes_ ? Status() : Write();
}

Status SampleSorter::Write() {
  std::vector<Series*> series;
  series.reserve(series_.size());
  std::set<std::int64_t> days;
  for (Series& each : series_) {
    Sort(each.second);
    AddDays(each.second, days);
    series.push_back(&each);
  }
  std::sort(series.begin(), series.end(),
            [](const Series* a, const Series* b) { return a->first < b->first; });
  written_.assign(series.size(), 0);
  for (const std::int64_t day : days) RETURN_IF_ERROR(WriteDay(day, series));
  series_.clear();
  bytes_ = 0;
  ++generation_;
  return {};
}

Status SampleSorter::WriteDay(std::int64_t day, const std::vector<Series*>& series) {
  Result<DayBlocks::Part> part = blocks_.NewPart(day);
  if (!part) return part.error();
  const Timestamp end = SpanOfDay(day).max;
  storage::SampleColumns columns;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const std::vector<Sample>& samples = series[i]->second;
    columns.clear();
    for (; written_[i] < samples.size() && samples[written_[i]].time <= end; ++written_[i]) {
      columns.times.push_back(samples[written_[i]].time);
      columns.values.push_back(samples[written_[i]].value);
    }
    if (!columns.empty()) RETURN_IF_ERROR(part->writer->Add(series[i]->first, columns));
  }
  return blocks_.Finish(*std::move(part));
}

}  // namespace skep::transfer
