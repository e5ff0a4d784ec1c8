#include "evaluator/cmd/tool_cardinality.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "common/exposition/parser.h"

namespace skep::tool {
namespace {

using exposition::Entry;

// Series by metric.
class Counts {
 public:
  explicit Counts(exposition::Format format) : format_(format) {}

  void NoteFamily(std::string_view family) { families_.emplace(family); }
  void NoteSeries(std::string_view series) {
    if (!exposition::ParseSeries(series, {.format = format_}, labels_, buffer_)) return;
    for (const LabelView& label : labels_) {
      if (label.name == kMetricName) ++counts_[FamilyOf(std::string(label.value))];
    }
  }
  // Most series first, then by name.
  std::vector<std::pair<std::string, std::size_t>> Sorted() const {
    std::vector<std::pair<std::string, std::size_t>> list(counts_.begin(), counts_.end());
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    return list;
  }

 private:
  std::string FamilyOf(const std::string& name) const {
    constexpr std::array<std::string_view, 6> kSuffixes = {"_bucket", "_count",   "_sum",
                                                           "_total",  "_created", "_info"};
    if (families_.contains(name)) return name;
    for (const std::string_view suffix : kSuffixes) {
      if (!name.ends_with(suffix)) continue;
      std::string family = name.substr(0, name.size() - suffix.size());
      if (families_.contains(family)) return family;
    }
    return name;
  }

  const exposition::Format format_;
  std::set<std::string> families_;
  std::map<std::string, std::size_t> counts_;
  std::vector<LabelView> labels_;
  std::string buffer_;
};

std::string Percent(std::size_t part, std::size_t total) {
  std::array<char, 32> text{};
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(total);
  return {text.data(),
          static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.2f%%", percent))};
}

using TableRow = std::array<std::string, 3>;

void PrintTable(ToolIo& io, const std::vector<TableRow>& rows) {
  constexpr std::size_t kGap = 4;
  std::array<std::size_t, 3> widths{};
  for (const TableRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size() + kGap);
    }
  }
  for (const TableRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      io.out << row[i] << std::string(widths[i] - row[i].size(), ' ');
    }
    io.out << '\n';
  }
}

}  // namespace

void PrintCardinality(ToolIo& io, std::string_view page, exposition::Format format) {
  exposition::PageParser parser(page, format);
  Counts counts(format);
  for (Entry entry = parser.Next(); entry != Entry::kEnd && entry != Entry::kInvalid;
       entry = parser.Next()) {
    if (entry == Entry::kType) counts.NoteFamily(parser.family());
    if (entry == Entry::kSample) counts.NoteSeries(parser.series());
  }
  const auto list = counts.Sorted();
  std::size_t total = 0;
  for (const auto& [name, count] : list) total += count;
  std::vector<TableRow> rows = {{"Metric", "Cardinality", "Percentage"}};
  for (const auto& [name, count] : list) {
    rows.push_back({name, std::to_string(count), Percent(count, total)});
  }
  rows.push_back({"Total", std::to_string(total), "100%"});
  PrintTable(io, rows);
}

}  // namespace skep::tool
