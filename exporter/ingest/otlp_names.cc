#include "exporter/ingest/otlp_names.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/base/ascii.h"

namespace skep::ingest {
namespace {

using Words = std::vector<std::string>;
using UnitName = std::pair<std::string_view, std::string_view>;

constexpr UnitName kUnits[] = {
    {"d", "days"},
    {"h", "hours"},
    {"min", "minutes"},
    {"s", "seconds"},
    {"ms", "milliseconds"},
    {"us", "microseconds"},
    {"ns", "nanoseconds"},
    {"By", "bytes"},
    {"KiBy", "kibibytes"},
    {"MiBy", "mebibytes"},
    {"GiBy", "gibibytes"},
    {"TiBy", "tibibytes"},
    {"KBy", "kilobytes"},
    {"MBy", "megabytes"},
    {"GBy", "gigabytes"},
    {"TBy", "terabytes"},
    {"m", "meters"},
    {"V", "volts"},
    {"A", "amperes"},
    {"J", "joules"},
    {"W", "watts"},
    {"g", "grams"},
    {"Cel", "celsius"},
    {"Hz", "hertz"},
    {"1", ""},
    {"%", "percent"},
};

constexpr UnitName kPerUnits[] = {
    {"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"},
    {"w", "week"},   {"mo", "month"}, {"y", "year"},
};

bool IsWordByte(char c) { return IsLetter(c) || IsDigit(c) || c == ':'; }

// The runs of bytes that a metric name may have, without the underscores between them.
Words SplitWords(std::string_view text) {
  Words words;
  bool inside = false;
  for (const char c : text) {
    if (!IsWordByte(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    words.back().push_back(c);
  }
  return words;
}

std::string Join(const Words& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out.push_back('_');
    out.append(word);
  }
  return out;
}

// The unit's word, or the unit as it is; "" for annotations ("{task}").
template <std::size_t N>
std::string UnitWord(std::string_view unit, const UnitName (&names)[N]) {
  unit = Trim(unit);
  if (unit.find_first_of("{}") != std::string_view::npos) return "";
  const auto* const found =
      std::find_if(names, names + N, [&](const UnitName& one) { return one.first == unit; });
  return Join(SplitWords(found == names + N ? unit : found->second));
}

void Remove(Words& words, std::string_view word) { std::erase(words, word); }

void AppendMissing(Words& words, std::string word) {
  const bool known = word.empty() || std::find(words.begin(), words.end(), word) != words.end();
  if (!known) words.push_back(std::move(word));
}

void AppendUnit(Words& words, std::string_view unit) {
  const std::size_t slash = unit.find('/');
  std::string per =
      slash == std::string_view::npos ? "" : UnitWord(unit.substr(slash + 1), kPerUnits);
  if (!per.empty()) per.insert(0, "per_");
  AppendMissing(words, UnitWord(unit.substr(0, slash), kUnits));
  AppendMissing(words, std::move(per));
}

}  // namespace

std::string PrometheusMetricName(const Metric& metric) {
  Words words = SplitWords(metric.name);
  if (words.empty()) return "";
  AppendUnit(words, metric.unit);
  if (metric.kind == MetricKind::kSum && metric.monotonic) {
    Remove(words, "total");
    words.emplace_back("total");
  }
  if (metric.kind == MetricKind::kGauge && metric.unit == "1") {
    Remove(words, "ratio");
    words.emplace_back("ratio");
  }
  std::string name = Join(words);
  return IsDigit(name.front()) ? "_" + name : name;
}

std::string PrometheusLabelName(std::string_view attribute) {
  std::string name(attribute);
  // One underscore for a character, however many bytes it has.
  std::erase_if(name, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; });
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !IsWordByte(c) || c == ':'; }, '_');
  if (name.find_first_not_of('_') == std::string::npos) return "";
  if (name.starts_with("__") || name == "le" || name == "quantile") return "attribute_" + name;
  if (IsDigit(name.front())) return "key_" + name;
  return name.front() == '_' ? "key" + name : name;
}

}  // namespace skep::ingest
