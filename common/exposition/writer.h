// Writes a metrics page into one buffer.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "common/exposition/format.h"

namespace skep::exposition {

using LabelPairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Labels rendered once for many pages: `a="b",c="d"` with escapes, no braces.
std::string RenderLabels(LabelPairs labels);

// Thread-compatible. Families must be contiguous: Family, then all of its samples.
//
// Names are given as in text 0.0.4, counters with their `_total`. In OpenMetrics a counter family
// is announced without
// `_total`; a counter whose name lacks it (node_exporter has some) is announced as unknown, so that
// its name stays what dashboards query.
class PageWriter {
 public:
  // Appends to `page`, which must outlive the writer.
  PageWriter(Format format, std::string& page) : format_(format), page_(page) {}

  Format format() const { return format_; }

  // HELP and TYPE of the samples to come.
  void Family(std::string_view name, std::string_view help, MetricType type,
              std::string_view unit = {});

  // One sample of the present family. NaN and infinities are written as NaN, +Inf, -Inf; others
  // shortest.
  void Sample(LabelPairs labels, double value);
  void Sample(double value) { Sample({}, value); }
  // With labels from RenderLabels.
  void RenderedSample(std::string_view rendered_labels, double value);
  // With a suffix on the family's name: "_bucket", "_sum", "_count".
  void SuffixedSample(std::string_view suffix, std::string_view rendered_labels, double value);

  // "# EOF" where the format has one. Once, at the end.
  void Finish();

 private:
  Format format_;
  std::string& page_;
  std::string name_;  // of the present family's samples
};

}  // namespace skep::exposition
