#include "evaluator/rules/rule_format.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/ascii.h"
#include "common/yaml/node.h"
#include "evaluator/promql/lexer.h"
#include "evaluator/promql/printer.h"

namespace skep::rules {
namespace {

// `expr: VALUE` of one rule.
struct ExprField {
  yaml::Node key, value;
};

// All of a document: wherever rules stand (also in a list of objects),
// they are maps with `expr` beside `record` or `alert`.
void CollectFields(const yaml::Node& node, std::vector<ExprField>& out) {
  for (const yaml::Node& item : node.items()) CollectFields(item, out);
  const bool rule = node.IsMap() && (node.Has("record") || node.Has("alert"));
  for (const auto& [key, value] : node.entries()) {
    if (rule && key.text() == "expr" && value.IsScalar()) out.push_back({key, value});
    CollectFields(value, out);
  }
}

// Without what a block adds around its content.
std::string_view WithoutEndLines(std::string_view text) {
  while (text.starts_with('\n')) text.remove_prefix(1);
  while (!text.empty() && (text.ends_with('\n') || text.ends_with(' '))) text.remove_suffix(1);
  return text;
}

bool HasComment(std::string_view expr) {
  std::size_t end = 0;
  for (const promql::Token& token : promql::Tokenize(expr).list) {
    const std::size_t start = std::max<std::size_t>(token.start, end);
    if (expr.substr(end, start - end).find('#') != std::string_view::npos) return true;
    end = token.end;
  }
  return expr.substr(end).find('#') != std::string_view::npos;
}

// A value in the text: from its first byte to behind its last.
struct Extent {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The text with its lines.
class Source {
 public:
  explicit Source(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at <= text.size();) {
      begins_.push_back(at);
      const std::size_t end = text.find('\n', at);
      if (end == std::string_view::npos) break;
      at = end + 1;
    }
  }

  std::string_view text() const { return text_; }
  std::size_t lines() const { return begins_.size(); }
  std::size_t begin(std::size_t line) const { return begins_[line]; }
  // Without its newline.
  std::string_view line(std::size_t line) const {
    const std::string_view rest = text_.substr(begins_[line]);
    return rest.substr(0, rest.find('\n'));
  }
  // Where a node stands; columns count code points.
  std::size_t At(const yaml::Node& node) const {
    const auto line_number = static_cast<std::size_t>(node.line() - 1);
    const std::string_view in = line(line_number);
    std::size_t at = 0;
    for (int column = 1; column < node.column() && at < in.size(); ++column) {
      do {
        ++at;
      } while (at < in.size() && (static_cast<unsigned char>(in[at]) & 0xc0) == 0x80);
    }
    return begins_[line_number] + at;
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> begins_;
};

bool Blank(std::string_view line) { return Trim(line, " \t\r").empty(); }

std::size_t Indent(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Behind the last line after `line` that belongs to a value of a key at `indent`.
std::size_t LastValueLine(const Source& source, std::size_t line, std::size_t indent) {
  std::size_t last = line;
  for (std::size_t next = line + 1; next < source.lines(); ++next) {
    const std::string_view text = source.line(next);
    if (Blank(text)) continue;
    if (Indent(text) <= indent) break;
    last = next;
  }
  return last;
}

// From the quote to behind its partner; empty where something follows in its line.
std::optional<Extent> QuotedExtent(const Source& source, std::size_t begin) {
  const std::string_view text = source.text();
  const char quote = text[begin];
  std::size_t end = begin + 1;
  for (; end < text.size(); ++end) {
    if (quote == '"' && text[end] == '\\') {
      ++end;
    } else if (text[end] == quote) {
      if (quote == '"' || end + 1 >= text.size() || text[end + 1] != quote) break;
      ++end;
    }
  }
  if (end >= text.size()) return std::nullopt;
  std::string_view rest = text.substr(end + 1);
  rest = Trim(rest.substr(0, rest.find('\n')), " \t\r");
  if (!rest.empty() && !rest.starts_with('#')) return std::nullopt;
  return Extent{begin, end + 1};
}

// A plain scalar, perhaps folded over several lines; empty where the lines do not read as `value`.
std::optional<Extent> PlainExtent(const Source& source, std::size_t line, Extent lines,
                                  const std::string& value) {
  std::string read;
  for (std::size_t at = line; at < source.lines() && source.begin(at) < lines.end; ++at) {
    std::string_view part = source.line(at);
    if (at == line) part.remove_prefix(lines.begin - source.begin(line));
    const std::size_t comment = part.find(" #");
    const std::string_view kept = Trim(part.substr(0, comment), " \t\r");
    if (kept.empty()) return std::nullopt;
    if (!read.empty()) read += ' ';
    read += kept;
    const std::size_t end =
        static_cast<std::size_t>(kept.data() + kept.size() - source.text().data());
    if (read == value) return Extent{lines.begin, end};
    if (comment != std::string_view::npos) return std::nullopt;
  }
  return std::nullopt;
}

std::string Indented(const std::string& text, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string out = margin;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += margin;
  }
  return out;
}

std::string SingleQuoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

struct Replacement {
  Extent extent;
  std::string text;
};

// What takes the place of a value, in the style it was written in as far as that can be.
class Rewriter {
 public:
  explicit Rewriter(std::string_view text) : source_(text) {}

  // Empty: the value cannot be replaced on its own.
  std::optional<Replacement> Rewrite(const ExprField& field, const std::string& formatted) const {
    const std::size_t begin = source_.At(field.value);
    const auto key_line = static_cast<std::size_t>(field.key.line() - 1);
    const auto line = static_cast<std::size_t>(field.value.line() - 1);
    if (begin >= source_.text().size() || line != key_line) return std::nullopt;
    const std::size_t indent = source_.At(field.key) - source_.begin(key_line);
    const char first = source_.text()[begin];
    if (first == '|' || first == '>') return RewriteBlock({begin, line, indent}, formatted);
    std::optional<Extent> extent;
    if (first == '\'' || first == '"') {
      extent = QuotedExtent(source_, begin);
    } else {
      const std::size_t last = LastValueLine(source_, line, indent);
      extent = PlainExtent(source_, line, {begin, source_.begin(last) + source_.line(last).size()},
                           field.value.text());
    }
    if (!extent) return std::nullopt;
    if (formatted.find('\n') == std::string::npos)
      return Replacement{*extent, Flat(formatted, first)};
    // A comment behind the value stays in the key's line.
    const std::string_view rest = source_.text().substr(extent->end);
    const std::string_view comment = rest.substr(0, rest.find('\n'));
    return Replacement{
        {extent->begin, extent->end + comment.size()},
        BlockHeader(formatted) + std::string(comment) + "\n" + Indented(formatted, indent + 2)};
  }

 private:
  struct Place {
    std::size_t begin, line, indent;
  };

  // A value of one line.
  static std::string Flat(const std::string& formatted, char first) {
    if (first == '\'') return SingleQuoted(formatted);
    const bool plain = first != '"' && formatted.find(": ") == std::string::npos &&
                       formatted.find(" #") == std::string::npos &&
                       formatted.find_first_of("{}[]&*!|>'\"%@`#,") != 0;
    return plain ? formatted : SingleQuoted(formatted);
  }

  std::optional<Replacement> RewriteBlock(const Place& place, const std::string& formatted) const {
    const std::size_t last = LastValueLine(source_, place.line, place.indent);
    if (last == place.line) return std::nullopt;
    std::string_view rest = source_.line(place.line);
    rest.remove_prefix(place.begin + 1 - source_.begin(place.line));
    std::string chomping;
    while (!rest.empty() && (IsDigit(rest[0]) || rest[0] == '-' || rest[0] == '+')) {
      if (!IsDigit(rest[0])) chomping = rest[0];
      rest.remove_prefix(1);
    }
    const std::size_t content = Indent(source_.line(place.line + 1));
    const bool shift = content <= place.indent || formatted.starts_with(' ');
    return Replacement{{place.begin, source_.begin(last) + source_.line(last).size()},
                       BlockHeader(formatted) + chomping + std::string(rest) + "\n" +
                           Indented(formatted, shift ? place.indent + 2 : content)};
  }

  // A block whose first line is indented by itself says how much of that is the block's.
  static std::string BlockHeader(const std::string& formatted) {
    return formatted.starts_with(' ') ? "|2" : "|";
  }

  Source source_;
};

// Whether nothing but the spelling of expressions differs.
bool SameRules(const RuleFile& before, const RuleFile& after) {
  if (before.groups.size() != after.groups.size()) return false;
  for (std::size_t i = 0; i < before.groups.size(); ++i) {
    GroupDefinition group = after.groups[i];
    const GroupDefinition& old = before.groups[i];
    if (group.rules.size() != old.rules.size()) return false;
    for (std::size_t j = 0; j < group.rules.size(); ++j) {
      if (group.rules[j].query != old.rules[j].query) return false;
      group.rules[j].expr = old.rules[j].expr;
    }
    if (!group.SameAs(old)) return false;
  }
  return true;
}

Result<RuleFile> Read(std::string_view text, std::string_view file,
                      const RuleFileOptions& options) {
  RuleFileReport report = ParseRuleFile(text, file, options);
  if (!report.errors.empty()) return report.errors.front();
  return std::move(report.file);
}

Result<std::vector<ExprField>> FindFields(std::string_view text, std::string_view file) {
  const Result<std::vector<yaml::Node>> documents = yaml::Node::ParseAll(text, file);
  if (!documents) return documents.error();
  std::vector<ExprField> fields;
  for (const yaml::Node& document : *documents) CollectFields(document, fields);
  // An alias shows a rule in a second place.
  const auto place = [](const ExprField& field) {
    return std::pair(field.value.line(), field.value.column());
  };
  std::sort(fields.begin(), fields.end(),
            [&](const ExprField& a, const ExprField& b) { return place(a) < place(b); });
  const auto same = [&](const ExprField& a, const ExprField& b) { return place(a) == place(b); };
  fields.erase(std::unique(fields.begin(), fields.end(), same), fields.end());
  return fields;
}

}  // namespace

Result<FormattedRules> FormatRules(std::string_view text, std::string_view file,
                                   const RuleFileOptions& options) {
  const Result<RuleFile> before = Read(text, file, options);
  if (!before) return before.error();
  const Result<std::vector<ExprField>> fields = FindFields(text, file);
  if (!fields) return fields.error();
  FormattedRules out;
  out.text = text;
  const Rewriter rewriter(text);
  // From the last to the first, so that places before stay where they are.
  for (auto field = fields->rbegin(); field != fields->rend(); ++field) {
    const std::string& expr = field->value.text();
    const Result<promql::ExprPtr> parsed = promql::ParseExpr(expr, options.promql);
    if (!parsed) continue;  // in a document that does not count
    const std::string formatted = promql::Prettify(**parsed);
    if (formatted == WithoutEndLines(expr)) continue;
    const auto replacement = HasComment(expr) ? std::nullopt : rewriter.Rewrite(*field, formatted);
    if (!replacement) {
      ++out.kept;
      continue;
    }
    const Extent& extent = replacement->extent;
    out.text.replace(extent.begin, extent.end - extent.begin, replacement->text);
    ++out.changed;
  }
  const Result<RuleFile> after = Read(out.text, file, options);
  if (!after) return after.error().Wrap("formatted, the file would not be read again");
  if (!SameRules(*before, *after)) {
    return Internal(std::string(file) + ": formatted, the file would have other rules");
  }
  return out;
}

}  // namespace skep::rules
