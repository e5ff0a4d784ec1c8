// From the labels that a page writes to the labels that are stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/exposition/parser.h"
#include "common/model/labels.h"
#include "evaluator/scrape/config.h"

namespace skep::scrape {

// Thread-compatible: keeps buffers between calls.
class SampleLabels {
 public:
  // Both must outlive this. `target_labels` are the target's public ones.
  SampleLabels(const JobOptions& job, const Labels& target_labels)
      : job_(&job), target_labels_(&target_labels) {}

  // The final labels of the parser's present sample: le and quantile in their normal form, target
  // labels added (by honor_labels one side's clashing label yields, in the other case it gets the
  // prefix exported_), metric relabelling applied. Nothing: dropped. An error costs the whole page:
  // series bytes that are none, a limit on labels exceeded, no metric name left.
  Result<std::optional<Labels>> Make(const exposition::PageParser& parser,
                                     exposition::Format format);
  // The same for bytes and type of a sample that was there once; errors name no line.
  Result<std::optional<Labels>> Make(std::string_view series, exposition::MetricType type,
                                     exposition::Format format);

 private:
  void NormalizeBounds(exposition::MetricType type);
  void AddTargetLabels();
  void Yield(LabelsBuilder& builder);
  Status CheckLimits(const Labels& labels) const;
  Status CheckNames(const Labels& labels) const;

  const JobOptions* job_;
  const Labels* target_labels_;
  std::vector<LabelView> pairs_;
  std::string buffer_;
  std::string bound_;
  LabelsBuilder builder_;
};

// `name` with the target's labels: the series that tell about the scrape itself.
Labels ReportLabels(std::string_view name, const Labels& target_labels);

}  // namespace skep::scrape
