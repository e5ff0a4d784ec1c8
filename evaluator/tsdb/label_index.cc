#include "evaluator/tsdb/label_index.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "evaluator/tsdb/heap_size.h"

namespace skep::tsdb {
namespace {

using Numbers = std::span<const std::uint32_t>;

// Keeps of `candidates` what is in `other`. Where one list is much longer, its entries are found by
// halving instead of one after the other.
void Intersect(Postings& candidates, Numbers other) {
  auto out = candidates.begin();
  if (other.size() / 16 > candidates.size()) {
    auto from = other.begin();
    for (const std::uint32_t series : candidates) {
      from = std::lower_bound(from, other.end(), series);
      if (from != other.end() && *from == series) *out++ = series;
    }
  } else {
    // std::set_intersection may not write into its input; walking by hand may.
    auto from = other.begin();
    for (const std::uint32_t series : candidates) {
      while (from != other.end() && *from < series) ++from;
      if (from != other.end() && *from == series) *out++ = series;
    }
  }
  candidates.erase(out, candidates.end());
}

void Subtract(Postings& candidates, Numbers other) {
  auto out = candidates.begin();
  auto from = other.begin();
  for (const std::uint32_t series : candidates) {
    while (from != other.end() && *from < series) ++from;
    if (from == other.end() || *from != series) *out++ = series;
  }
  candidates.erase(out, candidates.end());
}

// Keeps the largest `limit`, in falling order; of equal ones the name decides.
void Shorten(std::vector<NamedCount>& list, std::size_t limit) {
  const auto larger = [](const NamedCount& a, const NamedCount& b) {
    return a.value != b.value ? a.value > b.value : a.name < b.name;
  };
  const auto end = list.begin() + static_cast<std::ptrdiff_t>(std::min(limit, list.size()));
  std::partial_sort(list.begin(), end, list.end(), larger);
  list.erase(end, list.end());
}

}  // namespace

// A matcher with what it can be looked up in.
struct LabelIndex::Lookup {
  const Matcher* matcher = nullptr;
  NameId name = 0;
  std::optional<PairId> exact;  // of `=`
  std::size_t cost = 0;         // about the number of series it names
};

std::span<const PairId> LabelIndex::Intern(const Labels& labels) {
  pairs_.InternAll(labels, interned_);
  while (lists_.size() < pairs_.end()) lists_.emplace_back();
  return interned_;
}

void LabelIndex::Add(std::span<const PairId> pairs, std::uint32_t series) {
  for (const PairId pair : pairs) {
    NumberList& list = lists_[pair];
    list_bytes_ -= list.heap_bytes();
    list.Append(series);
    list_bytes_ += list.heap_bytes();
  }
  all_.Append(series);
}

void LabelIndex::Remove(const Postings& series, std::vector<PairId> pairs) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const PairId pair : pairs) {
    NumberList& list = lists_[pair];
    list_bytes_ -= list.heap_bytes();
    list.Subtract(series);
    list_bytes_ += list.heap_bytes();
    if (list.empty()) pairs_.Release(pair);
  }
  all_.Subtract(series);
}

void LabelIndex::ReleaseUnused() {
  for (PairId pair = 0; pair < pairs_.end(); ++pair) {
    if (pairs_.Lives(pair) && lists_[pair].empty()) pairs_.Release(pair);
  }
}

std::size_t LabelIndex::CountSeries(NameId name) const {
  std::size_t count = 0;
  pairs_.WalkValues(name, "", [&](PairId pair) {
    count += lists_[pair].size();
    return true;
  });
  return count;
}

Postings LabelIndex::Union(NameId name, const Matcher& matcher, bool accept) const {
  Postings all;
  std::size_t lists = 0;
  const auto take = [&](PairId pair) {
    const Numbers series = lists_[pair].view();
    all.insert(all.end(), series.begin(), series.end());
    ++lists;
  };
  const Regex* const regex = matcher.regex();
  const bool positive = matcher.type() == MatchType::kRegex && accept;
  if (positive && regex->literals()) {
    for (const std::string& literal :
         std::set<std::string>(regex->literals()->begin(), regex->literals()->end())) {
      if (const auto pair = pairs_.Find(matcher.name(), literal)) take(*pair);
    }
  } else {
    pairs_.WalkValues(name, positive ? regex->literal_prefix() : "", [&](PairId pair) {
      if (matcher.Matches(pairs_.value(pair)) == accept) take(pair);
      return true;
    });
  }
  if (lists > 1) std::sort(all.begin(), all.end());
  return all;
}

bool LabelIndex::LookUp(std::span<const Matcher> matchers, std::vector<Lookup>& required,
                        std::vector<Lookup>& others) const {
  for (const Matcher& matcher : matchers) {
    const auto name = pairs_.FindName(matcher.name());
    Lookup lookup{.matcher = &matcher, .name = name.value_or(0), .exact = std::nullopt};
    if (matcher.MatchesEmpty()) {
      if (name) others.push_back(lookup);
      continue;
    }
    if (!name) return false;
    if (matcher.type() == MatchType::kEqual) {
      lookup.exact = pairs_.Find(matcher.name(), matcher.value());
      if (!lookup.exact) return false;
      lookup.cost = lists_[*lookup.exact].size();
    } else {
      lookup.cost = all_.size() + CountSeries(*name);  // behind all exact ones
    }
    required.push_back(lookup);
  }
  std::sort(required.begin(), required.end(),
            [](const Lookup& a, const Lookup& b) { return a.cost < b.cost; });
  return true;
}

Postings LabelIndex::Select(std::span<const Matcher> matchers, const PairReader& read) const {
  std::vector<Lookup> required;
  std::vector<Lookup> others;  // accept the absent label too
  if (!LookUp(matchers, required, others)) return {};

  std::optional<Postings> found;
  const auto check_each = [&](const Lookup& lookup) {
    std::erase_if(*found, [&](std::uint32_t series) {
      return !lookup.matcher->Matches(pairs_.ValueOf(read(series), lookup.name));
    });
  };
  for (const Lookup& lookup : required) {
    if (!found && lookup.exact) {
      const Numbers series = lists_[*lookup.exact].view();
      found.emplace(series.begin(), series.end());
    } else if (!found) {
      found = Union(lookup.name, *lookup.matcher, true);
    } else if (lookup.exact) {
      Intersect(*found, lists_[*lookup.exact].view());
    } else if (found->size() <= pairs_.CountValues(lookup.name)) {
      check_each(lookup);
    } else {
      Intersect(*found, Union(lookup.name, *lookup.matcher, true));
    }
    if (found->empty()) return {};
  }
  if (!found) found.emplace(all().begin(), all().end());
  for (const Lookup& lookup : others) {
    if (found->size() <= pairs_.CountValues(lookup.name)) {
      check_each(lookup);
    } else {
      Subtract(*found, Union(lookup.name, *lookup.matcher, false));
    }
  }
  return *std::move(found);
}

std::vector<std::string> LabelIndex::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, id] : pairs_.names()) names.emplace_back(name);
  return names;
}

std::vector<std::string> LabelIndex::Values(std::string_view name) const {
  std::vector<std::string> list;
  const auto id = pairs_.FindName(name);
  if (!id) return list;
  pairs_.WalkValues(*id, "", [&](PairId pair) {
    list.emplace_back(pairs_.value(pair));
    return true;
  });
  return list;
}

void LabelIndex::FillStatus(std::size_t limit, HeadStatus& status) const {
  for (const auto& [text, id] : pairs_.names()) {
    const std::string name(text);
    std::uint64_t bytes = 0;
    pairs_.WalkValues(id, "", [&](PairId pair) {
      const std::string value(pairs_.value(pair));
      const std::size_t series = lists_[pair].size();
      bytes += (name.size() + value.size()) * series;
      status.series_by_label_pair.push_back({name + "=" + value, series});
      if (name == kMetricName) status.series_by_metric_name.push_back({value, series});
      return true;
    });
    status.values_by_label_name.push_back({name, pairs_.CountValues(id)});
    status.bytes_by_label_name.push_back({name, bytes});
    // Millions of pairs need not stand in memory at once.
    if (status.series_by_label_pair.size() > 1'000'000) {
      Shorten(status.series_by_label_pair, limit);
    }
  }
  for (auto* list : {&status.series_by_metric_name, &status.values_by_label_name,
                     &status.bytes_by_label_name, &status.series_by_label_pair}) {
    Shorten(*list, limit);
  }
  status.label_pairs = pair_count();
}

std::size_t LabelIndex::heap_bytes() const {
  return list_bytes_ + all_.heap_bytes() + lists_.size() * sizeof(NumberList);
}

}  // namespace skep::tsdb
