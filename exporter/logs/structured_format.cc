// JSON lines, logfmt and patterns with named groups.
#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/quote.h"
#include "common/json/reader.h"
#include "exporter/logs/fields.h"
#include "exporter/logs/line_format.h"

namespace skep::logs {
namespace {

constexpr int kMaxDepth = 4;  // of objects that names with dots look into

// One per thread: lines come one after the other, and the parser keeps its memory.
json::Document& ThreadDocument() {
  thread_local json::Document document;
  return document;
}

// Bytes above ASCII become '?', for a line that is JSON but for its encoding.
void CopyAscii(std::string_view line, std::string& out) {
  out.assign(line);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
}

class JsonFormat final : public LineFormat {
 public:
  explicit JsonFormat(FieldTable table) : table_(std::move(table)) {}

  bool Parse(std::string_view line, ParsedLine& out) const override {
    out.Clear();
    json::Document& document = ThreadDocument();
    if (!document.Parse(line)) {
      CopyAscii(line, out.scratch);
      if (!document.Parse(out.scratch)) return false;
    }
    if (!document.root().IsObject()) return false;
    FieldsSeen seen;
    std::string prefix;
    Walk(document.root(), prefix, 1, seen, out);
    FinishFields(seen, out);
    return true;
  }
  bool IsAccessLog() const override { return false; }

 private:
  void Walk(const json::Element& object, std::string& prefix, int depth, FieldsSeen& seen,
            ParsedLine& out) const {
    for (const auto& [key, value] : object.members()) {
      std::string_view name = key;
      const std::size_t before = prefix.size();
      if (before > 0) {
        prefix.append(key);
        name = prefix;
      }
      if (value.IsObject()) {
        if (depth < kMaxDepth && table_.IsParent(name)) {
          if (before == 0) prefix = key;
          prefix.push_back('.');
          Walk(value, prefix, depth + 1, seen, out);
        }
      } else if (const FieldUse* use = table_.Find(name)) {
        AssignField(*use, value.text(), seen, out);
      }
      prefix.resize(before);
    }
  }

  FieldTable table_;
};

class LogfmtFormat final : public LineFormat {
 public:
  explicit LogfmtFormat(FieldTable table) : table_(std::move(table)) {}

  // A line without any key=value is not of this format.
  bool Parse(std::string_view line, ParsedLine& out) const override {
    out.Clear();
    out.scratch.reserve(line.size());  // views into it must not move
    FieldsSeen seen;
    bool has_pair = false;
    while (!line.empty()) {
      if (line[0] == ' ' || line[0] == '\t') {
        line.remove_prefix(1);
        continue;
      }
      const std::size_t end = std::min(line.find_first_of("= \t"), line.size());
      const std::string_view key = line.substr(0, end);
      line.remove_prefix(end);
      if (!line.starts_with('=')) continue;  // a word by itself
      line.remove_prefix(1);
      has_pair = has_pair || !key.empty();
      const std::string_view value = TakeValue(line, out.scratch);
      if (const FieldUse* use = table_.Find(key)) AssignField(*use, value, seen, out);
    }
    FinishFields(seen, out);
    return has_pair;
  }
  bool IsAccessLog() const override { return false; }

 private:
  static std::string_view TakeValue(std::string_view& line, std::string& scratch) {
    if (!line.starts_with('"')) {
      const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
      const std::string_view value = line.substr(0, end);
      line.remove_prefix(end);
      return value;
    }
    std::size_t end = 1;
    bool escaped = false;
    for (; end < line.size() && line[end] != '"'; ++end) {
      if (line[end] == '\\') {
        escaped = true;
        ++end;
      }
    }
    end = std::min(end, line.size());
    const std::string_view inside = line.substr(1, end - 1);
    line.remove_prefix(std::min(end + 1, line.size()));
    return escaped ? Unescaped(inside, scratch) : inside;
  }

  static std::string_view Unescaped(std::string_view inside, std::string& scratch) {
    const Result<std::string> text = Unescape(inside);
    // Unescaping makes nothing longer but by bytes that are no UTF-8; then it stays as it is.
    if (!text || scratch.size() + text->size() > scratch.capacity()) return inside;
    const std::size_t begin = scratch.size();
    scratch.append(*text);
    return std::string_view(scratch).substr(begin);
  }

  FieldTable table_;
};

class PatternFormat final : public LineFormat {
 public:
  PatternFormat(Regex pattern, std::vector<std::pair<std::size_t, FieldUse>> groups)
      : pattern_(std::move(pattern)), groups_(std::move(groups)) {}

  bool Parse(std::string_view line, ParsedLine& out) const override {
    out.Clear();
    thread_local std::vector<std::string_view> found;
    if (!pattern_.PartialMatch(line, found)) return false;
    FieldsSeen seen;
    for (const auto& [number, use] : groups_) {
      if (!found[number].empty()) AssignField(use, found[number], seen, out);
    }
    FinishFields(seen, out);
    return true;
  }
  bool IsAccessLog() const override { return false; }

 private:
  Regex pattern_;
  std::vector<std::pair<std::size_t, FieldUse>> groups_;
};

}  // namespace

Result<LineFormatPtr> MakeJsonFormat(const FieldNames& fields) {
  Result<FieldTable> table = FieldTable::Create(fields);
  if (!table) return table.error();
  return LineFormatPtr(std::make_shared<JsonFormat>(std::move(*table)));
}

Result<LineFormatPtr> MakeLogfmtFormat(const FieldNames& fields) {
  Result<FieldTable> table = FieldTable::Create(fields);
  if (!table) return table.error();
  return LineFormatPtr(std::make_shared<LogfmtFormat>(std::move(*table)));
}

Result<LineFormatPtr> MakePatternFormat(const Regex& pattern, double duration_scale) {
  const FieldTable table = FieldTable::ForGroups(duration_scale);
  std::vector<std::pair<std::size_t, FieldUse>> groups;
  const std::vector<std::string> names = pattern.GroupNames();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const FieldUse* use = names[i].empty() ? nullptr : table.Find(names[i]);
    if (use != nullptr) groups.emplace_back(i, *use);
  }
  if (groups.empty()) {
    return Invalid(
        "no group of the pattern is named method, path, request, status, duration, duration_ms, "
        "duration_us, duration_seconds, upstream, bytes, level or message");
  }
  return LineFormatPtr(std::make_shared<PatternFormat>(pattern, std::move(groups)));
}

}  // namespace skep::logs
