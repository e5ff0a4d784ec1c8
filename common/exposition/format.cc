#include "common/exposition/format.h"

#include <array>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/number.h"

namespace skep::exposition {
namespace {

constexpr std::array<std::string_view, 8> kTypeNames = {
    "unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"};

constexpr std::string_view kTextType = "text/plain";
constexpr std::string_view kOpenMetricsType = "application/openmetrics-text";

// Cuts the part before `separator` off `rest` and returns it.
std::string_view TakePart(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return Trim(part);
}

bool EqualNoCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view Unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

// One element of an Accept header, or a Content-Type.
struct MediaType {
  std::string_view type;
  std::string_view version;
  std::string_view escaping;
  double quality = 1;
};

MediaType ParseMediaType(std::string_view text) {
  MediaType media;
  media.type = TakePart(text, ';');
  while (!text.empty()) {
    std::string_view value = TakePart(text, ';');
    const std::string_view key = TakePart(value, '=');
    value = Unquote(Trim(value));
    if (EqualNoCase(key, "version")) media.version = value;
    if (EqualNoCase(key, "escaping")) media.escaping = value;
    if (EqualNoCase(key, "q")) media.quality = ParseDouble(value).value_or(0);
  }
  return media;
}

// Text 1.0.0 is text 0.0.4 with quoted names; whoever asks for it reads 0.0.4 too.
std::optional<Format> SupportedFormat(const MediaType& media) {
  const std::string_view v = media.version;
  if (EqualNoCase(media.type, kOpenMetricsType)) {
    if (v.empty() || v == "0.0.1" || v == "1.0.0") return Format::kOpenMetrics;
    return std::nullopt;
  }
  const bool any = media.type == "*/*" || EqualNoCase(media.type, "text/*");
  if (!any && !EqualNoCase(media.type, kTextType)) return std::nullopt;
  if (v.empty() || v == "0.0.4" || v == "1.0.0") return Format::kText;
  return std::nullopt;
}

std::pair<Format, NameEscaping> Negotiate(std::string_view accept) {
  std::pair<Format, NameEscaping> best{Format::kText, NameEscaping::kUnderscores};
  double best_quality = 0;
  while (!accept.empty()) {
    const MediaType media = ParseMediaType(TakePart(accept, ','));
    const std::optional<Format> format = SupportedFormat(media);
    if (!format || !(media.quality > best_quality)) continue;
    best_quality = media.quality;
    const bool utf8 = EqualNoCase(media.escaping, "allow-utf-8");
    best = {*format, utf8 ? NameEscaping::kAllowUtf8 : NameEscaping::kUnderscores};
  }
  return best;
}

}  // namespace

std::string_view MetricTypeName(MetricType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::optional<MetricType> ParseMetricType(std::string_view name) {
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<MetricType>(i);
  }
  if (name == "untyped") return MetricType::kUnknown;
  return std::nullopt;
}

Format NegotiateFormat(std::string_view accept) { return Negotiate(accept).first; }

NameEscaping NegotiateEscaping(std::string_view accept) { return Negotiate(accept).second; }

std::optional<Format> FormatOfContentType(std::string_view content_type) {
  const std::string_view type = ParseMediaType(content_type).type;
  if (EqualNoCase(type, kOpenMetricsType)) return Format::kOpenMetrics;
  if (EqualNoCase(type, kTextType)) return Format::kText;
  return std::nullopt;
}

std::string_view ContentType(Format format, NameEscaping escaping) {
  const bool utf8 = escaping == NameEscaping::kAllowUtf8;
  switch (format) {
    case Format::kText:
      return utf8 ? "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
                  : "text/plain; version=0.0.4; charset=utf-8";
    case Format::kOpenMetrics:
      return utf8 ? "application/openmetrics-text; version=1.0.0; charset=utf-8; "
                    "escaping=allow-utf-8"
                  : "application/openmetrics-text; version=1.0.0; charset=utf-8";
  }
  return {};
}

}  // namespace skep::exposition
