#include "evaluator/tsdb/label_order.h"

#include <algorithm>
#include <iterator>

namespace skep::tsdb {
namespace {

// Below this, comparing labels is cheaper than looking whether the ranks are fresh.
constexpr std::size_t kFew = 64;

bool LabelsLess(const Series* a, const Series* b) { return a->labels() < b->labels(); }

}  // namespace

void LabelOrder::Sort(std::vector<Series*>& list, const SeriesPages& pages, const Postings& all) {
  if (list.size() <= kFew) {
    std::sort(list.begin(), list.end(), LabelsLess);
    return;
  }
  const std::shared_ptr<const Ranks> ranks = Refresh(pages, all);
  std::sort(list.begin(), list.end(), [&ranks](const Series* a, const Series* b) {
    return ranks->by_number[a->number()] < ranks->by_number[b->number()];
  });
}

std::shared_ptr<const LabelOrder::Ranks> LabelOrder::Refresh(const SeriesPages& pages,
                                                             const Postings& all) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t end = all.empty() ? 0 : all.back() + 1;
  if (ranks_ && ranks_->end >= end) return ranks_;

  // Newcomers are sorted by themselves, then merged; the old ones keep their order.
  const auto less = [&pages](std::uint32_t a, std::uint32_t b) {
    return LabelsLess(pages.Get(a), pages.Get(b));
  };
  const std::uint32_t known = ranks_ ? ranks_->end : 0;
  std::vector<std::uint32_t> fresh(std::lower_bound(all.begin(), all.end(), known), all.end());
  std::sort(fresh.begin(), fresh.end(), less);

  auto next = std::make_shared<Ranks>();
  next->end = end;
  next->sorted.reserve(all.size());
  if (ranks_) {
    std::copy_if(ranks_->sorted.begin(), ranks_->sorted.end(), std::back_inserter(next->sorted),
                 [&pages](std::uint32_t number) { return pages.Get(number) != nullptr; });
  }
  // Each newcomer is placed by halving: few of them must not cost a walk with string comparisons.
  std::vector<std::uint32_t> merged;
  merged.reserve(next->sorted.size() + fresh.size());
  auto from = next->sorted.cbegin();
  for (const std::uint32_t number : fresh) {
    const auto place = std::lower_bound(from, next->sorted.cend(), number, less);
    merged.insert(merged.end(), from, place);
    merged.push_back(number);
    from = place;
  }
  merged.insert(merged.end(), from, next->sorted.cend());
  next->sorted = std::move(merged);
  next->by_number.resize(end);
  for (std::uint32_t rank = 0; rank < next->sorted.size(); ++rank) {
    next->by_number[next->sorted[rank]] = rank;
  }
  ranks_ = next;
  return ranks_;
}

}  // namespace skep::tsdb
