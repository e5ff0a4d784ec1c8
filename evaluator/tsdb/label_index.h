// From label to series: which series have a given name and value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/labels.h"
#include "common/model/matcher.h"
#include "evaluator/tsdb/label_pairs.h"
#include "evaluator/tsdb/number_list.h"
#include "evaluator/tsdb/status.h"

namespace skep::tsdb {

// Thread-compatible: lookups may run at once, changes need the index alone. What it says of labels
// is good until the next change.
class LabelIndex {
 public:
  // The pairs of a series that is in the index.
  using PairReader = std::function<std::span<const PairId>(std::uint32_t series)>;

  // The pairs that series have, and those of Intern that got no series yet.
  const LabelPairs& pairs() const { return pairs_; }
  // The labels as numbers, which live until Add or ReleaseUnused; valid until the next call.
  std::span<const PairId> Intern(const Labels& labels);

  // Requires: `series` is above all that were added before.
  void Add(std::span<const PairId> pairs, std::uint32_t series);
  // Takes `series` out, whose pairs are in `pairs` (in any order). A pair that nobody has any more
  // goes.
  void Remove(const Postings& series, std::vector<PairId> pairs);
  // Pairs of Intern that nobody got go.
  void ReleaseUnused();

  // The series that all matchers accept. Regular expressions run once per distinct value, or where
  // that is less work, once per series that the other matchers left.
  Postings Select(std::span<const Matcher> matchers, const PairReader& read) const;

  std::span<const std::uint32_t> all() const { return all_.view(); }
  // Sorted.
  std::vector<std::string> Names() const;
  std::vector<std::string> Values(std::string_view name) const;

  std::size_t pair_count() const { return pairs_.size(); }
  // The four lists.
  void FillStatus(std::size_t limit, HeadStatus& status) const;
  // Of the heap: the lists of series. That of the labels is LabelPairs' own.
  std::size_t heap_bytes() const;

 private:
  struct Lookup;

  std::size_t CountSeries(NameId name) const;
  // Series whose value of the matcher's label is accepted (or refused, where `accept` is false).
  // The absent label is not looked at.
  Postings Union(NameId name, const Matcher& matcher, bool accept) const;
  // False: no series can be accepted.
  bool LookUp(std::span<const Matcher> matchers, std::vector<Lookup>& required,
              std::vector<Lookup>& others) const;

  LabelPairs pairs_;
  std::deque<NumberList> lists_;  // by pair
  NumberList all_;
  std::size_t list_bytes_ = 0;  // that the lists of pairs have on the heap
  std::vector<PairId> interned_;
};

}  // namespace skep::tsdb
