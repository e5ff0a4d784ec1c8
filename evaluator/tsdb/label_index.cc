#include "evaluator/tsdb/label_index.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

namespace skep::tsdb {
namespace {

// Keeps of `candidates` what is in `other`. Where one list is much longer, its entries are found by
// halving instead of one after the other.
void Intersect(Postings& candidates, const Postings& other) {
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

void Subtract(Postings& candidates, const Postings& other) {
  auto out = candidates.begin();
  auto from = other.begin();
  for (const std::uint32_t series : candidates) {
    while (from != other.end() && *from < series) ++from;
    if (from == other.end() || *from != series) *out++ = series;
  }
  candidates.erase(out, candidates.end());
}

// A matcher with the lists it can be looked up in.
struct Lookup {
  const Matcher* matcher = nullptr;
  const std::map<std::string, Postings, std::less<>>* values = nullptr;
  const Postings* exact = nullptr;  // of `=`
  std::size_t cost = 0;             // about the number of series it names
};

std::size_t CountSeries(const std::map<std::string, Postings, std::less<>>& values) {
  std::size_t count = 0;
  for (const auto& [value, series] : values) count += series.size();
  return count;
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

void LabelIndex::Add(const Labels& labels, std::uint32_t series) {
  for (const auto& [name, value] : labels) {
    auto at = names_.find(name);
    if (at == names_.end()) at = names_.emplace(std::string(name), ValueMap()).first;
    auto postings = at->second.find(value);
    if (postings == at->second.end()) {
      postings = at->second.emplace(std::string(value), Postings()).first;
    }
    postings->second.push_back(series);
  }
  all_.push_back(series);
}

void LabelIndex::Remove(const Postings& series, std::span<const Labels* const> labels) {
  std::set<std::pair<std::string_view, std::string_view>> touched;
  for (const Labels* set : labels) {
    for (const auto& [name, value] : *set) touched.emplace(name, value);
  }
  for (const auto& [name, value] : touched) {
    const auto at = names_.find(name);
    const auto postings = at->second.find(value);
    Subtract(postings->second, series);
    postings->second.shrink_to_fit();
    if (postings->second.empty()) at->second.erase(postings);
    if (at->second.empty()) names_.erase(at);
  }
  Subtract(all_, series);
}

const LabelIndex::ValueMap* LabelIndex::Find(std::string_view name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? nullptr : &at->second;
}

Postings LabelIndex::Union(const ValueMap& values, const Matcher& matcher, bool accept) {
  Postings all;
  std::size_t lists = 0;
  const auto take = [&](const Postings& series) {
    all.insert(all.end(), series.begin(), series.end());
    ++lists;
  };
  const Regex* const regex = matcher.regex();
  const bool positive = matcher.type() == MatchType::kRegex && accept;
  if (positive && regex->literals()) {
    for (const std::string& literal :
         std::set<std::string>(regex->literals()->begin(), regex->literals()->end())) {
      const auto at = values.find(literal);
      if (at != values.end()) take(at->second);
    }
  } else {
    const std::string prefix = positive ? regex->literal_prefix() : "";
    for (auto at = values.lower_bound(prefix); at != values.end(); ++at) {
      if (at->first.compare(0, prefix.size(), prefix) != 0) break;
      if (matcher.Matches(at->first) == accept) take(at->second);
    }
  }
  if (lists > 1) std::sort(all.begin(), all.end());
  return all;
}

Postings LabelIndex::Select(std::span<const Matcher> matchers, const LabelReader& read) const {
  static const Postings kNone;
  std::vector<Lookup> required;
  std::vector<Lookup> others;  // accept the absent label too
  for (const Matcher& matcher : matchers) {
    Lookup lookup{.matcher = &matcher, .values = Find(matcher.name())};
    if (matcher.MatchesEmpty()) {
      if (lookup.values) others.push_back(lookup);
      continue;
    }
    if (!lookup.values) return {};
    if (matcher.type() == MatchType::kEqual) {
      const auto at = lookup.values->find(matcher.value());
      if (at == lookup.values->end()) return {};
      lookup.exact = &at->second;
      lookup.cost = at->second.size();
    } else {
      lookup.cost = all_.size() + CountSeries(*lookup.values);  // behind all exact ones
    }
    required.push_back(lookup);
  }
  std::sort(required.begin(), required.end(),
            [](const Lookup& a, const Lookup& b) { return a.cost < b.cost; });

  std::optional<Postings> found;
  const auto check_each = [&](const Matcher& matcher) {
    std::erase_if(*found,
                  [&](std::uint32_t s) { return !matcher.Matches(read(s, matcher.name())); });
  };
  for (const Lookup& lookup : required) {
    if (!found) {
      found = lookup.exact ? *lookup.exact : Union(*lookup.values, *lookup.matcher, true);
    } else if (lookup.exact) {
      Intersect(*found, *lookup.exact);
    } else if (found->size() <= lookup.values->size()) {
      check_each(*lookup.matcher);
    } else {
      Intersect(*found, Union(*lookup.values, *lookup.matcher, true));
    }
    if (found->empty()) return {};
  }
  if (!found) found = all_;
  for (const Lookup& lookup : others) {
    if (found->size() <= lookup.values->size()) {
      check_each(*lookup.matcher);
    } else {
      Subtract(*found, Union(*lookup.values, *lookup.matcher, false));
    }
  }
  return *std::move(found);
}

std::vector<std::string> LabelIndex::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : names_) names.push_back(name);
  return names;
}

std::vector<std::string> LabelIndex::Values(std::string_view name) const {
  std::vector<std::string> list;
  if (const ValueMap* values = Find(name)) {
    for (const auto& [value, series] : *values) list.push_back(value);
  }
  return list;
}

std::size_t LabelIndex::pair_count() const {
  std::size_t count = 0;
  for (const auto& [name, values] : names_) count += values.size();
  return count;
}

void LabelIndex::FillStatus(std::size_t limit, HeadStatus& status) const {
  for (const auto& [name, values] : names_) {
    std::uint64_t bytes = 0;
    for (const auto& [value, series] : values) {
      bytes += (name.size() + value.size()) * series.size();
      status.series_by_label_pair.push_back({name + "=" + value, series.size()});
      if (name == kMetricName) status.series_by_metric_name.push_back({value, series.size()});
    }
    status.values_by_label_name.push_back({name, values.size()});
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

}  // namespace skep::tsdb
