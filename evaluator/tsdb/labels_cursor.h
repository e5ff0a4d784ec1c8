// Reads the labels of a block's series one after another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "evaluator/tsdb/block_index.h"

namespace skep::tsdb {

// Rising ordinals cost a step each, and texts that came before are remembered. Thread-compatible. A
// view of its index.
class LabelsCursor {
 public:
  explicit LabelsCursor(const BlockIndex& index)
      : index_(&index), pairs_(&index.pairs()), walk_(index.series()) {}

  // kCorrupt: with file and offset. Requires: `series` is below series_count().
  Result<Labels> LabelsOf(std::uint32_t series);

 private:
  struct Text {
    std::string_view name;
    std::string value;
  };

  Result<const Text*> TextOf(std::uint32_t pair);

  const BlockIndex* index_;
  const PairTable* pairs_;
  SeriesPairsWalk walk_;
  std::unordered_map<std::uint32_t, Text> texts_;  // by pair
  std::vector<LabelView> views_;
};

}  // namespace skep::tsdb
