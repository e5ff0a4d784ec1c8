#include "evaluator/tsdb/kept_series.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {
namespace {

// More numbers than this are looked up in the index instead of one by one.
constexpr std::ptrdiff_t kFew = 512;
// Slots of deleted series are given out again, all anew, when there are more of them than of living
// ones and than this.
constexpr std::size_t kFewSlots = 1024;

// Those of `numbers` that the matchers accept, looked at one by one.
Postings Accepted(std::span<const std::uint32_t> numbers, std::span<const Matcher> matchers,
                  const KeptSeries::View& head) {
  const LabelPairs& pairs = head.index.pairs();
  std::vector<PairId> exact;  // what `=` asks for: most series lack one, which a number tells
  std::vector<std::pair<const Matcher*, std::optional<NameId>>> others;
  for (const Matcher& matcher : matchers) {
    if (matcher.type() != MatchType::kEqual || matcher.MatchesEmpty()) {
      others.emplace_back(&matcher, pairs.FindName(matcher.name()));
      continue;
    }
    const auto pair = pairs.Find(matcher.name(), matcher.value());
    if (!pair) return {};
    exact.push_back(*pair);
  }
  const auto accepts = [&](std::uint32_t number) {
    const std::span<const PairId> set = head.pages.Get(number)->pairs();
    for (const PairId pair : exact) {
      if (std::find(set.begin(), set.end(), pair) == set.end()) return false;
    }
    return std::all_of(others.begin(), others.end(), [&](const auto& other) {
      const auto& [matcher, name] = other;
      return matcher->Matches(name ? pairs.ValueOf(set, *name) : std::string_view());
    });
  };
  Postings found;
  std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(found), accepts);
  return found;
}

// Whether the head still has it. A number is never used twice.
bool Lives(const Series& series, const SeriesPages& pages) {
  return pages.Get(series.number()) != nullptr;
}

}  // namespace

Postings SelectNumbers(const LabelIndex& index, const SeriesPages& pages,
                       std::span<const Matcher> matchers) {
  return index.Select(matchers,
                      [&pages](std::uint32_t number) { return pages.Get(number)->pairs(); });
}

bool ReturnedSeries::Read(Mark& mark, std::vector<std::uint32_t>& out) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t missed = end_ - mark;
  mark = end_;
  if (missed > numbers_.size()) return false;
  out.insert(out.end(), numbers_.end() - static_cast<std::ptrdiff_t>(missed), numbers_.end());
  return true;
}

Postings KeptSeries::Newcomers(std::span<const Matcher> matchers, const View& head) const {
  const std::span<const std::uint32_t> all = head.index.all();
  const auto first = std::lower_bound(all.begin(), all.end(), next_number_);
  if (all.end() - first > kFew) {
    Postings found = SelectNumbers(head.index, head.pages, matchers);
    found.erase(found.begin(), std::lower_bound(found.begin(), found.end(), next_number_));
    return found;
  }
  return Accepted({first, all.end()}, matchers, head);
}

// Of `numbers`, the ones that the list lacks.
Postings KeptSeries::Returned(std::span<const Matcher> matchers, const View& head,
                              std::vector<std::uint32_t> numbers) const {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  std::erase_if(numbers, [this, &head](std::uint32_t number) {
    return number >= next_number_ || head.pages.Get(number) == nullptr;
  });
  Postings found;
  if (std::ssize(numbers) > kFew) {
    const Postings all = SelectNumbers(head.index, head.pages, matchers);
    std::set_intersection(all.begin(), all.end(), numbers.begin(), numbers.end(),
                          std::back_inserter(found));
  } else {
    found = Accepted(numbers, matchers, head);
  }
  std::erase_if(found, [this, &head](std::uint32_t number) { return Contains(number, head); });
  return found;
}

bool KeptSeries::Contains(std::uint32_t number, const View& head) const {
  const std::vector<Series*>& known = list_->series;
  const Series* const series = head.pages.Get(number);
  const auto at =
      std::lower_bound(known.begin(), known.end(), series, LabelsLess{head.index.pairs()});
  return at != known.end() && *at == series;
}

void KeptSeries::BeginAnew() {
  list_ = std::make_shared<const SeriesList>();
  newest_left_out_.reset();
  next_number_ = 0;
  updates_ = 0;
}

// What belongs into the list and is not there, in the order of labels.
std::vector<Series*> KeptSeries::Fresh(std::span<const Matcher> matchers, const View& head) {
  std::vector<std::uint32_t> returned;
  if (!head.returned.Read(returned_, returned)) BeginAnew();
  Postings numbers;
  if (!returned.empty()) numbers = Returned(matchers, head, std::move(returned));
  if (head.next_number != next_number_) {
    const Postings newcomers = Newcomers(matchers, head);
    numbers.insert(numbers.end(), newcomers.begin(), newcomers.end());
  }
  next_number_ = head.next_number;
  std::vector<Series*> fresh;
  for (const std::uint32_t number : numbers) fresh.push_back(head.pages.Get(number));
  head.order.Sort(fresh, head.pages, head.index);
  return fresh;
}

// By place in the list; empty where nothing leaves.
std::vector<bool> KeptSeries::Leaving(Timestamp oldest, const View& head) {
  const bool some_deleted = head.removed != removed_;
  const bool look_at_ages = ++updates_ >= kLookEvery;
  removed_ = head.removed;
  if (!some_deleted && !look_at_ages) return {};
  if (look_at_ages) updates_ = 0;
  const std::vector<Series*>& series = list_->series;
  std::vector<bool> leaving(series.size());
  bool any = false;
  StripeLock stripe(head.stripes);
  for (std::size_t i = 0; i < series.size(); ++i) {
    leaving[i] = some_deleted && !Lives(*series[i], head.pages);
    if (look_at_ages && !leaving[i]) {
      stripe.Take(series[i]->number());
      const auto newest = series[i]->last_time();
      leaving[i] = newest && *newest < oldest;
      if (leaving[i]) {
        series[i]->left_out = true;
        newest_left_out_ = std::max(newest_left_out_.value_or(*newest), *newest);
      }
    }
    any = any || leaving[i];
  }
  return any ? leaving : std::vector<bool>();
}

std::shared_ptr<const SeriesList> KeptSeries::Update(std::span<const Matcher> matchers,
                                                     Timestamp oldest, const View& head) {
  if (newest_left_out_ && oldest <= *newest_left_out_) BeginAnew();  // time went back
  const std::vector<Series*> fresh = Fresh(matchers, head);
  const std::vector<bool> leaving = Leaving(oldest, head);
  if (fresh.empty() && leaving.empty()) return list_;
  std::shared_ptr<SeriesList> merged = Merge(fresh, leaving, head);
  RenewSlots(*merged);
  Count(HeapSize(sizeof(SeriesList)) + HeapSize(merged->series.capacity() * sizeof(void*)) +
        HeapSize(merged->slots.capacity() * sizeof(std::uint32_t)));
  list_ = std::move(merged);
  return list_;
}

void KeptSeries::Count(std::uint64_t bytes) {
  if (bytes_ == nullptr) return;
  *bytes_ += bytes - counted_;  // may wrap around and back
  counted_ = bytes;
}

std::shared_ptr<SeriesList> KeptSeries::Merge(const std::vector<Series*>& fresh,
                                              const std::vector<bool>& leaving, const View& head) {
  const std::vector<Series*>& old = list_->series;
  std::vector<Series*> series;
  auto merged = std::make_shared<SeriesList>();
  series.reserve(old.size() + fresh.size());
  merged->slots.reserve(old.size() + fresh.size());
  std::size_t at = 0;
  const auto keep_until = [&](std::size_t end) {
    for (; at != end; ++at) {
      if (!leaving.empty() && leaving[at]) continue;
      series.push_back(old[at]);
      merged->slots.push_back(list_->slots[at]);
    }
  };
  // Each newcomer is placed by halving: few of them must not cost a walk with string comparisons.
  for (Series* const one : fresh) {
    const auto from = old.begin() + static_cast<std::ptrdiff_t>(at);
    const auto place = std::lower_bound(from, old.end(), one, LabelsLess{head.index.pairs()});
    keep_until(static_cast<std::size_t>(place - old.begin()));
    series.push_back(one);
    merged->slots.push_back(next_slot_++);
  }
  keep_until(old.size());
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
