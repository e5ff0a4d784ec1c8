#include "evaluator/engine/annotations.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/base/time.h"

namespace skep::engine {
namespace {

std::string WithPlace(std::string_view kind, std::string_view text, std::string_view query,
                      promql::PosRange place) {
  std::string out(kind);
  out.append(text).append(" (").append(promql::FormatPosition(query, place.start)).append(")");
  return out;
}

// As Go's %.2g.
std::string TwoDigits(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2g", value);
  return buffer.data();
}

constexpr std::string_view kWarning = "PromQL warning: ";
constexpr std::string_view kInfo = "PromQL info: ";
constexpr std::string_view kMonotonicity =
    "input to histogram_quantile needed to be fixed for monotonicity (see "
    "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";

}  // namespace

void Annotations::Warn(std::string_view text, promql::PosRange place) {
  if (warnings_.find(text) == warnings_.end()) warnings_.emplace(text, place);
}

void Annotations::Info(std::string_view text, promql::PosRange place) {
  if (infos_.find(text) == infos_.end()) infos_.emplace(text, place);
}

void Annotations::ForcedMonotonicity(std::string_view metric_name, promql::PosRange place,
                                     std::int64_t time_ms, const Monotonicity& what) {
  const auto [at, added] = fixes_.try_emplace(std::string(metric_name));
  Fixes& fixes = at->second;
  if (added) fixes = {what, time_ms, time_ms, 0, place};
  fixes.what.lowest_bucket = std::min(fixes.what.lowest_bucket, what.lowest_bucket);
  fixes.what.highest_bucket = std::max(fixes.what.highest_bucket, what.highest_bucket);
  fixes.what.largest_fall = std::max(fixes.what.largest_fall, what.largest_fall);
  fixes.first_ms = std::min(fixes.first_ms, time_ms);
  fixes.last_ms = std::max(fixes.last_ms, time_ms);
  ++fixes.count;
}

std::vector<std::string> Annotations::Warnings(std::string_view query) const {
  std::vector<std::string> out;
  for (const auto& [text, place] : warnings_) {
    out.push_back(WithPlace(kWarning, text, query, place));
  }
  return out;
}

std::vector<std::string> Annotations::Infos(std::string_view query) const {
  std::vector<std::string> out;
  for (const auto& [text, place] : infos_) out.push_back(WithPlace(kInfo, text, query, place));
  for (const auto& [name, fixes] : fixes_) {
    std::string text(kMonotonicity);
    if (!name.empty()) text += " for metric name " + Quote(name);
    text += ", from buckets " + FormatDouble(fixes.what.lowest_bucket) + " to " +
            FormatDouble(fixes.what.highest_bucket) + ", with a max diff of " +
            TwoDigits(fixes.what.largest_fall) + ", over " + std::to_string(fixes.count) +
            " samples from " + FormatTimestamp(FromMillis(fixes.first_ms / 1000 * 1000)) + " to " +
            FormatTimestamp(FromMillis(fixes.last_ms / 1000 * 1000));
    out.push_back(WithPlace(kInfo, text, query, fixes.place));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace skep::engine
