#include "evaluator/scrape/page_watch.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace skep::scrape {
namespace {

void Join(std::vector<std::uint32_t>& into, const std::vector<std::uint32_t>& more) {
  if (more.empty()) return;
  std::vector<std::uint32_t> both;
  std::set_union(into.begin(), into.end(), more.begin(), more.end(), std::back_inserter(both));
  into = std::move(both);
}

}  // namespace

bool PageWatch::Renew(const Page& page) {
  if (feed_ == nullptr) return false;
  std::shared_ptr<const storage::CommitWatches> now = feed_->CurrentWatches();
  if (now == watches_) return now != nullptr;
  watches_ = std::move(now);
  found_.assign(1, {});
  by_reports_.clear();
  on_page_.clear();
  known_ = false;
  page.cache.ForgetWatched();
  if (watches_ == nullptr) return false;
  for (const ReportSeries& report : page.reports) Join(by_reports_, found_[Look(report.labels)]);
  return true;
}

// The place in found_.
std::uint32_t PageWatch::Look(const Labels& labels) {
  Watches found;
  watches_->Find(labels, found);
  const auto at = std::find(found_.begin(), found_.end(), found);
  const auto place = static_cast<std::uint32_t>(at - found_.begin());
  if (at == found_.end()) found_.push_back(std::move(found));
  return place;
}

PageWatch::Watches PageWatch::AddUp(const Page& page) {
  std::vector<bool> seen(1);
  for (SeriesCache::Index index = 0; index < page.cache.size(); ++index) {
    const SeriesCache::Entry& entry = page.cache.entry(index);
    if (entry.page != page.number || entry.dropped) continue;
    std::uint32_t watched = page.cache.watched(index);
    if (watched == 0) {
      watched = Look(page.labels(index)) + 1;
      page.cache.SetWatched(index, watched);
    }
    if (watched > seen.size()) seen.resize(found_.size());
    seen[watched - 1] = true;
  }
  Watches sum;
  for (std::size_t place = 0; place < seen.size(); ++place) {
    if (seen[place]) Join(sum, found_[place]);
  }
  return sum;
}

void PageWatch::Tell(Watches concerned, Timestamp time) const {
  Join(concerned, by_reports_);
  if (!concerned.empty()) watches_->Tell(concerned, time);
}

void PageWatch::Stored(const Page& page) {
  if (!Renew(page)) return;
  if (known_ && page.layout == PageLayout::kSame) return Tell(on_page_, page.time);
  Watches before = std::exchange(on_page_, AddUp(page));
  known_ = true;
  Join(before, on_page_);
  Tell(std::move(before), page.time);
}

void PageWatch::Ended(const Page& page) {
  if (!Renew(page)) return;
  known_ = false;
  Tell(std::exchange(on_page_, {}), page.time);
}

}  // namespace skep::scrape
