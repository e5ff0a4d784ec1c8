// Tells those who want to hear of a target's series that a page with them is visible.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/base/time.h"
#include "common/model/labels.h"
#include "evaluator/scrape/series_cache.h"
#include "evaluator/storage/appender.h"
#include "evaluator/storage/commit_watches.h"

namespace skep::scrape {

// A series about the target's scrapes: in every batch.
struct ReportSeries {
  Labels labels;
  storage::SeriesRef ref = 0;
};

enum class PageLayout : std::uint8_t { kSame, kOther };  // the same series as on the page before

// Labels are looked at once for each series (SeriesCache::watched keeps what was found); which
// watches a page concerns is added up once for each layout. So a page like the one before costs no
// look at its series, and none at all where nobody listens. A series that ended on a page concerns
// it, too.
//
// Thread-compatible. One target's, between its pages.
class PageWatch {
 public:
  // `feed` outlives this; null: nobody ever listens.
  explicit PageWatch(const storage::CommitFeed* feed) : feed_(feed) {}

  struct Page {
    SeriesCache& cache;
    // The labels of an entry, to which the cache has only the bytes.
    const std::function<Labels(SeriesCache::Index)>& labels;
    std::uint32_t number;  // that its entries have
    PageLayout layout = PageLayout::kOther;
    std::span<const ReportSeries> reports;
    Timestamp time;
  };

  // The page is visible.
  void Stored(const Page& page);
  // Markers for all series of the target are visible: it failed or is gone.
  void Ended(const Page& page);
  // Nothing of the last page was stored: layouts begin anew.
  void Lost() { known_ = false; }

 private:
  using Watches = std::vector<std::uint32_t>;  // rising

  // False: nobody listens.
  bool Renew(const Page& page);
  std::uint32_t Look(const Labels& labels);
  Watches AddUp(const Page& page);
  void Tell(Watches concerned, Timestamp time) const;

  const storage::CommitFeed* feed_;
  std::shared_ptr<const storage::CommitWatches> watches_;
  // Of `watches_`:
  std::vector<Watches> found_;  // each combination once; the first is that of no watch
  Watches by_reports_;
  Watches on_page_;     // of the last page, without reports
  bool known_ = false;  // whether on_page_ holds for the next page of the same layout
};

}  // namespace skep::scrape
