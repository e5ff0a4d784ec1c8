#include "evaluator/transfer/export.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "common/base/number.h"
#include "common/model/sample.h"

namespace skep::transfer {
namespace {

constexpr std::size_t kPieceBytes = 256UL << 10;

void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '\n') {
      out.append("\\n");
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

// name{a="b"}; a name that is not a legacy one stands quoted inside the braces.
std::string SeriesText(const Labels& labels) {
  const std::string_view name = labels.metric_name();
  const bool bare = IsLegacyMetricName(name);
  std::string text(bare ? name : "");
  std::string inside;
  if (!bare) AppendQuoted(inside, name);
  for (const auto& [label, value] : labels) {
    if (label == kMetricName) continue;
    if (!inside.empty()) inside.push_back(',');
    if (IsLegacyLabelName(label)) {
      inside.append(label);
    } else {
      AppendQuoted(inside, label);
    }
    inside.push_back('=');
    AppendQuoted(inside, value);
  }
  if (!inside.empty()) text.append("{").append(inside).append("}");
  return text;
}

// OpenMetrics has seconds with a fraction, Prometheus's text milliseconds.
void AppendTime(std::string& out, Timestamp time, exposition::Format format) {
  const std::int64_t millis = ToMillis(time);
  std::array<char, 32> text{};
  if (format == exposition::Format::kOpenMetrics) {
    std::snprintf(text.data(), text.size(), "%s%lld.%03lld", millis < 0 ? "-" : "",
                  std::abs(static_cast<long long>(millis / 1000)),
                  std::abs(static_cast<long long>(millis % 1000)));
  } else {
    std::snprintf(text.data(), text.size(), "%lld", static_cast<long long>(millis));
  }
  out.append(text.data());
}

class Exporter {
 public:
  Exporter(const ExportOptions& options, const std::function<bool(std::string_view)>& write)
      : options_(options), write_(write) {}

  Status WriteAll(storage::SeriesSet& set);
  Status Finish() {
    if (options_.format == exposition::Format::kOpenMetrics) out_.append("# EOF\n");
    return Flush();
  }
  const ExportSummary& summary() const { return summary_; }

 private:
  bool IsWanted(const Labels& labels) const {
    return options_.selectors.size() <= 1 ||
           std::any_of(options_.selectors.begin(), options_.selectors.end(),
                       [&](const auto& matchers) { return MatchesAll(matchers, labels); });
  }
  Status WriteSeries(const Labels& labels);
  Status PassOver(const Error& error) const;
  Status Flush() {
    if (!write_(out_)) return Error(ErrorKind::kCanceled, "nobody reads what is exported");
    out_.clear();
    return {};
  }

  const ExportOptions& options_;
  const std::function<bool(std::string_view)>& write_;
  ExportSummary summary_;
  storage::SampleColumns samples_;
  std::string out_;
};

Status Exporter::WriteSeries(const Labels& labels) {
  const std::string series = SeriesText(labels);
  const std::uint64_t before = summary_.samples;
  for (std::size_t i = 0; i < samples_.times.size(); ++i) {
    if (IsStaleNaN(samples_.values[i])) {
      ++summary_.stale_markers;
      continue;
    }
    ++summary_.samples;
    out_.append(series).push_back(' ');
    AppendDouble(out_, samples_.values[i]);
    out_.push_back(' ');
    AppendTime(out_, samples_.times[i], options_.format);
    out_.push_back('\n');
    if (out_.size() > kPieceBytes) RETURN_IF_ERROR(Flush());
  }
  summary_.histograms += samples_.histograms.size();
  if (summary_.samples > before) ++summary_.series;
  return {};
}

Status Exporter::WriteAll(storage::SeriesSet& set) {
  while (set.Next()) {
    if (!IsWanted(set.labels())) continue;
    samples_.clear();
    const Status read = set.ReadSamples(samples_);
    if (!read) {
      RETURN_IF_ERROR(PassOver(read.error().Wrap(set.labels().ToString())));
      continue;
    }
    RETURN_IF_ERROR(WriteSeries(set.labels()));
  }
  for (const std::string& warning : set.Warnings()) RETURN_IF_ERROR(PassOver(Corrupt(warning)));
  return {};
}

Status Exporter::PassOver(const Error& error) const {
  if (error.kind() != ErrorKind::kCorrupt || !options_.on_damage) return error;
  options_.on_damage("left out: " + error.message());
  return {};
}

}  // namespace

Result<ExportSummary> Export(storage::Queryable& store, const ExportOptions& options,
                             const std::function<bool(std::string_view)>& write) {
  Result<std::unique_ptr<storage::Querier>> querier = store.NewQuerier(options.range);
  if (!querier) return querier.error();
  // Of several selectors all series are walked: a series that two of them accept comes once.
  const std::vector<Matcher> all;
  const std::vector<Matcher>& matchers = options.selectors.size() == 1 ? options.selectors[0] : all;
  Result<std::unique_ptr<storage::SeriesSet>> set = (*querier)->Select(matchers, options.range);
  if (!set) return set.error();
  Exporter exporter(options, write);
  RETURN_IF_ERROR(exporter.WriteAll(**set));
  RETURN_IF_ERROR(exporter.Finish());
  return exporter.summary();
}

}  // namespace skep::transfer
