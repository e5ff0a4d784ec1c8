// Series bytes to label pairs.
#include <algorithm>
#include <vector>

#include "common/exposition/parser.h"

namespace skep::exposition {
namespace {

// Walks series bytes that were found closed by the page parser, or come from elsewhere.
class SeriesReader {
 public:
  SeriesReader(std::string_view text, const ParseSeriesOptions& options,
               std::vector<LabelView>& labels, std::string& buffer)
      : text_(text), options_(options), labels_(labels), buffer_(buffer) {}

  Status Read();

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  bool At(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool Take(char c) {
    if (!At(c)) return false;
    ++at_;
    return true;
  }
  // Text 0.0.4 has blanks between all tokens.
  void SkipBlanks() {
    if (options_.format != Format::kText) return;
    while (At(' ') || At('\t')) ++at_;
  }
  std::string_view TakeBareName();
  bool TakeQuoted(std::string_view& out);
  std::string_view Unescaped(std::string_view text);
  Status ReadBraces();
  Status ReadPair();
  Status AddName(std::string_view name);
  Status CheckDistinct() const;

  std::string_view text_;
  const ParseSeriesOptions& options_;
  std::vector<LabelView>& labels_;
  std::string& buffer_;
  std::size_t at_ = 0;
  bool named_ = false;
};

Status SeriesReader::Read() {
  if (!IsUtf8(text_)) return Invalid("the series is not UTF-8");
  // Never more than the input, so views into it stay good.
  buffer_.clear();
  buffer_.reserve(text_.size());
  labels_.clear();
  if (!At('{')) {
    const std::string_view name = TakeBareName();
    if (!options_.needs_name || !IsLegacyMetricName(name)) {
      return Invalid("\"" + std::string(name) + "\" is no metric name");
    }
    RETURN_IF_ERROR(AddName(name));
    SkipBlanks();
  }
  if (!AtEnd()) RETURN_IF_ERROR(ReadBraces());
  if (!AtEnd()) return Invalid("unexpected text after the labels");
  RETURN_IF_ERROR(CheckDistinct());
  if (options_.needs_name && !named_) return Invalid("a series without a metric name");
  return {};
}

std::string_view SeriesReader::TakeBareName() {
  const std::size_t first = at_;
  const std::size_t end = text_.find_first_of("{}=,\" \t", at_);
  at_ = end == std::string_view::npos ? text_.size() : end;
  return text_.substr(first, at_ - first);
}

bool SeriesReader::TakeQuoted(std::string_view& out) {
  if (!Take('"')) return false;
  const std::size_t first = at_;
  bool escaped = false;
  while (!AtEnd() && text_[at_] != '"') {
    if (text_[at_] == '\\') {
      escaped = true;
      ++at_;
      if (AtEnd()) return false;
    }
    ++at_;
  }
  if (AtEnd()) return false;
  out = text_.substr(first, at_ - first);
  if (escaped) out = Unescaped(out);
  ++at_;
  return true;
}

std::string_view SeriesReader::Unescaped(std::string_view text) {
  const std::size_t first = buffer_.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      const char next = text[i + 1];
      if (next == '\\' || next == '"' || next == 'n') {
        buffer_.push_back(next == 'n' ? '\n' : next);
        ++i;
        continue;
      }
    }
    buffer_.push_back(text[i]);
  }
  return std::string_view(buffer_).substr(first);
}

Status SeriesReader::ReadBraces() {
  if (!Take('{')) return Invalid("expected '{' after the metric name");
  SkipBlanks();
  bool after_comma = false;
  while (!At('}')) {
    RETURN_IF_ERROR(ReadPair());
    SkipBlanks();
    after_comma = Take(',');
    SkipBlanks();
    if (!after_comma && !At('}')) return Invalid("expected ',' or '}' after a label");
  }
  if (after_comma && options_.strict) return Invalid("a comma behind the last label");
  ++at_;
  return {};
}

Status SeriesReader::ReadPair() {
  std::string_view name;
  const bool quoted = At('"');
  if (quoted) {
    if (!TakeQuoted(name)) return Invalid("a quoted name is not closed");
    if (name.empty()) return Invalid("an empty name");
  } else {
    name = TakeBareName();
    if (!IsLegacyLabelName(name)) return Invalid("\"" + std::string(name) + "\" is no label name");
  }
  SkipBlanks();
  if (quoted && (At(',') || At('}'))) return AddName(name);
  if (!Take('=')) return Invalid("expected '=' after label " + std::string(name));
  SkipBlanks();
  std::string_view value;
  if (!TakeQuoted(value)) return Invalid("expected a quoted value for label " + std::string(name));
  if (name == kMetricName) return AddName(value);
  labels_.push_back({name, value});
  return {};
}

Status SeriesReader::AddName(std::string_view name) {
  if (!options_.needs_name) return Invalid("a metric name where none may stand");
  if (named_) return Invalid("two metric names");
  named_ = true;
  labels_.push_back({kMetricName, name});
  return {};
}

Status SeriesReader::CheckDistinct() const {
  // Sorting a copy costs more than comparing all pairs of the few labels that a series has.
  constexpr std::size_t kFew = 24;
  if (labels_.size() <= kFew) {
    for (std::size_t i = 1; i < labels_.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (labels_[i].name == labels_[k].name) {
          return Invalid("label " + std::string(labels_[i].name) + " twice");
        }
      }
    }
    return {};
  }
  std::vector<std::string_view> names;
  for (const LabelView& label : labels_) names.push_back(label.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return Invalid("label " + std::string(*twice) + " twice");
  return {};
}

}  // namespace

Status ParseSeries(std::string_view series, const ParseSeriesOptions& options,
                   std::vector<LabelView>& labels, std::string& buffer) {
  return SeriesReader(series, options, labels, buffer).Read();
}

}  // namespace skep::exposition
