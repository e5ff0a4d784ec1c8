// From label to series: which series have a given name and value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/labels.h"
#include "common/model/matcher.h"
#include "evaluator/tsdb/status.h"

namespace skep::tsdb {

// Numbers of series, rising.
using Postings = std::vector<std::uint32_t>;

// Thread-compatible: lookups may run at once, changes need the index alone.
class LabelIndex {
 public:
  // Reads a label of a series that is in the index.
  using LabelReader = std::function<std::string_view(std::uint32_t series, std::string_view name)>;

  // Requires: `series` is above all that were added before.
  void Add(const Labels& labels, std::uint32_t series);

  // Takes `series` out, whose label sets are `labels` (in any order).
  void Remove(const Postings& series, std::span<const Labels* const> labels);

  // The series that all matchers accept. Regular expressions run once per distinct value, or where
  // that is less work, once per series that the other matchers left.
  Postings Select(std::span<const Matcher> matchers, const LabelReader& read) const;

  const Postings& all() const { return all_; }
  // Sorted.
  std::vector<std::string> Names() const;
  std::vector<std::string> Values(std::string_view name) const;

  std::size_t pair_count() const;
  // The four lists.
  void FillStatus(std::size_t limit, HeadStatus& status) const;

 private:
  using ValueMap = std::map<std::string, Postings, std::less<>>;

  const ValueMap* Find(std::string_view name) const;
  // Series whose value of the matcher's label is accepted (or refused, where `accept` is false).
  // The absent label is not looked at.
  static Postings Union(const ValueMap& values, const Matcher& matcher, bool accept);

  std::map<std::string, ValueMap, std::less<>> names_;
  Postings all_;
};

}  // namespace skep::tsdb
