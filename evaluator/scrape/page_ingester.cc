#include "evaluator/scrape/page_ingester.h"

#include <utility>

#include "common/model/sample.h"

namespace skep::scrape {
namespace {

using exposition::Entry;
using exposition::PageParser;
using storage::AppendOutcome;

// Prometheus's order; AppendReport relies on it.
constexpr std::string_view kReportNames[] = {
    "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added"};

// Samples that are offered to the store together; what they touch stays in the processor's cache.
constexpr std::size_t kRunSamples = 128;

// A target whose clock runs ahead must not push the store's newest time there.
constexpr Duration kMaxAhead = std::chrono::minutes(10);

void Count(AppendOutcome outcome, IngestResult& result) {
  switch (outcome) {
    case AppendOutcome::kAccepted:
      return;
    case AppendOutcome::kDuplicate:
      ++result.duplicates;
      return;
    case AppendOutcome::kOutOfOrder:
      ++result.out_of_order;
      return;
    case AppendOutcome::kTooOld:
      ++result.out_of_bounds;
      return;
    case AppendOutcome::kLimitExceeded:
      ++result.over_store_limit;
      return;
  }
}

}  // namespace

PageIngester::PageIngester(PageSink sink, std::shared_ptr<const JobOptions> job,
                           Labels target_labels)
    : store_(sink.store),
      job_(std::move(job)),
      target_labels_(std::move(target_labels)),
      sample_labels_(*job_, target_labels_),
      watch_(sink.commits),
      labels_of_([this](SeriesCache::Index index) { return LabelsOf(index); }) {
  for (const std::string_view name : kReportNames) {
    reports_.push_back({ReportLabels(name, target_labels_)});
  }
}

IngestResult PageIngester::Ingest(const ScrapedPage& page) {
  IngestResult result;
  std::unique_ptr<storage::Appender> batch = store_.NewAppender();
  result.status = page.failure ? Status(*page.failure) : AppendPage(*batch, page, result);
  if (result.status) {
    MarkVanished(*batch, page.time);
  } else {
    batch = store_.NewAppender();  // drops what the bad page brought
    MarkAll(*batch, page.time);
  }
  AppendReport(*batch, page, result);
  result.commit = batch->Commit();
  TellOf(page, result);
  if (result.status && result.commit) AcceptPage();
  return result;
}

PageWatch::Page PageIngester::WatchedPage(Timestamp time) {
  return {cache_, labels_of_, page_, PageLayout::kOther, reports_, time};
}

// Those of an entry that is not dropped were good when it was added.
Labels PageIngester::LabelsOf(SeriesCache::Index index) {
  const Result<std::optional<Labels>> labels =
      sample_labels_.Make(cache_.BytesOf(index), cache_.entry(index).type, format_);
  return labels && *labels ? **labels : Labels();
}

void PageIngester::TellOf(const ScrapedPage& page, const IngestResult& result) {
  if (!result.commit) return watch_.Lost();
  PageWatch::Page watched = WatchedPage(page.time);
  if (!result.status) return watch_.Ended(watched);
  // The lines were the expected ones from the first on, so if they are as many, they are the same.
  if (as_expected_ && result.samples == lines_) watched.layout = PageLayout::kSame;
  lines_ = result.samples;
  watch_.Stored(watched);
}

Status PageIngester::AppendPage(storage::Appender& batch, const ScrapedPage& page,
                                IngestResult& result) {
  ++page_;
  survivors_ = 0;
  reborn_.clear();
  run_.clear();
  run_entries_.clear();
  as_expected_ = true;
  format_ = page.format;
  cache_.StartPage();
  metadata_.StartPage();
  PageParser parser(page.body, page.format);
  while (true) {
    const Entry entry = parser.Next(cache_.expected());
    switch (entry) {
      case Entry::kSample:
        RETURN_IF_ERROR(AppendSample(batch, page, parser, result));
        break;
      case Entry::kType:
      case Entry::kHelp:
      case Entry::kUnit:
        metadata_.Add(parser, entry);
        break;
      case Entry::kEnd:
        OfferRun(batch, page.time, result);
        if (!result.sample_limit_hit) return {};
        return Invalid("sample_limit exceeded: " + std::to_string(result.after_relabelling) +
                       " of at most " + std::to_string(job_->limits.samples));
      case Entry::kInvalid:
        return parser.error();
    }
  }
}

Status PageIngester::AppendSample(storage::Appender& batch, const ScrapedPage& page,
                                  const PageParser& parser, IngestResult& result) {
  ++result.samples;
  if (result.sample_limit_hit) return CountOnly(page, parser, result);
  SeriesCache::Index index = cache_.expected_index();
  if (!parser.matched_expected()) {
    as_expected_ = false;
    const Result<SeriesCache::Index> found = FindSeries(parser, page);
    if (!found) return found.error();
    index = *found;
  }
  cache_.Advance(index, parser.series());
  SeriesCache::Entry& entry = cache_.entry(index);
  const bool again = entry.page == page_;
  const bool is_new = entry.page == 0;
  entry.page = page_;
  if (entry.dropped) return {};
  ++result.after_relabelling;
  if (job_->limits.samples != 0 && result.after_relabelling > job_->limits.samples) {
    result.sample_limit_hit = true;
    return {};
  }
  if (is_new) ++result.series_added;
  const std::optional<Timestamp> written =
      job_->honor_timestamps ? parser.timestamp() : std::nullopt;
  if (again && !written) {
    ++result.duplicates;
    return {};
  }
  if (!again) Track(index, !written || job_->track_timestamps_staleness);
  if (written && *written > page.time + kMaxAhead) {
    ++result.out_of_bounds;
    return {};
  }
  if (!written && entry.ref != 0) {
    run_.push_back({entry.ref, parser.value()});
    run_entries_.push_back(index);
    if (run_.size() == kRunSamples) OfferRun(batch, page.time, result);
    return {};
  }
  OfferRun(batch, page.time, result);
  const Sample sample{written.value_or(page.time), parser.value()};
  if (const auto outcome = batch.AppendKnown(entry.ref, sample)) {
    Count(*outcome, result);
    return {};
  }
  // The store does not have the series, or no more: its labels, which the cache does not keep.
  const Result<std::optional<Labels>> labels = sample_labels_.Make(parser, page.format);
  if (!labels) return labels.error();
  if (*labels) Count(batch.Append(entry.ref, **labels, sample), result);
  return {};
}

void PageIngester::OfferRun(storage::Appender& batch, Timestamp time, IngestResult& result) {
  if (run_.empty()) return;
  exceptions_.clear();
  batch.AppendRun(time, run_, exceptions_);
  for (const auto& [at, outcome] : exceptions_) {
    if (outcome) {
      Count(*outcome, result);
      continue;
    }
    // The store has the series no more.
    const SeriesCache::Index index = run_entries_[at];
    const Labels labels = LabelsOf(index);
    if (labels.empty()) continue;
    Count(batch.Append(cache_.entry(index).ref, labels, {time, run_[at].value}), result);
  }
  run_.clear();
  run_entries_.clear();
}

// Over the sample limit, where nothing is stored any more, not even in the cache: what is left is
// to report how many samples there were.
Status PageIngester::CountOnly(const ScrapedPage& page, const PageParser& parser,
                               IngestResult& result) {
  const SeriesCache::Index index = cache_.Find(parser.series());
  bool dropped = false;
  if (index != SeriesCache::kNone) {
    dropped = cache_.entry(index).dropped;
  } else {
    const Result<std::optional<Labels>> labels = sample_labels_.Make(parser, page.format);
    if (!labels) return labels.error();
    dropped = !labels->has_value();
  }
  result.after_relabelling += dropped ? 0 : 1;
  return {};
}

Result<SeriesCache::Index> PageIngester::FindSeries(const PageParser& parser,
                                                    const ScrapedPage& page) {
  const SeriesCache::Index found = cache_.Find(parser.series());
  if (found != SeriesCache::kNone) return found;
  const Result<std::optional<Labels>> labels = sample_labels_.Make(parser, page.format);
  if (!labels) return labels.error();
  const bool dropped = !labels->has_value();
  const SeriesCache::Index added = cache_.Add(parser.series());
  if (added == SeriesCache::kNone) return parser.Complain("the target has too many series");
  cache_.entry(added).dropped = dropped;
  cache_.entry(added).type = parser.type();
  return added;
}

// Series with time stamps of their own are not ended when they go missing, unless asked for: their
// sender decides what is present.
void PageIngester::Track(SeriesCache::Index index, bool tracked) {
  SeriesCache::Entry& entry = cache_.entry(index);
  if (!tracked) {
    alive_ -= entry.alive ? 1 : 0;
    entry.alive = false;
  } else if (entry.alive) {
    ++survivors_;
  } else {
    reborn_.push_back(index);
  }
}

void PageIngester::MarkVanished(storage::Appender& batch, Timestamp time) {
  MarkOrphans(batch, time, false);
  if (survivors_ == alive_) return;
  // The same series under other bytes (labels in another order) has not vanished.
  std::unordered_set<storage::SeriesRef> present;
  for (const SeriesCache::Index index : reborn_) present.insert(cache_.entry(index).ref);
  for (SeriesCache::Index index = 0; index < cache_.size(); ++index) {
    SeriesCache::Entry& entry = cache_.entry(index);
    if (!entry.alive || entry.page == page_) continue;
    if (!present.contains(entry.ref)) {
      (void)batch.AppendKnown(entry.ref, {time, kStaleNaN});
    }
    entry.alive = false;
    --alive_;
  }
}

void PageIngester::MarkAll(storage::Appender& batch, Timestamp time) {
  MarkOrphans(batch, time, true);
  reborn_.clear();
  if (alive_ == 0) return;
  for (SeriesCache::Index index = 0; index < cache_.size(); ++index) {
    SeriesCache::Entry& entry = cache_.entry(index);
    if (!entry.alive) continue;
    // The store may refuse it (a sample with a later time stamp stands there, or the series is
    // gone): nothing is lost then.
    (void)batch.AppendKnown(entry.ref, {time, kStaleNaN});
    entry.alive = false;
  }
  alive_ = 0;
}

void PageIngester::MarkOrphans(storage::Appender& batch, Timestamp time, bool all) {
  if (orphans_.empty()) return;
  std::unordered_set<storage::SeriesRef> present;
  for (SeriesCache::Index index = 0; index < cache_.size() && !all; ++index) {
    if (cache_.entry(index).page == page_) present.insert(cache_.entry(index).ref);
  }
  for (const storage::SeriesRef orphan : orphans_) {
    if (!present.contains(orphan)) (void)batch.AppendKnown(orphan, {time, kStaleNaN});
  }
  orphans_.clear();
}

void PageIngester::AppendReport(storage::Appender& batch, const ScrapedPage& page,
                                const IngestResult& result) {
  const double values[] = {
      result.status ? 1.0 : 0.0, page.duration_seconds, static_cast<double>(result.samples),
      static_cast<double>(result.after_relabelling), static_cast<double>(result.series_added)};
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    (void)batch.Append(reports_[i].ref, reports_[i].labels, {page.time, values[i]});
  }
}

void PageIngester::AcceptPage() {
  for (const SeriesCache::Index index : reborn_) cache_.entry(index).alive = true;
  alive_ += reborn_.size();
  reborn_.clear();
  metadata_.FinishPage();
  cache_.Compact(page_);
}

Status PageIngester::MarkGone(Timestamp time) {
  const std::unique_ptr<storage::Appender> batch = store_.NewAppender();
  MarkAll(*batch, time);
  for (const ReportSeries& report : reports_) {
    (void)batch->AppendKnown(report.ref, {time, kStaleNaN});
  }
  RETURN_IF_ERROR(batch->Commit());
  watch_.Ended(WatchedPage(time));
  return {};
}

void PageIngester::ChangeJob(std::shared_ptr<const JobOptions> job) {
  for (SeriesCache::Index index = 0; index < cache_.size(); ++index) {
    const SeriesCache::Entry& entry = cache_.entry(index);
    if (entry.alive) orphans_.push_back(entry.ref);
  }
  job_ = std::move(job);
  sample_labels_ = SampleLabels(*job_, target_labels_);
  cache_.Clear();
  alive_ = 0;
  page_ = 0;
}

}  // namespace skep::scrape
