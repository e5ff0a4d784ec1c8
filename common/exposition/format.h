// The two text forms of a metrics page, and choosing between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace skep::exposition {

enum class Format : std::uint8_t { kText, kOpenMetrics };  // text 0.0.4; OpenMetrics 1.0.0

enum class MetricType : std::uint8_t {
  kUnknown,
  kCounter,
  kGauge,
  kHistogram,
  kGaugeHistogram,
  kSummary,
  kInfo,
  kStateset
};

// "unknown", "counter", ... as OpenMetrics spells it; text 0.0.4 says "untyped" for unknown and has
// no gaugehistogram, info and stateset.
std::string_view MetricTypeName(MetricType type);
// Back; "untyped" is kUnknown as well. Nothing where the word is none of them.
std::optional<MetricType> ParseMetricType(std::string_view name);

// What becomes of a metric or label name that is more than letters, digits, '_' and ':'.
enum class NameEscaping : std::uint8_t {
  kUnderscores,  // each foreign byte becomes '_': what every reader understands
  kAllowUtf8,    // written quoted: {"my.metric", "my.label"="x"}
};

// By an Accept header, as Prometheus and curl send it: the highest q of the forms that we have
// counts, and of equal ones the first. Anything unknown or absent: text 0.0.4.
Format NegotiateFormat(std::string_view accept);
// By the same header: kAllowUtf8 where the element that decided says escaping=allow-utf-8.
NameEscaping NegotiateEscaping(std::string_view accept);

// The form of a page that came with this Content-Type header; nothing where it is neither.
std::optional<Format> FormatOfContentType(std::string_view content_type);

// The Content-Type of a page.
std::string_view ContentType(Format format, NameEscaping escaping = NameEscaping::kUnderscores);

}  // namespace skep::exposition
