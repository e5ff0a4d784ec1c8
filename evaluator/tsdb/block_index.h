// The index of a block for reading: from labels to series and back, by look-ups in the mapped file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "common/model/matcher.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/label_index.h"
#include "evaluator/tsdb/pair_table.h"
#include "evaluator/tsdb/postings_list.h"
#include "evaluator/tsdb/series_pairs.h"

namespace skep::tsdb {

// Immutable, thread-safe. A view of a mapped file. Every error is kCorrupt with file and offset.
class BlockIndex {
 public:
  // Checks the sum over the index. `file` must outlive the index.
  static Result<BlockIndex> Open(const BlockBytes& file, const BlockFooter& footer);

  std::uint32_t series_count() const { return series_.series; }
  const PairTable& pairs() const { return pairs_; }
  const SeriesPairs& series() const { return series_; }

  // kCorrupt: the disk could not give a part of the index, so no answer of it since can be trusted.
  // Asked by whoever read in it, before he uses what he read; nothing else is looked at.
  Status CheckThere() const;

  // The series that all matchers accept, rising. Regular expressions run once per distinct value,
  // or where that is less work, once per series that the other matchers left.
  Result<Postings> Select(std::span<const Matcher> matchers) const;
  // Sorted and distinct, of the series that all matchers accept; no matchers: all.
  Result<std::vector<std::string>> LabelNames(std::span<const Matcher> matchers) const;
  Result<std::vector<std::string>> LabelValues(std::string_view name,
                                               std::span<const Matcher> matchers) const;

 private:
  struct Lookup;

  BlockIndex(const BlockBytes& file, std::uint64_t offset, PairTable pairs,
             const SeriesPairs& series)
      : file_(&file), offset_(offset), pairs_(std::move(pairs)), series_(series) {}

  PostingsRuns RunsOf(std::string_view list) const { return {list, series_count()}; }
  Error DamagedPostings(std::string_view list) const;
  Status Take(std::string_view list, Postings& out) const;
  // Series whose value of the matcher's label is accepted (or refused, where `accept` is false).
  // The absent label is not looked at.
  Result<Postings> Union(const Lookup& lookup, bool accept) const;
  void Sort(Postings& all) const;
  Status TakeLiterals(const Lookup& lookup, Postings& all) const;
  Status TakeMatching(const Lookup& lookup, bool accept, Postings& all) const;
  Status CheckEach(const Lookup& lookup, Postings& found) const;
  Status Narrow(const Lookup& lookup, std::optional<Postings>& found) const;
  Result<std::vector<Lookup>> LookupsOf(std::span<const Matcher> matchers) const;
  Result<std::vector<bool>> PairsOfSeries(const Postings& series) const;

  const BlockBytes* file_;
  std::uint64_t offset_;  // in the file
  PairTable pairs_;
  SeriesPairs series_;
};

}  // namespace skep::tsdb
