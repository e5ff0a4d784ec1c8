#include "evaluator/tsdb/kept_series.h"

#include <algorithm>
#include <iterator>

namespace skep::tsdb {
namespace {

// More newcomers than this are looked up in the index instead of one by one.
constexpr std::ptrdiff_t kFew = 512;
// Slots of deleted series are given out again, all anew, when there are more of them than of living
// ones and than this.
constexpr std::size_t kFewSlots = 1024;

bool Accept(std::span<const Matcher> matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&labels](const Matcher& matcher) {
    return matcher.Matches(labels.Get(matcher.name()));
  });
}

bool IsName(const Matcher& matcher) {
  return matcher.name() == kMetricName && matcher.type() == MatchType::kEqual;
}

bool LabelsLess(const Series* a, const Series* b) { return a->labels() < b->labels(); }

// Whether the head still has it. A number is never used twice.
bool Lives(const Series& series, const SeriesPages& pages) {
  return pages.Get(series.number()) != nullptr;
}

}  // namespace

Postings SelectNumbers(const LabelIndex& index, const SeriesPages& pages,
                       std::span<const Matcher> matchers) {
  return index.Select(matchers, [&pages](std::uint32_t number, std::string_view name) {
    return pages.Get(number)->labels().Get(name);
  });
}

Postings KeptSeries::Newcomers(std::span<const Matcher> matchers, const View& head) const {
  const Postings& all = head.index.all();
  const auto first = std::lower_bound(all.begin(), all.end(), next_number_);
  if (all.end() - first > kFew) {
    Postings found = SelectNumbers(head.index, head.pages, matchers);
    found.erase(found.begin(), std::lower_bound(found.begin(), found.end(), next_number_));
    return found;
  }
  // Most newcomers have another name.
  const auto name = std::find_if(matchers.begin(), matchers.end(), IsName);
  Postings found;
  std::copy_if(first, all.end(), std::back_inserter(found), [&](std::uint32_t number) {
    const Labels& labels = head.pages.Get(number)->labels();
    if (name != matchers.end() && labels.metric_name() != name->value()) return false;
    return Accept(matchers, labels);
  });
  return found;
}

std::shared_ptr<const SeriesList> KeptSeries::Update(std::span<const Matcher> matchers,
                                                     const View& head) {
  if (head.next_number == next_number_ && head.removed == removed_) return list_;
  std::vector<Series*> fresh;
  for (const std::uint32_t number : Newcomers(matchers, head)) {
    fresh.push_back(head.pages.Get(number));
  }
  head.order.Sort(fresh, head.pages, head.index.all());
  const auto living = [&head](const Series* one) { return Lives(*one, head.pages); };
  const bool all_live =
      head.removed == removed_ || std::all_of(list_->series.begin(), list_->series.end(), living);
  next_number_ = head.next_number;
  removed_ = head.removed;
  if (fresh.empty() && all_live) return list_;
  std::shared_ptr<SeriesList> merged = Merge(fresh, head.pages);
  RenewSlots(*merged);
  list_ = std::move(merged);
  return list_;
}

std::shared_ptr<SeriesList> KeptSeries::Merge(const std::vector<Series*>& fresh,
                                              const SeriesPages& pages) {
  const std::vector<Series*>& old = list_->series;
  std::vector<Series*> series;
  auto merged = std::make_shared<SeriesList>();
  series.reserve(old.size() + fresh.size());
  merged->slots.reserve(old.size() + fresh.size());
  auto at = old.begin();
  const auto keep_until = [&](std::vector<Series*>::const_iterator end) {
    for (; at != end; ++at) {
      if (!Lives(**at, pages)) continue;
      series.push_back(*at);
      merged->slots.push_back(list_->slots[static_cast<std::size_t>(at - old.begin())]);
    }
  };
  // Each newcomer is placed by halving: few of them must not cost a walk with string comparisons.
  for (Series* const one : fresh) {
    keep_until(std::lower_bound(at, old.end(), one, LabelsLess));
    series.push_back(one);
    merged->slots.push_back(next_slot_++);
  }
  keep_until(old.end());
  merged->Take(std::move(series));
  return merged;
}

void KeptSeries::RenewSlots(SeriesList& list) {
  if (next_slot_ <= kFewSlots + 2 * list.slots.size()) return;
  next_slot_ = 1;
  for (std::uint32_t& slot : list.slots) slot = next_slot_++;
  ++generation_;
}

}  // namespace skep::tsdb
