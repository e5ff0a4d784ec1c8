#include "evaluator/tsdb/block_index.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

#include "common/base/crc32c.h"

namespace skep::tsdb {

Result<BlockIndex> BlockIndex::Open(const BlockBytes& file, const BlockFooter& footer) {
  const std::string_view bytes =
      file.content.substr(static_cast<std::size_t>(footer.index_offset),
                          static_cast<std::size_t>(footer.index_bytes()));
  if (Crc32c(bytes) != footer.index_crc) {
    return file.Damaged(bytes.data(), "the index has another checksum than the footer says");
  }
  const IndexParts parts(file.content, footer);
  Result<PairTable> pairs = PairTable::Open(file, parts, footer);
  if (!pairs) return pairs.error();
  const SeriesPairs series{
      .file = &file,
      .groups = parts[IndexPart::kSeriesLabels],
      .directory = {parts[IndexPart::kSeriesDirectory].data(), footer.series_width},
      .series = static_cast<std::uint32_t>(footer.meta.series),
      .pair_limit = pairs->size()};
  return BlockIndex(file, footer.index_offset, *std::move(pairs), series);
}

Status BlockIndex::CheckThere() const {
  const MappedFile::Lost lost = file_->file->lost();
  if (lost.end <= offset_) return {};
  return file_->Damaged(file_->content.data() + std::max(lost.begin, offset_),
                        "a part of the index is gone");
}

// A matcher with what it can be looked up in.
struct BlockIndex::Lookup {
  const Matcher* matcher = nullptr;
  const PairTable::Name* name = nullptr;  // null: no series has the label
  std::optional<std::string_view> exact;  // postings of `=`
  std::uint64_t cost = 0;                 // about the number of series it names

  bool may_be_absent() const { return matcher->MatchesEmpty(); }
  // Whether having the label is enough.
  bool any_value() const {
    return matcher->value() == (matcher->type() == MatchType::kRegex ? ".+" : "") &&
           (matcher->type() == MatchType::kRegex || matcher->type() == MatchType::kNotEqual);
  }
};

Error BlockIndex::DamagedPostings(std::string_view list) const {
  return file_->Damaged(list.data(), "the list of series of a label is none");
}

Status BlockIndex::Take(std::string_view list, Postings& out) const {
  if (AppendPostings(RunsOf(list), out)) return {};
  return DamagedPostings(list);
}

Status BlockIndex::TakeLiterals(const Lookup& lookup, Postings& all) const {
  const auto& literals = *lookup.matcher->regex()->literals();
  for (const std::string& literal : std::set<std::string>(literals.begin(), literals.end())) {
    const auto list = pairs_.PostingsOf(*lookup.name, literal);
    if (!list) return list.error();
    if (*list) RETURN_IF_ERROR(Take(**list, all));
  }
  return {};
}

Status BlockIndex::TakeMatching(const Lookup& lookup, bool accept, Postings& all) const {
  const Matcher& matcher = *lookup.matcher;
  const bool positive = matcher.type() == MatchType::kRegex && accept;
  const std::string prefix = positive ? matcher.regex()->literal_prefix() : "";
  Result<PairTable::Walk> walk = pairs_.ValuesNear(*lookup.name, prefix);
  if (!walk) return walk.error();
  while (walk->Next()) {
    const int order = walk->value().compare(0, prefix.size(), prefix);
    if (order > 0) return {};
    if (order == 0 && matcher.Matches(walk->value()) == accept) {
      RETURN_IF_ERROR(Take(walk->postings(), all));
    }
  }
  return walk->status();
}

Result<Postings> BlockIndex::Union(const Lookup& lookup, bool accept) const {
  Postings all;
  const Regex* const regex = lookup.matcher->regex();
  const bool literal =
      lookup.matcher->type() == MatchType::kRegex && accept && regex->literals().has_value();
  RETURN_IF_ERROR(literal ? TakeLiterals(lookup, all) : TakeMatching(lookup, accept, all));
  if (!std::is_sorted(all.begin(), all.end())) Sort(all);
  return all;
}

// Lists of values are disjoint, so there is nothing twice. Where they are long, a bit for each
// series sorts them: of 200,000 series in a million in 1 ms instead of 10.
void BlockIndex::Sort(Postings& all) const {
  if (all.size() < series_count() / 64) return std::sort(all.begin(), all.end());
  std::vector<std::uint64_t> bits(series_count() / 64 + 1);
  for (const std::uint32_t series : all) bits[series / 64] |= std::uint64_t{1} << series % 64;
  all.clear();
  for (std::size_t i = 0; i < bits.size(); ++i) {
    for (std::uint64_t left = bits[i]; left != 0; left &= left - 1) {
      all.push_back(static_cast<std::uint32_t>(64 * i) +
                    static_cast<std::uint32_t>(std::countr_zero(left)));
    }
  }
}

Status BlockIndex::CheckEach(const Lookup& lookup, Postings& found) const {
  SeriesPairsWalk walk(series_);
  const PairTable::Name& name = *lookup.name;
  std::string value;
  auto kept = found.begin();
  for (const std::uint32_t series : found) {
    RETURN_IF_ERROR(walk.Go(series));
    const PairList& pairs = walk.pairs();
    const auto at = std::lower_bound(pairs.begin(), pairs.end(), name.first_pair);
    const bool has = at != pairs.end() && *at - name.first_pair < name.values;
    value.clear();
    if (has && !lookup.any_value()) RETURN_IF_ERROR(pairs_.ValueOf(*at, value));
    if (lookup.any_value() ? has : lookup.matcher->Matches(value)) *kept++ = series;
  }
  found.erase(kept, found.end());
  return {};
}

// Of those that name series the cheapest first, then those that only take series away.
Result<std::vector<BlockIndex::Lookup>> BlockIndex::LookupsOf(
    std::span<const Matcher> matchers) const {
  std::vector<Lookup> lookups;
  for (const Matcher& matcher : matchers) {
    Lookup lookup;
    lookup.matcher = &matcher;
    lookup.name = pairs_.Find(matcher.name());
    if (lookup.name && matcher.type() == MatchType::kEqual && !lookup.may_be_absent()) {
      const auto list = pairs_.PostingsOf(*lookup.name, matcher.value());
      if (!list) return list.error();
      lookup.exact = list->value_or(std::string_view());
      lookup.cost = lookup.exact->empty() ? 0 : RunsOf(*lookup.exact).left();
    } else if (lookup.name) {
      lookup.cost = std::uint64_t{series_count()} + lookup.name->values;
    }
    lookups.push_back(lookup);
  }
  std::stable_sort(lookups.begin(), lookups.end(), [](const Lookup& a, const Lookup& b) {
    if (a.may_be_absent() != b.may_be_absent()) return b.may_be_absent();
    return a.cost < b.cost;
  });
  return lookups;
}

Status BlockIndex::Narrow(const Lookup& lookup, std::optional<Postings>& found) const {
  if (lookup.exact) {
    if (lookup.exact->empty()) {
      found.emplace();
      return {};
    }
    if (!found) return Take(*lookup.exact, found.emplace());
    if (IntersectPostings(RunsOf(*lookup.exact), *found)) return {};
    return DamagedPostings(*lookup.exact);
  }
  if (found && found->size() <= lookup.name->values) return CheckEach(lookup, *found);
  const bool accept = !lookup.may_be_absent();
  Result<Postings> named = Union(lookup, accept);
  if (!named) return named.error();
  if (!found) {
    found = *std::move(named);
    return {};
  }
  Postings left;
  if (accept) {
    std::set_intersection(found->begin(), found->end(), named->begin(), named->end(),
                          std::back_inserter(left));
  } else {
    std::set_difference(found->begin(), found->end(), named->begin(), named->end(),
                        std::back_inserter(left));
  }
  found = std::move(left);
  return {};
}

Result<Postings> BlockIndex::Select(std::span<const Matcher> matchers) const {
  const Result<std::vector<Lookup>> lookups = LookupsOf(matchers);
  if (!lookups) return lookups.error();
  std::optional<Postings> found;
  for (const Lookup& lookup : *lookups) {
    if (!lookup.name) {
      if (lookup.may_be_absent()) continue;
      return Postings();
    }
    if (!found && lookup.may_be_absent()) {
      found.emplace(series_count());
      std::iota(found->begin(), found->end(), 0U);
    }
    RETURN_IF_ERROR(Narrow(lookup, found));
    if (found->empty()) return Postings();
  }
  if (!found) {
    found.emplace(series_count());
    std::iota(found->begin(), found->end(), 0U);
  }
  return *std::move(found);
}

Result<std::vector<bool>> BlockIndex::PairsOfSeries(const Postings& series) const {
  std::vector<bool> has(pairs_.size());
  SeriesPairsWalk walk(series_);
  for (const std::uint32_t one : series) {
    RETURN_IF_ERROR(walk.Go(one));
    for (const std::uint32_t pair : walk.pairs()) has[pair] = true;
  }
  return has;
}

Result<std::vector<std::string>> BlockIndex::LabelNames(std::span<const Matcher> matchers) const {
  std::vector<std::string> names;
  if (matchers.empty()) {
    for (const PairTable::Name& name : pairs_.names()) names.emplace_back(name.text);
    return names;
  }
  const Result<Postings> found = Select(matchers);
  if (!found) return found.error();
  const Result<std::vector<bool>> has = PairsOfSeries(*found);
  if (!has) return has.error();
  for (const PairTable::Name& name : pairs_.names()) {
    const auto first = has->begin() + name.first_pair;
    if (std::find(first, first + name.values, true) != first + name.values) {
      names.emplace_back(name.text);
    }
  }
  return names;
}

Result<std::vector<std::string>> BlockIndex::LabelValues(std::string_view label,
                                                         std::span<const Matcher> matchers) const {
  std::vector<std::string> values;
  const PairTable::Name* const name = pairs_.Find(label);
  if (!name) return values;
  std::optional<std::vector<bool>> has;
  if (!matchers.empty()) {
    const Result<Postings> found = Select(matchers);
    if (!found) return found.error();
    Result<std::vector<bool>> pairs = PairsOfSeries(*found);
    if (!pairs) return pairs.error();
    has = *std::move(pairs);
  }
  PairTable::Walk walk = pairs_.ValuesOf(*name);
  while (walk.Next()) {
    if (!has || (*has)[walk.pair()]) values.push_back(walk.value());
  }
  if (!walk.status()) return walk.status().error();
  return values;
}

}  // namespace skep::tsdb
