#include "evaluator/tsdb/label_order.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {
namespace {

// Below this, comparing labels is cheaper than looking whether the ranks are fresh.
constexpr std::size_t kFew = 64;

}  // namespace

void LabelOrder::Sort(std::vector<Series*>& list, const SeriesPages& pages,
                      const LabelIndex& index) {
  if (list.size() <= kFew) {
    std::sort(list.begin(), list.end(), LabelsLess{index.pairs()});
    return;
  }
  const std::shared_ptr<const Ranks> ranks = Refresh(pages, index);
  std::sort(list.begin(), list.end(), [&ranks](const Series* a, const Series* b) {
    return ranks->of(a->number()) < ranks->of(b->number());
  });
}

std::shared_ptr<const LabelOrder::Ranks> LabelOrder::Refresh(const SeriesPages& pages,
                                                             const LabelIndex& index) {
  const std::lock_guard lock(mutex_);
  const std::span<const std::uint32_t> all = index.all();
  const std::uint32_t end = all.empty() ? 0 : all.back() + 1;
  if (ranks_ && ranks_->end >= end) return ranks_;

  // Newcomers are sorted by themselves, then merged; the old ones keep their order.
  const auto less = [&pages, &index](std::uint32_t a, std::uint32_t b) {
    return index.pairs().Less(pages.Get(a)->pairs(), pages.Get(b)->pairs());
  };
  const std::uint32_t known = ranks_ ? ranks_->end : 0;
  std::vector<std::uint32_t> fresh(std::lower_bound(all.begin(), all.end(), known), all.end());
  std::sort(fresh.begin(), fresh.end(), less);

  std::vector<std::uint32_t> old;
  if (ranks_) {
    std::copy_if(ranks_->sorted.begin(), ranks_->sorted.end(), std::back_inserter(old),
                 [&pages](std::uint32_t number) { return pages.Get(number) != nullptr; });
  }
  auto next = std::make_shared<Ranks>();
  next->end = end;
  // Each newcomer is placed by halving: few of them must not cost a walk with string comparisons.
  next->sorted.reserve(all.size());
  auto from = old.cbegin();
  for (const std::uint32_t number : fresh) {
    const auto place = std::lower_bound(from, old.cend(), number, less);
    next->sorted.insert(next->sorted.end(), from, place);
    next->sorted.push_back(number);
    from = place;
  }
  next->sorted.insert(next->sorted.end(), from, old.cend());
  next->pages.resize(end / Ranks::kPageSize + 1);
  for (std::uint32_t rank = 0; rank < next->sorted.size(); ++rank) {
    const std::uint32_t number = next->sorted[rank];
    Ranks::Page& page = next->pages[number / Ranks::kPageSize];
    if (page.empty()) page.resize(Ranks::kPageSize);
    page[number % Ranks::kPageSize] = rank;
  }
  ranks_ = next;
  return ranks_;
}

std::size_t LabelOrder::heap_bytes() const {
  const std::lock_guard lock(mutex_);
  if (ranks_ == nullptr) return 0;
  std::size_t bytes = HeapSize(sizeof(Ranks)) + HeapSize(ranks_->sorted.capacity() * 4) +
                      HeapSize(ranks_->pages.capacity() * sizeof(Ranks::Page));
  for (const auto& page : ranks_->pages) bytes += page.empty() ? 0 : HeapSize(page.capacity() * 4);
  return bytes;
}

}  // namespace skep::tsdb
