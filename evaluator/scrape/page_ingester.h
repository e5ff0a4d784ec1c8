// What becomes of one target's pages in the store: samples, staleness markers and the series about
// the scrape. No I/O, no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/exposition/format.h"
#include "common/exposition/parser.h"
#include "evaluator/scrape/config.h"
#include "evaluator/scrape/metadata_cache.h"
#include "evaluator/scrape/page_watch.h"
#include "evaluator/scrape/sample_labels.h"
#include "evaluator/scrape/series_cache.h"
#include "evaluator/storage/appender.h"

namespace skep::scrape {

// What came back from one try.
struct ScrapedPage {
  std::string_view body;
  exposition::Format format = exposition::Format::kText;
  Timestamp time;                // of the try; samples without time stamp get it
  double duration_seconds = 0;   // of the whole exchange
  std::optional<Error> failure;  // set: there is no page
};

struct IngestResult {
  Status status;              // why `up` is 0, if it is
  std::uint64_t samples = 0;  // on the page, as far as it was read
  std::uint64_t after_relabelling = 0;
  std::uint64_t series_added = 0;  // not seen on the pages before
  std::uint64_t duplicates = 0;    // same series twice, or same time and other value
  std::uint64_t out_of_order = 0;
  std::uint64_t out_of_bounds = 0;  // too old, or more than 10 minutes ahead
  std::uint64_t over_store_limit = 0;
  bool sample_limit_hit = false;
  Status commit;  // an error: nothing of this page was stored
};

// Where pages go. What it names outlives whoever is given it.
struct PageSink {
  storage::Appendable& store;
  const storage::CommitFeed* commits = nullptr;  // who is told of them; null: nobody
};

// Thread-compatible. One bad line costs the whole page: then none of its samples is stored, `up` is
// 0 and all of the target's series get staleness markers.
class PageIngester {
 public:
  // `target_labels` are the target's public ones.
  PageIngester(PageSink sink, std::shared_ptr<const JobOptions> job, Labels target_labels);

  // One batch: the page, markers for what vanished, and up, scrape_duration_seconds,
  // scrape_samples_scraped, scrape_samples_post_metric_relabeling, scrape_series_added.
  IngestResult Ingest(const ScrapedPage& page);

  // The target is gone: markers for all of its series and the ones about its scrapes.
  Status MarkGone(Timestamp time);

  // Other options from the next page on. Series which then do not come any more get their markers.
  void ChangeJob(std::shared_ptr<const JobOptions> job);

  const MetadataCache& metadata() const { return metadata_; }
  // Of the heap, what is kept of the target's series.
  std::size_t cache_bytes() const { return cache_.heap_bytes(); }

 private:
  Status AppendPage(storage::Appender& batch, const ScrapedPage& page, IngestResult& result);
  Status AppendSample(storage::Appender& batch, const ScrapedPage& page,
                      const exposition::PageParser& parser, IngestResult& result);
  Result<SeriesCache::Index> FindSeries(const exposition::PageParser& parser,
                                        const ScrapedPage& page);
  // Offers what AppendSample has put aside.
  void OfferRun(storage::Appender& batch, Timestamp time, IngestResult& result);
  Status CountOnly(const ScrapedPage& page, const exposition::PageParser& parser,
                   IngestResult& result);
  void Track(SeriesCache::Index index, bool tracked);
  void MarkVanished(storage::Appender& batch, Timestamp time);
  void MarkAll(storage::Appender& batch, Timestamp time);
  void MarkOrphans(storage::Appender& batch, Timestamp time, bool all);
  void AppendReport(storage::Appender& batch, const ScrapedPage& page, const IngestResult& result);
  void AcceptPage();
  void TellOf(const ScrapedPage& page, const IngestResult& result);
  PageWatch::Page WatchedPage(Timestamp time);
  Labels LabelsOf(SeriesCache::Index index);

  storage::Appendable& store_;
  std::shared_ptr<const JobOptions> job_;
  Labels target_labels_;
  SampleLabels sample_labels_;
  SeriesCache cache_;
  MetadataCache metadata_;
  std::vector<ReportSeries> reports_;
  PageWatch watch_;
  const std::function<Labels(SeriesCache::Index)> labels_of_;
  std::vector<storage::SeriesRef> orphans_;  // alive under options that are no longer in force
  exposition::Format format_ = exposition::Format::kText;  // of the newest page
  // Of the page under way:
  std::uint32_t page_ = 0;
  std::size_t alive_ = 0;                   // entries of the cache that are
  std::size_t survivors_ = 0;               // of those, seen on this page
  std::vector<SeriesCache::Index> reborn_;  // on this page and not alive before
  // Samples of the page's time and of known series, which are offered together.
  std::vector<storage::KnownSample> run_;
  std::vector<SeriesCache::Index> run_entries_;  // of each of them
  std::vector<storage::RunException> exceptions_;
  bool as_expected_ = false;  // each line is the one that came there last time
  std::uint64_t lines_ = 0;   // with samples, of the last good page
};

}  // namespace skep::scrape
