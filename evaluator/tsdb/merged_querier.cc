#include "evaluator/tsdb/merged_querier.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "evaluator/tsdb/head_querier.h"
#include "evaluator/tsdb/merged_set.h"

namespace skep::tsdb {
namespace {

// What is the same as long as the same blocks are asked: what each of them found, and how its
// series and those of the head go together.
class KeptMerge final : public storage::KeptSelect {
 public:
  std::uint64_t generation() const override { return head == nullptr ? 1 : head->generation(); }

  struct Found {
    std::weak_ptr<const Block> block;  // its number may be another's later
    std::shared_ptr<const Postings> series;
  };

  std::unique_ptr<storage::KeptSelect> head;
  std::vector<Found> blocks;  // of the last answer, rising
  std::shared_ptr<const void> head_list;
  std::shared_ptr<const MergeOrder> order;  // null: to be found
};

std::vector<std::string> Union(std::vector<std::string> a, const std::vector<std::string>& b) {
  std::vector<std::string> all;
  std::ranges::set_union(a, b, std::back_inserter(all));
  return all;
}

class MergedQuerier final : public storage::Querier {
 public:
  MergedQuerier(BlockListPtr blocks, std::unique_ptr<storage::Querier> head,
                storage::TimeRange range)
      : blocks_(std::move(blocks)), head_(std::move(head)), range_(range) {}

  Result<std::unique_ptr<storage::SeriesSet>> Select(std::span<const Matcher> matchers,
                                                     storage::TimeRange range) override {
    auto head = head_->Select(matchers, range);
    if (!head) return head.error();
    Result<std::vector<BlockWalk>> walks = Walk(matchers, range, nullptr);
    if (!walks) return walks.error();
    if (walks->empty()) return head;
    return {std::make_unique<MergedSet>(std::move(*walks), std::move(*head), nullptr)};
  }

  Result<std::unique_ptr<storage::SeriesSet>> SelectAgain(
      std::span<const Matcher> matchers, storage::TimeRange range,
      std::unique_ptr<storage::KeptSelect>& kept) override {
    if (kept == nullptr) kept = std::make_unique<KeptMerge>();
    auto& merge = static_cast<KeptMerge&>(*kept);
    auto answer = head_->SelectAgain(matchers, range, merge.head);
    if (!answer) return answer.error();
    Result<std::vector<BlockWalk>> walks = Walk(matchers, range, &merge);
    if (!walks) return walks.error();
    if (walks->empty()) return answer;
    const auto& head = static_cast<const HeadSet&>(**answer);
    if (merge.order == nullptr || merge.head_list != head.list()) {
      merge.order = MergedSet(*walks, head.Again(), nullptr).TakeOrder();
      merge.head_list = head.list();
    }
    return {std::make_unique<MergedSet>(std::move(*walks), std::move(*answer), merge.order)};
  }

  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) override {
    return Collect(head_->LabelNames(matchers),
                   [matchers](const Block& block) { return block.LabelNames(matchers); });
  }
  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const Matcher> matchers) override {
    return Collect(head_->LabelValues(name, matchers), [name, matchers](const Block& block) {
      return block.LabelValues(name, matchers);
    });
  }

 private:
  static bool Overlaps(const LiveBlock& block, storage::TimeRange range) {
    return block.span().min <= range.max && range.min <= block.span().max;
  }
  storage::TimeRange Clip(storage::TimeRange range) const {
    return {std::max(range.min, range_.min), std::min(range.max, range_.max)};
  }

  // `kept` may be null; what it has of the same blocks is taken, and what is found goes there.
  Result<std::vector<BlockWalk>> Walk(std::span<const Matcher> matchers, storage::TimeRange range,
                                      KeptMerge* kept) const {
    range = Clip(range);
    std::vector<BlockWalk> walks;
    std::vector<KeptMerge::Found> found;
    bool is_same = true;
    for (const LiveBlock& block : *blocks_) {
      if (!Overlaps(block, range)) continue;
      std::shared_ptr<const Postings> series = kept ? FindKept(*kept, block.block) : nullptr;
      if (series == nullptr) {
        Result<Postings> selected = block.block->Select(matchers);
        if (!selected) return selected.error();
        series = std::make_shared<const Postings>(std::move(*selected));
        is_same = false;
      }
      found.push_back({block.block, series});
      if (!series->empty()) walks.emplace_back(block, std::move(series), range);
    }
    if (kept != nullptr) {
      if (!is_same || found.size() != kept->blocks.size()) kept->order = nullptr;
      kept->blocks = std::move(found);
    }
    return walks;
  }

  static std::shared_ptr<const Postings> FindKept(const KeptMerge& kept,
                                                  const std::shared_ptr<const Block>& block) {
    for (const KeptMerge::Found& one : kept.blocks) {
      if (!one.block.owner_before(block) && !block.owner_before(one.block)) return one.series;
    }
    return nullptr;
  }

  template <typename OfBlock>
  Result<std::vector<std::string>> Collect(Result<std::vector<std::string>> all,
                                           const OfBlock& of_block) const {
    if (!all) return all;
    for (const LiveBlock& block : *blocks_) {
      if (!Overlaps(block, range_)) continue;
      const Result<std::vector<std::string>> more = of_block(*block.block);
      if (!more) return more.error();
      all = Union(std::move(*all), *more);
    }
    return all;
  }

  const BlockListPtr blocks_;
  const std::unique_ptr<storage::Querier> head_;
  const storage::TimeRange range_;
};

}  // namespace

std::unique_ptr<storage::Querier> NewMergedQuerier(BlockListPtr blocks,
                                                   std::unique_ptr<storage::Querier> head,
                                                   storage::TimeRange range) {
  return std::make_unique<MergedQuerier>(std::move(blocks), std::move(head), range);
}

}  // namespace skep::tsdb
