// Collects the labels of a block's series and writes the index made of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/series_pairs.h"

namespace skep::tsdb {

// Thread-compatible. Holds some 10 bytes a series and the texts of its labels, each once; Write
// takes 4 bytes a label of a series more.
class BlockIndexWriter {
 public:
  using Sink = std::function<Status(IndexPart part, std::string_view bytes)>;

  // Requires: `labels` come after those before; no value is empty.
  void Add(const Labels& labels);
  std::uint32_t series_count() const { return series_; }

  // Hands the parts from kPostings to kSeriesDirectory to `sink`, in their order, and fills the
  // numbers of `footer` that belong to them. Called once.
  Status Write(const Sink& sink, BlockFooter& footer);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
  };
  // From a value to the number of the pair, in the order in which they came.
  using Values = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;

  std::uint32_t PairOf(const LabelView& label);
  void Number(ByteWriter& names, BlockFooter& footer);
  void ListPostings();
  Status WritePostings(const Sink& sink);
  Status WriteValues(const Sink& sink, BlockFooter& footer);
  Status WriteSeries(const Sink& sink, BlockFooter& footer);
  template <typename Visit>
  void ForEachSeries(Visit visit) const;

  std::unordered_map<std::string, Values, Hash, std::equal_to<>> names_;
  std::uint32_t pairs_ = 0;
  std::uint32_t series_ = 0;
  // Of each series: first pairs kept from the one before, number of others, the others (varints).
  ByteWriter kept_;
  PairList last_;
  Labels last_labels_;

  // From here on for Write.
  struct Name {
    std::string_view text;
    std::vector<std::pair<std::string_view, std::uint32_t>> values;  // and the pair, as it came
  };
  std::vector<Name> sorted_;               // by text
  std::vector<std::uint32_t> number_of_;   // by the order in which pairs came: their numbers
  std::vector<std::uint32_t> list_begin_;  // of each number, and an end: into lists_
  std::vector<std::uint32_t> lists_;       // series
  std::vector<std::uint32_t> list_bytes_;  // of each number: as bytes
};

}  // namespace skep::tsdb
