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
// series and those of the head go together. With an order the slots are places in it, without one
// those of the head.
class KeptMerge final : public storage::KeptSelect {
 public:
  struct Found {
    std::weak_ptr<const Block> block;  // its number may be another's later
    std::shared_ptr<const Postings> series;
  };

  KeptMerge() = default;
  ~KeptMerge() override { Add(0); }
  KeptMerge(const KeptMerge&) = delete;
  KeptMerge& operator=(const KeptMerge&) = delete;

  // Both parts only rise, and one of them does whenever slots change.
  std::uint64_t generation() const override {
    return (head == nullptr ? 1 : head->generation()) + changes_;
  }

  // Null: to be found.
  const std::shared_ptr<const MergeOrder>& order() const { return order_; }
  bool HasOrderOf(const std::shared_ptr<const void>& head_list) const {
    return order_ != nullptr && head_list_ == head_list;
  }
  void SetOrder(std::shared_ptr<const MergeOrder> order, std::shared_ptr<const void> head_list) {
    if (order_ != nullptr || order != nullptr) ++changes_;
    order_ = std::move(order);
    head_list_ = std::move(head_list);
  }

  std::shared_ptr<const Postings> Find(const std::shared_ptr<const Block>& block) const {
    for (const Found& one : blocks_) {
      if (!one.block.owner_before(block) && !block.owner_before(one.block)) return one.series;
    }
    return nullptr;
  }
  std::size_t blocks() const { return blocks_.size(); }
  void SetBlocks(std::vector<Found> blocks) { blocks_ = std::move(blocks); }
  // Adds what it takes to `bytes`, the same at each call, until it is gone.
  void CountIn(KeptBytes bytes) {
    bytes_ = std::move(bytes);
    Add(HeapBytes());
  }

  std::unique_ptr<storage::KeptSelect> head;

 private:
  std::uint64_t HeapBytes() const {
    std::uint64_t bytes = order_ == nullptr ? 0 : order_->heap_bytes();
    for (const Found& one : blocks_) {
      bytes += sizeof(one) + one.series->capacity() * sizeof(one.series->front());
    }
    return bytes;
  }
  void Add(std::uint64_t bytes) {
    if (bytes_ == nullptr) return;
    *bytes_ += bytes - counted_;  // may wrap around and back
    counted_ = bytes;
  }

  std::vector<Found> blocks_;  // of the last answer, rising
  std::shared_ptr<const void> head_list_;
  std::shared_ptr<const MergeOrder> order_;
  std::uint64_t changes_ = 0;
  KeptBytes bytes_;
  std::uint64_t counted_ = 0;  // of bytes_, for this one
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
    const auto& head = static_cast<const HeadSet&>(**answer);
    if (walks->empty()) {
      merge.SetOrder(nullptr, nullptr);
    } else if (!merge.HasOrderOf(head.list())) {
      merge.SetOrder(MergedSet(*walks, head.Again(), nullptr).TakeOrder(), head.list());
    }
    merge.CountIn(head.kept_bytes());
    if (walks->empty()) return answer;
    return {std::make_unique<MergedSet>(std::move(*walks), std::move(*answer), merge.order())};
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
      std::shared_ptr<const Postings> series = kept ? kept->Find(block.block) : nullptr;
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
      if (!is_same || found.size() != kept->blocks()) kept->SetOrder(nullptr, nullptr);
      kept->SetBlocks(std::move(found));
    }
    return walks;
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
