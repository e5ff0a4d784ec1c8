#include "evaluator/tsdb/labels_cursor.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kMaxTexts = 4096;

}  // namespace

Result<const LabelsCursor::Text*> LabelsCursor::TextOf(std::uint32_t pair) {
  const auto known = texts_.find(pair);
  if (known != texts_.end()) return &known->second;
  Text text{.name = pairs_->NameOf(pair).text, .value = {}};
  RETURN_IF_ERROR(pairs_->ValueOf(pair, text.value));
  return &texts_.emplace(pair, std::move(text)).first->second;
}

Result<Labels> LabelsCursor::LabelsOf(std::uint32_t series) {
  RETURN_IF_ERROR(walk_.Go(series));
  if (texts_.size() > kMaxTexts) texts_.clear();
  views_.clear();
  for (const std::uint32_t pair : walk_.pairs()) {
    const Result<const Text*> text = TextOf(pair);
    if (!text) return text.error();
    views_.push_back({(*text)->name, (*text)->value});
  }
  RETURN_IF_ERROR(index_->CheckThere());
  return Labels::FromPairs(views_);
}

}  // namespace skep::tsdb
