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
std::string RenderLabels(LabelPairs labels, NameEscaping escaping = NameEscaping::kUnderscores);
// One more label behind what `out` already holds.
void AppendRenderedLabel(std::string& out, std::string_view name, std::string_view value,
                         NameEscaping escaping = NameEscaping::kUnderscores);

// Thread-compatible. Families must be contiguous: Family, then all of its samples.
//
// Names are given as in text 0.0.4, counters with their `_total`. In OpenMetrics a counter family
// is announced without
// `_total`; a counter whose name lacks it (node_exporter has some) is announced as unknown, so that
// its name stays what dashboards query. An info family is named with its `_info`. Text 0.0.4 has no
// info, stateset and gaugehistogram: they are announced as gauge, gauge and histogram there, and
// the suffixes _gcount and _gsum become _count and _sum.
class PageWriter {
 public:
  // Appends to `page`, which must outlive the writer.
  PageWriter(Format format, std::string& page, NameEscaping escaping = NameEscaping::kUnderscores)
      : format_(format), escaping_(escaping), page_(page) {}

  Format format() const { return format_; }
  NameEscaping escaping() const { return escaping_; }

  // HELP and TYPE of the samples to come. `unit` is told in OpenMetrics where the name ends with
  // it.
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

  // Sample lines of the present family as the caller has them, each ended by a newline: for pages
  // of many series whose owner keeps all of a line but its value as text. The name must be a legacy
  // one.
  void PreparedLines(std::string_view lines) { page_.append(lines); }

  // "# EOF" where the format has one. Once, at the end.
  void Finish();

 private:
  // `# KEY name text`; a name that is not legacy stands in quotes.
  void Metadata(std::string_view key, std::string_view name, std::string_view text);
  void OpenMetricsFamily(std::string_view help, MetricType type, std::string_view unit);
  // Everything of a sample line before its labels, and behind them.
  void BeginSample(std::string_view suffix, bool has_labels);
  void EndSample(bool has_labels, double value);

  Format format_;
  NameEscaping escaping_;
  std::string& page_;
  std::string name_;     // of the present family's samples
  bool quoted_ = false;  // name_ is no legacy name and stands inside the braces
  bool is_gauge_histogram_ = false;
};

}  // namespace skep::exposition
