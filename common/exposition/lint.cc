// The habits of good names, as promtool's linter has them.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "common/exposition/parser.h"
#include "common/exposition/validator.h"

namespace skep::exposition {
namespace {

struct LintFamily {
  MetricType type = MetricType::kUnknown;
  bool has_type = false;
  bool has_help = false;
  bool help_empty = true;
  bool has_samples = false;
  std::set<std::string, std::less<>> label_names;
};

using Families = std::map<std::string, LintFamily, std::less<>>;

constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
    {"amperes", "amperes"}, {"bytes", "bytes"},        {"celsius", "celsius"},
    {"grams", "grams"},     {"joules", "joules"},      {"kelvin", "kelvin"},
    {"meters", "meters"},   {"metres", "metres"},      {"moles", "moles"},
    {"seconds", "seconds"}, {"volts", "volts"},        {"minutes", "seconds"},
    {"hours", "seconds"},   {"days", "seconds"},       {"weeks", "seconds"},
    {"kelvins", "kelvin"},  {"fahrenheit", "celsius"}, {"rankine", "celsius"},
    {"inches", "meters"},   {"yards", "meters"},       {"miles", "meters"},
    {"bits", "bytes"},      {"calories", "joules"},    {"pounds", "grams"},
    {"ounces", "grams"},
};

constexpr std::string_view kUnitPrefixes[] = {
    "",     "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo",
    "kibi", "mega", "mibi", "giga",  "gibi",  "tera",  "tebi", "peta", "pebi"};

constexpr std::string_view kAbbreviations[] = {"s",  "ms", "us", "ns", "sec", "b", "kb",
                                               "mb", "gb", "tb", "pb", "m",   "h", "d"};

constexpr std::string_view kTypeWords[] = {"counter", "gauge", "histogram", "summary",
                                           "gauge_histogram"};

bool HasWord(std::string_view name, std::string_view word) {
  const std::string marked = "_" + std::string(word);
  return name.ends_with(marked) || name.find(marked + "_") != std::string_view::npos;
}

std::vector<std::string_view> Words(std::string_view name) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t end = name.find('_');
    words.push_back(name.substr(0, end));
    if (end == std::string_view::npos) return words;
    name.remove_prefix(end + 1);
  }
}

bool IsCamelCase(std::string_view name) {
  for (std::size_t i = 1; i < name.size(); ++i) {
    const bool upper = name[i] >= 'A' && name[i] <= 'Z';
    if (upper && name[i - 1] >= 'a' && name[i - 1] <= 'z') return true;
  }
  return false;
}

// The unit in `name` that is no base unit, with the base unit to use; or empty texts.
std::pair<std::string, std::string_view> ForeignUnit(std::string_view name) {
  const std::vector<std::string_view> words = Words(name);
  for (const auto& [unit, base] : kUnits) {
    for (const std::string_view prefix : kUnitPrefixes) {
      std::string whole = std::string(prefix) + std::string(unit);
      if (std::find(words.begin(), words.end(), whole) == words.end()) continue;
      if (whole == base) return {};
      return {std::move(whole), base};
    }
  }
  return {};
}

class FamilyLinter {
 public:
  FamilyLinter(const std::string& name, const LintFamily& family, std::vector<LintFinding>& out)
      : name_(name), family_(family), out_(out) {}

  void Run() {
    if (family_.help_empty) Say("no help text");
    CheckUnits();
    CheckSuffixes();
    CheckLabels();
    CheckName();
  }

 private:
  void Say(std::string text) { out_.push_back({name_, std::move(text)}); }

  void CheckUnits() {
    const auto [unit, base] = ForeignUnit(name_);
    if (!unit.empty())
      Say("use base unit \"" + std::string(base) + "\" instead of \"" + unit + "\"");
    for (const std::string_view abbreviation : kAbbreviations) {
      if (HasWord(name_, abbreviation)) Say("metric names should not contain abbreviated units");
    }
  }

  void CheckSuffixes() {
    const MetricType type = family_.type;
    const bool total = name_.ends_with("_total");
    if (type == MetricType::kCounter && !total) {
      Say("counter metrics should have \"_total\" suffix");
    }
    if (type == MetricType::kUnknown) return;
    if (type != MetricType::kCounter && total) {
      Say("non-counter metrics should not have \"_total\" suffix");
    }
    const bool histogram = type == MetricType::kHistogram;
    const bool counted = histogram || type == MetricType::kSummary;
    if (!histogram && name_.ends_with("_bucket")) {
      Say("non-histogram metrics should not have \"_bucket\" suffix");
    }
    for (const std::string_view suffix : {"_count", "_sum"}) {
      if (counted || !name_.ends_with(suffix)) continue;
      Say("non-histogram and non-summary metrics should not have \"" + std::string(suffix) +
          "\" suffix");
    }
  }

  void CheckLabels() {
    for (const std::string& label : family_.label_names) {
      if (IsCamelCase(label)) {
        Say("label names should be written in 'snake_case' not 'camelCase'");
      }
    }
    if (family_.type == MetricType::kUnknown) return;
    if (family_.type != MetricType::kHistogram && family_.label_names.contains("le")) {
      Say("non-histogram metrics should not have \"le\" label");
    }
    if (family_.type != MetricType::kSummary && family_.label_names.contains("quantile")) {
      Say("non-summary metrics should not have \"quantile\" label");
    }
  }

  void CheckName() {
    for (const std::string_view word : kTypeWords) {
      if (HasWord(name_, word)) {
        Say("metric name should not include type '" + std::string(word) + "'");
      }
    }
    if (name_.find(':') != std::string::npos) Say("metric names should not contain ':'");
    if (IsCamelCase(name_)) {
      Say("metric names should be written in 'snake_case' not 'camelCase'");
    }
  }

  const std::string& name_;
  const LintFamily& family_;
  std::vector<LintFinding>& out_;
};

// Puts the entries of a page together by family.
class Collector {
 public:
  Collector(std::string_view page, Format format) : format_(format), parser_(page, format) {}

  Result<Families> Run() {
    while (true) {
      const Entry entry = parser_.Next();
      Status status;
      if (entry == Entry::kEnd) return std::move(families_);
      if (entry == Entry::kInvalid) return parser_.error();
      if (entry == Entry::kSample) {
        status = AddSample();
      } else if (entry != Entry::kUnit) {
        status = AddMetadata(entry);
      }
      if (!status) return status.error();
    }
  }

 private:
  Status AddMetadata(Entry entry) {
    present_ = parser_.family();
    LintFamily& family = families_[present_];
    if (entry == Entry::kHelp) {
      if (family.has_help)
        return parser_.Complain("second HELP line for metric name \"" + present_ + "\"");
      family.has_help = true;
      family.help_empty = parser_.help().empty();
      return {};
    }
    if (family.has_type || family.has_samples) {
      return parser_.Complain("second TYPE line for metric name \"" + present_ +
                              "\", or TYPE reported after samples");
    }
    family.has_type = true;
    family.type = parser_.type();
    return {};
  }

  Status AddSample() {
    const ParseSeriesOptions options{.format = format_};
    const Status parsed = ParseSeries(parser_.series(), options, labels_, buffer_);
    if (!parsed) return parser_.Complain(parsed.error().message());
    LintFamily& family = FamilyOf(labels_);
    family.has_samples = true;
    for (const LabelView& label : labels_) {
      if (label.name != kMetricName) family.label_names.emplace(label.name);
    }
    return {};
  }

  LintFamily& FamilyOf(const std::vector<LabelView>& labels) {
    std::string_view name;
    for (const LabelView& label : labels) {
      if (label.name == kMetricName) name = label.value;
    }
    if (const auto at = families_.find(name); at != families_.end()) return at->second;
    for (const std::string_view suffix :
         {"_bucket", "_count", "_sum", "_total", "_created", "_info"}) {
      if (!name.ends_with(suffix)) continue;
      const auto at = families_.find(name.substr(0, name.size() - suffix.size()));
      if (at != families_.end() && Owns(at->second, suffix)) return at->second;
    }
    return families_[std::string(name)];
  }

  bool Owns(const LintFamily& family, std::string_view suffix) const {
    const bool histogram = family.type == MetricType::kHistogram;
    if (suffix == "_bucket") return histogram;
    if (suffix == "_count" || suffix == "_sum") {
      return histogram || family.type == MetricType::kSummary;
    }
    return format_ == Format::kOpenMetrics && family.type != MetricType::kUnknown;
  }

  Format format_;
  PageParser parser_;
  Families families_;
  std::string present_;
  std::vector<LabelView> labels_;
  std::string buffer_;
};

}  // namespace

namespace {

// The first backslash that begins no escape of HELP texts and label values. npos: none.
std::size_t FindBadEscape(std::string_view line) {
  const bool comment = line.starts_with('#');
  if (comment && !line.starts_with("# HELP ")) return std::string_view::npos;
  bool inside = comment;  // of a text, or of the quotes of a label's value
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && !comment) inside = !inside;
    if (!inside || line[i] != '\\') continue;
    ++i;
    const bool known =
        i < line.size() && (line[i] == '\\' || line[i] == 'n' || (line[i] == '"' && !comment));
    if (!known) return i - 1;
  }
  return std::string_view::npos;
}

// What scrapes let pass, but promtool does not.
Status CheckStrictly(std::string_view page) {
  std::size_t number = 1;
  for (; !page.empty(); ++number) {
    const std::size_t end = page.find('\n');
    const std::string_view line = page.substr(0, end);
    if (const std::size_t at = FindBadEscape(line); at != std::string_view::npos) {
      return Invalid("line " + std::to_string(number) + ": invalid escape sequence '" +
                     std::string(line.substr(at, 2)) + "'");
    }
    if (end == std::string_view::npos) {
      return Invalid("line " + std::to_string(number) + ": unexpected end of input");
    }
    page.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace

Result<std::vector<LintFinding>> LintPage(std::string_view page, Format format) {
  if (format == Format::kText) RETURN_IF_ERROR(CheckStrictly(page));
  Result<Families> families = Collector(page, format).Run();
  if (!families) return families.error();
  std::vector<LintFinding> findings;
  for (const auto& [name, family] : *families) {
    // OpenMetrics leaves the suffix of a counter away where it announces it.
    const bool bare_counter = format == Format::kOpenMetrics && family.type == MetricType::kCounter;
    const std::string shown = bare_counter ? name + "_total" : name;
    if (family.has_samples) FamilyLinter(shown, family, findings).Run();
  }
  const auto by_name = [](const LintFinding& a, const LintFinding& b) {
    return std::tie(a.metric, a.text) < std::tie(b.metric, b.text);
  };
  std::stable_sort(findings.begin(), findings.end(), by_name);
  return findings;
}

}  // namespace skep::exposition
