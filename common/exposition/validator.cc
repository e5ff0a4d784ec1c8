#include "common/exposition/validator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <unordered_set>

#include "common/base/number.h"
#include "common/exposition/parser.h"

namespace skep::exposition {
namespace {

// What may stand behind the family's name in its samples.
std::span<const std::string_view> Suffixes(MetricType type) {
  static constexpr std::string_view kPlain[] = {""};
  static constexpr std::string_view kCounter[] = {"_total", "_created"};
  static constexpr std::string_view kSummary[] = {"", "_count", "_sum", "_created"};
  static constexpr std::string_view kHistogram[] = {"_bucket", "_count", "_sum", "_created"};
  static constexpr std::string_view kGaugeHistogram[] = {"_bucket", "_gcount", "_gsum"};
  static constexpr std::string_view kInfo[] = {"_info"};
  switch (type) {
    case MetricType::kCounter:
      return kCounter;
    case MetricType::kSummary:
      return kSummary;
    case MetricType::kHistogram:
      return kHistogram;
    case MetricType::kGaugeHistogram:
      return kGaugeHistogram;
    case MetricType::kInfo:
      return kInfo;
    case MetricType::kUnknown:
    case MetricType::kGauge:
    case MetricType::kStateset:
      return kPlain;
  }
  return kPlain;
}

bool IsHistogramLike(MetricType type) {
  return type == MetricType::kHistogram || type == MetricType::kGaugeHistogram;
}

// One histogram at one time: what its lines said so far.
struct HistogramPoint {
  std::optional<double> last_bound, last_value;
  std::optional<double> sum, count;
  bool negative_bound = false;
  int line = 0;  // of its first sample
};

std::size_t CodePoints(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

class Validator {
 public:
  explicit Validator(std::string_view page) : parser_(page, Format::kOpenMetrics) {}

  Status Run();

 private:
  struct Family {
    std::string name;
    std::optional<MetricType> type;
    std::optional<std::string> unit;
    bool has_help = false;
    bool has_samples = false;
    int line = 0;

    MetricType type_or_unknown() const { return type.value_or(MetricType::kUnknown); }
  };

  Error Complain(int line, std::string_view message) const {
    return Invalid("line " + std::to_string(line) + ": " + std::string(message));
  }
  Status Metadata(Entry entry);
  Status SetMetadata(Entry entry);
  Status Sample();
  Status StartFamily(std::string_view name);
  Status FinishFamily();
  // The suffix by which `name` belongs to the present family.
  std::optional<std::string_view> SuffixOf(std::string_view name) const;

  std::string_view Label(std::string_view name) const;
  Status CheckValue(std::string_view suffix) const;
  Status CheckTypeLabels(std::string_view suffix) const;
  Status CheckExemplar(std::string_view suffix);
  Status CheckGroup(std::string_view suffix);
  Status EnterPoint();
  Status AddToHistogram(std::string_view suffix);
  Status AddBucket();
  Status FinishPoint();

  PageParser parser_;
  std::optional<Family> family_;
  std::unordered_set<std::string> names_;   // all that the families so far occupy
  std::unordered_set<std::string> groups_;  // of the present family
  std::unordered_set<std::string> series_;  // without time stamp, of the present group
  std::string group_;
  std::optional<double> group_time_;
  bool in_group_ = false;
  std::optional<HistogramPoint> point_;
  std::vector<LabelView> labels_;
  std::string buffer_;
};

Status Validator::Run() {
  while (true) {
    const Entry entry = parser_.Next();
    switch (entry) {
      case Entry::kInvalid:
        return parser_.error();
      case Entry::kEnd:
        return FinishFamily();
      case Entry::kSample:
        RETURN_IF_ERROR(Sample());
        break;
      case Entry::kType:
      case Entry::kHelp:
      case Entry::kUnit:
        RETURN_IF_ERROR(Metadata(entry));
        break;
    }
  }
}

Status Validator::Metadata(Entry entry) {
  if (!family_ || family_->name != parser_.family()) {
    RETURN_IF_ERROR(StartFamily(parser_.family()));
  } else if (family_->has_samples) {
    return parser_.Complain("metadata of " + family_->name + " after its samples");
  }
  return SetMetadata(entry);
}

Status Validator::SetMetadata(Entry entry) {
  const bool repeated = (entry == Entry::kHelp && family_->has_help) ||
                        (entry == Entry::kType && family_->type) ||
                        (entry == Entry::kUnit && family_->unit);
  if (repeated) return parser_.Complain("metadata of " + family_->name + " repeated");
  if (entry == Entry::kHelp) family_->has_help = true;
  if (entry == Entry::kType) family_->type = parser_.type();
  if (entry != Entry::kUnit) return {};
  family_->unit = parser_.unit();
  if (!family_->unit->empty() && !family_->name.ends_with("_" + *family_->unit)) {
    return parser_.Complain("unit " + *family_->unit + " is not the end of name " + family_->name);
  }
  return {};
}

Status Validator::StartFamily(std::string_view name) {
  RETURN_IF_ERROR(FinishFamily());
  family_.emplace();
  family_->name = name;
  family_->line = parser_.line();
  return {};
}

Status Validator::FinishFamily() {
  if (!family_) return {};
  RETURN_IF_ERROR(FinishPoint());
  const MetricType type = family_->type_or_unknown();
  const bool unitless = type == MetricType::kInfo || type == MetricType::kStateset;
  if (unitless && family_->unit && !family_->unit->empty()) {
    return Complain(family_->line, family_->name + " has a unit, but its type has none");
  }
  std::vector<std::string> occupied = {family_->name};
  for (const std::string_view suffix : Suffixes(type)) {
    if (!suffix.empty()) occupied.push_back(family_->name + std::string(suffix));
  }
  for (std::string& name : occupied) {
    const auto [at, is_new] = names_.insert(std::move(name));
    if (!is_new) return Complain(family_->line, "name " + *at + " clashes with an earlier family");
  }
  groups_.clear();
  series_.clear();
  in_group_ = false;
  family_.reset();
  return {};
}

std::optional<std::string_view> Validator::SuffixOf(std::string_view name) const {
  if (!family_ || !name.starts_with(family_->name)) return std::nullopt;
  const std::string_view rest = name.substr(family_->name.size());
  for (const std::string_view suffix : Suffixes(family_->type_or_unknown())) {
    if (rest == suffix) return suffix;
  }
  return std::nullopt;
}

Status Validator::Sample() {
  const ParseSeriesOptions options{
      .format = Format::kOpenMetrics, .strict = true, .needs_name = true};
  if (const Status parsed = ParseSeries(parser_.series(), options, labels_, buffer_); !parsed) {
    return parser_.Complain(parsed.error().message());
  }
  const std::string name(Label(kMetricName));
  std::optional<std::string_view> suffix = SuffixOf(name);
  if (!suffix) {
    RETURN_IF_ERROR(StartFamily(name));
    suffix = "";
  }
  family_->has_samples = true;
  RETURN_IF_ERROR(CheckTypeLabels(*suffix));
  RETURN_IF_ERROR(CheckValue(*suffix));
  RETURN_IF_ERROR(CheckGroup(*suffix));
  if (IsHistogramLike(family_->type_or_unknown())) RETURN_IF_ERROR(AddToHistogram(*suffix));
  return CheckExemplar(*suffix);
}

std::string_view Validator::Label(std::string_view name) const {
  for (const LabelView& label : labels_) {
    if (label.name == name) return label.value;
  }
  return {};
}

Status Validator::CheckTypeLabels(std::string_view suffix) const {
  const MetricType type = family_->type_or_unknown();
  if (type == MetricType::kSummary && suffix.empty()) {
    const std::optional<double> quantile = ParseDouble(Label("quantile"));
    if (!quantile || !(*quantile >= 0 && *quantile <= 1)) {
      return parser_.Complain("a summary needs a label quantile from 0 to 1");
    }
  }
  if (type == MetricType::kStateset && Label(family_->name).empty()) {
    return parser_.Complain("a stateset needs a label " + family_->name);
  }
  return {};
}

Status Validator::CheckValue(std::string_view suffix) const {
  const double value = parser_.value();
  const MetricType type = family_->type_or_unknown();
  if (type == MetricType::kInfo && value != 1) return parser_.Complain("an info's value is 1");
  if (type == MetricType::kStateset && value != 0 && value != 1) {
    return parser_.Complain("a stateset's values are 0 and 1");
  }
  if (type == MetricType::kSummary && suffix.empty() && value < 0) {
    return parser_.Complain("a quantile is negative");
  }
  static constexpr std::string_view kCounterLike[] = {"_total", "_bucket", "_count",
                                                      "_sum",   "_gcount", "_created"};
  const bool counter_like =
      std::find(std::begin(kCounterLike), std::end(kCounterLike), suffix) != std::end(kCounterLike);
  if (std::isnan(value) && (counter_like || suffix == "_gsum")) {
    return parser_.Complain("a counting sample is NaN");
  }
  if (counter_like && value < 0) return parser_.Complain("a counting sample is negative");
  return {};
}

Status Validator::CheckExemplar(std::string_view suffix) {
  const std::optional<ExemplarView>& exemplar = parser_.exemplar();
  if (!exemplar) return {};
  if (suffix != "_bucket" && suffix != "_total") {
    return parser_.Complain("an exemplar may only stand at a counter or a bucket");
  }
  const ParseSeriesOptions options{
      .format = Format::kOpenMetrics, .strict = true, .needs_name = false};
  const Status parsed = ParseSeries(exemplar->labels, options, labels_, buffer_);
  if (!parsed) return parser_.Complain("exemplar: " + parsed.error().message());
  std::size_t length = 0;
  for (const LabelView& label : labels_) length += CodePoints(label.name) + CodePoints(label.value);
  constexpr std::size_t kLongest = 128;
  if (length > kLongest) return parser_.Complain("an exemplar's labels exceed 128 characters");
  return {};
}

// A family's samples of one group (the labels but le, quantile, state) stand together, and its time
// stamps do not fall.
Status Validator::CheckGroup(std::string_view suffix) {
  const MetricType type = family_->type_or_unknown();
  std::vector<LabelView> key;
  for (const LabelView& label : labels_) {
    const bool inner =
        label.name == kMetricName || (suffix == "_bucket" && label.name == "le") ||
        (type == MetricType::kSummary && suffix.empty() && label.name == "quantile") ||
        (type == MetricType::kStateset && label.name == family_->name);
    if (!inner) key.push_back(label);
  }
  std::string group = Labels::FromPairs(key).ToString();
  if (!in_group_ || group != group_) {
    RETURN_IF_ERROR(FinishPoint());
    if (!groups_.insert(group).second) {
      return parser_.Complain("samples of " + family_->name + group + " do not stand together");
    }
    group_ = std::move(group);
    in_group_ = true;
    series_.clear();
    group_time_.reset();
    if (parser_.timestamp()) group_time_ = ParseDouble(parser_.timestamp_text());
  } else {
    RETURN_IF_ERROR(EnterPoint());
  }
  if (!group_time_ && !series_.insert(std::string(parser_.series())).second) {
    return parser_.Complain("the same series twice");
  }
  return {};
}

Status Validator::EnterPoint() {
  if (parser_.timestamp().has_value() != group_time_.has_value()) {
    return parser_.Complain("time stamps on some samples of a group only");
  }
  if (!group_time_) return {};
  const std::optional<double> time = ParseDouble(parser_.timestamp_text());
  if (time < group_time_) return parser_.Complain("time stamps of a group go backwards");
  if (time != group_time_) RETURN_IF_ERROR(FinishPoint());
  group_time_ = time;
  return {};
}

Status Validator::AddToHistogram(std::string_view suffix) {
  if (!point_) {
    point_.emplace();
    point_->line = parser_.line();
  }
  if (suffix == "_bucket") return AddBucket();
  if (suffix == "_sum" || suffix == "_gsum") point_->sum = parser_.value();
  if (suffix == "_count" || suffix == "_gcount") point_->count = parser_.value();
  return {};
}

Status Validator::AddBucket() {
  const std::string_view text = Label("le");
  const std::optional<double> bound = ParseDouble(text);
  if (!bound || std::isnan(*bound) ||
      (*bound == std::numeric_limits<double>::infinity() && text != "+Inf")) {
    return parser_.Complain("a bucket needs a label le with a number or +Inf");
  }
  if (point_->last_bound && *bound <= *point_->last_bound) {
    return parser_.Complain("buckets are not in rising order");
  }
  if (point_->last_value && parser_.value() < *point_->last_value) {
    return parser_.Complain("bucket values fall");
  }
  point_->negative_bound |= *bound < 0;
  point_->last_bound = bound;
  point_->last_value = parser_.value();
  return {};
}

Status Validator::FinishPoint() {
  if (!point_) return {};
  const HistogramPoint point = *point_;
  point_.reset();
  if (point.last_bound != std::numeric_limits<double>::infinity()) {
    return Complain(point.line, "a histogram without bucket +Inf");
  }
  if (point.sum.has_value() != point.count.has_value()) {
    return Complain(point.line, "a histogram has a sum if and only if it has a count");
  }
  if (point.count && *point.count != *point.last_value) {
    return Complain(point.line, "a histogram's count differs from its bucket +Inf");
  }
  const bool gauge = family_->type_or_unknown() == MetricType::kGaugeHistogram;
  if (point.sum && point.negative_bound && !gauge) {
    return Complain(point.line, "a histogram with negative buckets has a sum");
  }
  if (point.sum && *point.sum < 0 && !point.negative_bound) {
    return Complain(point.line, "a negative sum without negative buckets");
  }
  return {};
}

}  // namespace

Status ValidateOpenMetrics(std::string_view page) { return Validator(page).Run(); }

}  // namespace skep::exposition
