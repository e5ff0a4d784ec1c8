#include "evaluator/scrape/sample_labels.h"

#include <algorithm>
#include <utility>

#include "common/base/quote.h"

namespace skep::scrape {
namespace {

using exposition::MetricType;

std::string_view BoundLabel(MetricType type) {
  switch (type) {
    case MetricType::kHistogram:
    case MetricType::kGaugeHistogram:
      return "le";
    case MetricType::kSummary:
      return "quantile";
    case MetricType::kUnknown:
    case MetricType::kCounter:
    case MetricType::kGauge:
    case MetricType::kInfo:
    case MetricType::kStateset:
      return {};
  }
  return {};
}

}  // namespace

Result<std::optional<Labels>> SampleLabels::Make(const exposition::PageParser& parser,
                                                 exposition::Format format) {
  Result<std::optional<Labels>> labels = Make(parser.series(), parser.type(), format);
  if (!labels) return parser.Complain(labels.error().message());
  return labels;
}

Result<std::optional<Labels>> SampleLabels::Make(std::string_view series, MetricType type,
                                                 exposition::Format format) {
  RETURN_IF_ERROR(exposition::ParseSeries(series, {.format = format}, pairs_, buffer_));
  NormalizeBounds(type);
  AddTargetLabels();
  if (!job_->metric_relabel_rules.empty() && !Relabel(job_->metric_relabel_rules, builder_)) {
    return std::optional<Labels>();
  }
  Labels labels = builder_.Build();
  if (labels.empty()) return std::optional<Labels>();
  RETURN_IF_ERROR(CheckNames(labels));
  RETURN_IF_ERROR(CheckLimits(labels));
  return std::optional<Labels>(std::move(labels));
}

void SampleLabels::NormalizeBounds(MetricType type) {
  const std::string_view name = BoundLabel(type);
  if (name.empty()) return;
  for (LabelView& pair : pairs_) {
    if (pair.name != name) continue;
    std::optional<std::string> normal = exposition::NormalizedBound(pair.value);
    if (!normal) return;
    bound_ = *std::move(normal);
    pair.value = bound_;
    return;
  }
}

void SampleLabels::AddTargetLabels() {
  builder_.Clear();
  for (const LabelView& pair : pairs_) builder_.Set(pair.name, pair.value);
  if (!job_->honor_labels) return Yield(builder_);
  for (const LabelView& label : *target_labels_) {
    // A label that the page writes empty is honoured too: that is how a Pushgateway says that the
    // target's own instance must not be put on its series.
    const bool written = std::any_of(pairs_.begin(), pairs_.end(),
                                     [&](const LabelView& p) { return p.name == label.name; });
    if (!written) builder_.Set(label.name, label.value);
  }
}

// The target's labels win; what the page wrote under their names moves to exported_NAME, or a name
// with more such prefixes that is free.
void SampleLabels::Yield(LabelsBuilder& builder) {
  std::vector<LabelView> moved;
  for (const LabelView& label : *target_labels_) {
    for (const LabelView& pair : pairs_) {
      if (pair.name == label.name && !pair.value.empty()) moved.push_back(pair);
    }
    builder.Set(label.name, label.value);
  }
  std::stable_sort(moved.begin(), moved.end(), [](const LabelView& a, const LabelView& b) {
    return a.name.size() < b.name.size();
  });
  for (const LabelView& pair : moved) {
    std::string name = "exported_" + std::string(pair.name);
    while (!builder.Get(name).empty()) name.insert(0, "exported_");
    builder.Set(name, pair.value);
  }
}

Status SampleLabels::CheckNames(const Labels& labels) const {
  const std::string_view name = labels.metric_name();
  if (name.empty()) return Invalid("relabelling left a series without a metric name");
  if (!job_->legacy_names) return {};
  if (!IsLegacyMetricName(name)) return Invalid("invalid metric name " + Quote(name));
  for (const LabelView& label : labels) {
    if (!IsLegacyLabelName(label.name)) return Invalid("invalid label name " + Quote(label.name));
  }
  return {};
}

Status SampleLabels::CheckLimits(const Labels& labels) const {
  const Limits& limits = job_->limits;
  const auto over = [&](std::string_view what, std::size_t is, std::uint64_t limit) {
    return Invalid(std::string(what) + " exceeded: " + std::to_string(is) + " of at most " +
                   std::to_string(limit) + " (metric " + Quote(labels.metric_name().substr(0, 50)) +
                   ")");
  };
  if (limits.labels != 0 && labels.size() > limits.labels) {
    return over("label_limit", labels.size(), limits.labels);
  }
  if (limits.label_name_length == 0 && limits.label_value_length == 0) return {};
  for (const LabelView& label : labels) {
    if (limits.label_name_length != 0 && label.name.size() > limits.label_name_length) {
      return over("label_name_length_limit", label.name.size(), limits.label_name_length);
    }
    if (limits.label_value_length != 0 && label.value.size() > limits.label_value_length) {
      return over("label_value_length_limit", label.value.size(), limits.label_value_length);
    }
  }
  return {};
}

Labels ReportLabels(std::string_view name, const Labels& target_labels) {
  LabelsBuilder builder(target_labels);
  builder.Set(kMetricName, name);
  return builder.Build();
}

}  // namespace skep::scrape
