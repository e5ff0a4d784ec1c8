#include "exporter/collectors/textfile_page.h"

#include <algorithm>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/exposition/parser.h"
#include "common/model/labels.h"

namespace skep::exporter {

namespace {

using exposition::Entry;
using exposition::MetricType;
using exposition::PageParser;

bool IsTextType(MetricType type) {
  switch (type) {
    case MetricType::kUnknown:
    case MetricType::kCounter:
    case MetricType::kGauge:
    case MetricType::kHistogram:
    case MetricType::kSummary:
      return true;
    case MetricType::kGaugeHistogram:
    case MetricType::kInfo:
    case MetricType::kStateset:
      return false;
  }
  return false;
}

// Which suffixes belong to a family rather than to a name of its own.
bool HasSuffix(MetricType type, std::string_view suffix) {
  bool parts = suffix == "_sum" || suffix == "_count";
  if (type == MetricType::kSummary) return parts;
  return type == MetricType::kHistogram && (parts || suffix == "_bucket");
}

// Equal for equal series, whatever the order of their labels.
std::string SeriesKey(const TextfileSample& sample) {
  std::vector<std::pair<std::string, std::string>> labels = sample.labels;
  std::sort(labels.begin(), labels.end());
  std::string key = sample.suffix;
  for (const auto& [name, value] : labels) key += '\xff' + name + '\xff' + value;
  return key;
}

// "1.0" and "1" are one bound: written as a number is.
std::string Bound(std::string_view text) {
  std::optional<double> number = ParseDouble(text);
  return number ? FormatDouble(*number) : std::string(text);
}

void NormalizeBounds(MetricType type, TextfileSample& sample) {
  for (auto& [name, value] : sample.labels) {
    bool is_bound = (type == MetricType::kHistogram && name == "le") ||
                    (type == MetricType::kSummary && name == "quantile");
    if (is_bound) value = Bound(value);
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : parser_(text, exposition::Format::kText) {}

  Result<TextfileFamilies> Run() {
    for (;;) {
      switch (parser_.Next()) {
        case Entry::kEnd:
          return std::move(families_);
        case Entry::kInvalid:
          return parser_.error();
        case Entry::kHelp:
          families_[std::string(parser_.family())].help = std::string(parser_.help());
          break;
        case Entry::kUnit:
          break;
        case Entry::kType:
          RETURN_IF_ERROR(Type());
          break;
        case Entry::kSample:
          RETURN_IF_ERROR(Sample());
          break;
      }
    }
  }

 private:
  Status Type() {
    if (!IsTextType(parser_.type())) {
      return parser_.Complain("type " + std::string(exposition::MetricTypeName(parser_.type())) +
                              " is not one of text 0.0.4");
    }
    TextfileFamily& family = families_[std::string(parser_.family())];
    if (!family.samples.empty()) return parser_.Complain("TYPE behind the family's samples");
    family.type = parser_.type();
    return {};
  }

  Status Sample() {
    if (parser_.timestamp()) return parser_.Complain("a time stamp: the time is the scrape's");
    Status parsed = exposition::ParseSeries(parser_.series(), {}, labels_, buffer_);
    if (!parsed) return parser_.Complain(parsed.error().message());
    TextfileSample sample;
    sample.value = parser_.value();
    std::string_view name;
    for (const LabelView& label : labels_) {
      if (label.name == kMetricName) {
        name = label.value;
      } else if (!label.value.empty()) {
        sample.labels.emplace_back(label.name, label.value);
      }
    }
    return Keep(name, std::move(sample));
  }

  Status Keep(std::string_view name, TextfileSample sample) {
    std::string family = FamilyOf(name);
    sample.suffix = name.substr(family.size());
    NormalizeBounds(families_[family].type, sample);
    if (!seen_.insert(family + SeriesKey(sample)).second) {
      return parser_.Complain("series " + std::string(parser_.series()) + " a second time");
    }
    families_[family].samples.push_back(std::move(sample));
    return {};
  }

  // The histogram or summary that announced such a sample, else the name itself.
  std::string FamilyOf(std::string_view name) const {
    for (std::string_view suffix : {"_bucket", "_sum", "_count"}) {
      if (!name.ends_with(suffix)) continue;
      std::string_view stem = name.substr(0, name.size() - suffix.size());
      auto at = families_.find(stem);
      if (at != families_.end() && HasSuffix(at->second.type, suffix)) return std::string(stem);
    }
    return std::string(name);
  }

  PageParser parser_;
  TextfileFamilies families_;
  std::set<std::string> seen_;
  std::vector<LabelView> labels_;
  std::string buffer_;
};

}  // namespace

Result<TextfileFamilies> ParseTextfile(std::string_view text) { return Reader(text).Run(); }

Status TextfilePage::Add(const std::string& path, const TextfileFamilies& families) {
  for (const auto& [name, family] : families) {
    auto at = families_.find(name);
    if (at == families_.end() || family.samples.empty()) continue;
    if (at->second.type != family.type) {
      return Invalid("family " + Quote(name) + " is a " +
                     std::string(exposition::MetricTypeName(family.type)) + " here and a " +
                     std::string(exposition::MetricTypeName(at->second.type)) + " in " +
                     at->second.paths);
    }
    for (const TextfileSample& sample : family.samples) {
      if (at->second.series.count(SeriesKey(sample)) > 0) {
        return Invalid("a series of family " + Quote(name) + " is in " + at->second.paths + " too");
      }
    }
  }
  for (const auto& [name, family] : families) {
    if (family.samples.empty()) continue;  // HELP or TYPE of nothing
    auto at = families_.find(name);
    if (at == families_.end())
      at = families_.emplace(name, Family{family.type, {}, "", {}, {}}).first;
    Family& merged = at->second;
    if (!merged.help) merged.help = family.help;
    merged.paths += (merged.paths.empty() ? "" : ", ") + path;
    for (const TextfileSample& sample : family.samples) {
      merged.samples.push_back(&sample);
      merged.series.insert(SeriesKey(sample));
    }
  }
  return {};
}

void TextfilePage::Write(exposition::PageWriter& page) const {
  std::string labels;
  for (const auto& [name, family] : families_) {
    page.Family(name, family.help.value_or("Metric read from " + family.paths), family.type);
    for (const TextfileSample* sample : family.samples) {
      labels.clear();
      for (const auto& [label, value] : sample->labels) {
        exposition::AppendRenderedLabel(labels, label, value, page.escaping());
      }
      page.SuffixedSample(sample->suffix, labels, sample->value);
    }
  }
}

}  // namespace skep::exporter
