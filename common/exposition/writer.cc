#include "common/exposition/writer.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "common/base/number.h"
#include "common/model/labels.h"

namespace skep::exposition {
namespace {

// Runs between bytes to escape are appended as a whole: most texts have none.
void AppendEscaped(std::string& out, std::string_view text, bool escape_quotes) {
  const std::string_view special = escape_quotes ? "\\\n\"" : "\\\n";
  while (true) {
    const std::size_t at = text.find_first_of(special);
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) return;
    out.push_back('\\');
    out.push_back(text[at] == '\n' ? 'n' : text[at]);
    text.remove_prefix(at + 1);
  }
}

void AppendQuoted(std::string& out, std::string_view text) {
  out.push_back('"');
  AppendEscaped(out, text, true);
  out.push_back('"');
}

// `text` with all but letters, digits, '_' (and ':' where `colon`) made '_'; one '_' for each
// character, not for each of its bytes.
std::string WithUnderscores(std::string_view text, bool colon) {
  std::string out;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (letter || (digit && !out.empty()) || (colon && c == ':')) {
      out.push_back(c);
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      out.push_back('_');
    }
  }
  return out;
}

// Small integers, which most values are, need no search for the shortest digits.
void AppendValue(std::string& out, double value) {
  if (std::fabs(value) < 1e6) {
    const auto whole = static_cast<std::int32_t>(value);
    if (static_cast<double>(whole) == value && (whole != 0 || !std::signbit(value))) {
      char buffer[12];
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, whole).ptr);
      return;
    }
  }
  AppendDouble(out, value);
}

std::string_view TextTypeName(MetricType type) {
  switch (type) {
    case MetricType::kUnknown:
      return "untyped";
    case MetricType::kInfo:
    case MetricType::kStateset:
      return "gauge";
    case MetricType::kGaugeHistogram:
      return "histogram";
    case MetricType::kCounter:
    case MetricType::kGauge:
    case MetricType::kHistogram:
    case MetricType::kSummary:
      return MetricTypeName(type);
  }
  return {};
}

// What OpenMetrics says the suffix of all samples of such a family is.
std::string_view FamilySuffix(MetricType type) {
  if (type == MetricType::kCounter) return "_total";
  if (type == MetricType::kInfo) return "_info";
  return {};
}

bool HasUnit(std::string_view name, std::string_view unit) {
  return !unit.empty() && name.size() > unit.size() + 1 && name.ends_with(unit) &&
         name[name.size() - unit.size() - 1] == '_';
}

void AppendLabel(std::string& out, std::string_view name, std::string_view value,
                 NameEscaping escaping) {
  if (IsLegacyLabelName(name)) {
    out.append(name);
  } else if (escaping == NameEscaping::kAllowUtf8) {
    AppendQuoted(out, name);
  } else {
    out.append(WithUnderscores(name, false));
  }
  out.push_back('=');
  AppendQuoted(out, value);
}

}  // namespace

void AppendRenderedLabel(std::string& out, std::string_view name, std::string_view value,
                         NameEscaping escaping) {
  if (!out.empty()) out.push_back(',');
  AppendLabel(out, name, value, escaping);
}

std::string RenderLabels(LabelPairs labels, NameEscaping escaping) {
  std::string out;
  for (const auto& [name, value] : labels) AppendRenderedLabel(out, name, value, escaping);
  return out;
}

void PageWriter::Metadata(std::string_view key, std::string_view name, std::string_view text) {
  page_.append("# ").append(key).append(" ");
  if (quoted_) {
    AppendQuoted(page_, name);
  } else {
    page_.append(name);
  }
  page_.push_back(' ');
  AppendEscaped(page_, text, format_ == Format::kOpenMetrics);
  page_.push_back('\n');
}

void PageWriter::Family(std::string_view name, std::string_view help, MetricType type,
                        std::string_view unit) {
  const bool legacy = IsLegacyMetricName(name);
  quoted_ = !legacy && escaping_ == NameEscaping::kAllowUtf8;
  is_gauge_histogram_ = type == MetricType::kGaugeHistogram;
  if (legacy || quoted_) {
    name_ = name;
  } else {
    name_ = WithUnderscores(name, true);
  }
  if (format_ == Format::kOpenMetrics) return OpenMetricsFamily(help, type, unit);
  Metadata("HELP", name_, help);
  Metadata("TYPE", name_, TextTypeName(type));
}

void PageWriter::OpenMetricsFamily(std::string_view help, MetricType type, std::string_view unit) {
  std::string_view family = name_;
  const std::string_view suffix = FamilySuffix(type);
  if (!family.ends_with(suffix)) {
    type = MetricType::kUnknown;
  } else {
    family.remove_suffix(suffix.size());
  }
  Metadata("HELP", family, help);
  Metadata("TYPE", family, MetricTypeName(type));
  if (HasUnit(family, unit)) Metadata("UNIT", family, unit);
}

void PageWriter::BeginSample(std::string_view suffix, bool has_labels) {
  if (quoted_) {
    page_.append("{\"");
    AppendEscaped(page_, name_, true);
    page_.append(suffix).append(has_labels ? "\"," : "\"");
    return;
  }
  page_.append(name_).append(suffix);
  if (has_labels) page_.push_back('{');
}

void PageWriter::EndSample(bool has_labels, double value) {
  page_.append(has_labels || quoted_ ? "} " : " ");
  AppendValue(page_, value);
  page_.push_back('\n');
}

void PageWriter::Sample(LabelPairs labels, double value) {
  BeginSample({}, labels.size() > 0);
  bool first = true;
  for (const auto& [name, label_value] : labels) {
    if (!first) page_.push_back(',');
    first = false;
    AppendLabel(page_, name, label_value, escaping_);
  }
  EndSample(labels.size() > 0, value);
}

void PageWriter::RenderedSample(std::string_view rendered_labels, double value) {
  SuffixedSample({}, rendered_labels, value);
}

void PageWriter::SuffixedSample(std::string_view suffix, std::string_view rendered_labels,
                                double value) {
  if (is_gauge_histogram_ && format_ == Format::kText && suffix.starts_with("_g")) {
    suffix = suffix == "_gcount" ? "_count" : "_sum";
  }
  BeginSample(suffix, !rendered_labels.empty());
  page_.append(rendered_labels);
  EndSample(!rendered_labels.empty(), value);
}

void PageWriter::Finish() {
  if (format_ == Format::kOpenMetrics) page_.append("# EOF\n");
}

}  // namespace skep::exposition
