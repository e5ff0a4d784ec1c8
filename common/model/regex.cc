#include "common/model/regex.h"

#include <re2/re2.h>

#include <array>

#include "common/base/number.h"

namespace skep {
namespace {

// A budget for the compiled program; hostile patterns (`((a{100}){100}){100}`) are refused by it.
constexpr std::int64_t kMaxProgramBytes = 8 << 20;
// RE2 takes time with the square of the pattern: 3.5 s for 180 KB of groups. Lists of literals cost
// little.
constexpr std::size_t kMaxPatternBytes = 64 << 10;

bool IsMeta(char c) {
  return std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos;
}

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

// "a|b|c", also within one pair of brackets around the whole: its parts. Escaped punctuation is
// literal.
std::optional<std::vector<std::string>> SplitLiterals(std::string_view pattern) {
  if (pattern.starts_with("(?:") && pattern.ends_with(')')) {
    pattern = pattern.substr(3, pattern.size() - 4);
  } else if (pattern.starts_with('(') && !pattern.starts_with("(?") && pattern.ends_with(')')) {
    pattern = pattern.substr(1, pattern.size() - 2);
  }
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '|') {
      parts.emplace_back();
    } else if (c == '\\') {
      if (++i == pattern.size() || !IsMeta(pattern[i])) return std::nullopt;
      parts.back().push_back(pattern[i]);
    } else if (IsMeta(c)) {
      return std::nullopt;
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

// The plain characters at the front that no operator behind them touches.
std::string LiteralPrefix(std::string_view pattern) {
  if (pattern.find('|') != std::string_view::npos) return {};
  std::string prefix;
  std::size_t i = 0;
  for (; i < pattern.size() && !IsMeta(pattern[i]); ++i) prefix.push_back(pattern[i]);
  const bool repeated =
      i < pattern.size() && std::string_view("*?{").find(pattern[i]) != std::string_view::npos;
  if (repeated) {
    // The operator binds to the last character, which may be several bytes of UTF-8.
    while (!prefix.empty() && (static_cast<unsigned char>(prefix.back()) & 0xc0) == 0x80)
      prefix.pop_back();
    if (!prefix.empty()) prefix.pop_back();
  }
  return prefix;
}

// The name behind a `$`: digits, letters and underscores, in braces or not. Removes it from `rest`.
std::optional<std::string_view> TakeGroupName(std::string_view& rest) {
  const bool braces = rest.starts_with('{');
  std::size_t i = braces ? 1 : 0;
  const std::size_t begin = i;
  while (i < rest.size() &&
         (std::isalnum(static_cast<unsigned char>(rest[i])) != 0 || rest[i] == '_'))
    ++i;
  const std::string_view name = rest.substr(begin, i - begin);
  if (name.empty() || (braces && (i == rest.size() || rest[i] != '}'))) return std::nullopt;
  rest.remove_prefix(braces ? i + 1 : i);
  return name;
}

}  // namespace

struct Regex::Program {
  Program(std::string_view pattern, const RE2::Options& options)
      : text(pattern), re2(Piece(pattern), options) {}

  std::string text;
  RE2 re2;
  std::optional<std::vector<std::string>> literals;
  std::string prefix;
};

Result<Regex> Regex::Create(std::string_view pattern) {
  std::optional<std::vector<std::string>> literals = SplitLiterals(pattern);
  if (!literals && pattern.size() > kMaxPatternBytes) {
    return Invalid("regular expression longer than " + std::to_string(kMaxPatternBytes) + " bytes");
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(kMaxProgramBytes);
  auto program = std::make_shared<Program>(pattern, options);
  if (!program->re2.ok()) {
    return Invalid("bad regular expression \"" + program->text + "\": " + program->re2.error());
  }
  program->literals = std::move(literals);
  program->prefix = LiteralPrefix(pattern);
  return Regex(std::move(program));
}

const std::string& Regex::pattern() const { return program_->text; }

bool Regex::FullMatch(std::string_view text) const {
  return program_->re2.Match(Piece(text), 0, text.size(), RE2::ANCHOR_BOTH, nullptr, 0);
}

bool Regex::PartialMatch(std::string_view text) const {
  return program_->re2.Match(Piece(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

namespace {

bool MatchGroups(const RE2& re2, std::string_view text, RE2::Anchor anchor,
                 std::vector<std::string_view>& groups) {
  constexpr std::size_t kOnStack = 16;
  const auto count = static_cast<std::size_t>(re2.NumberOfCapturingGroups()) + 1;
  std::array<re2::StringPiece, kOnStack> few;
  std::vector<re2::StringPiece> many(count > kOnStack ? count : 0);
  re2::StringPiece* pieces = many.empty() ? few.data() : many.data();
  groups.clear();
  if (!re2.Match(Piece(text), 0, text.size(), anchor, pieces, static_cast<int>(count)))
    return false;
  for (std::size_t i = 0; i < count; ++i) groups.emplace_back(pieces[i].data(), pieces[i].size());
  return true;
}

}  // namespace

bool Regex::FullMatch(std::string_view text, std::vector<std::string_view>& groups) const {
  return MatchGroups(program_->re2, text, RE2::ANCHOR_BOTH, groups);
}

bool Regex::PartialMatch(std::string_view text, std::vector<std::string_view>& groups) const {
  return MatchGroups(program_->re2, text, RE2::UNANCHORED, groups);
}

std::vector<std::string> Regex::GroupNames() const {
  std::vector<std::string> names(static_cast<std::size_t>(program_->re2.NumberOfCapturingGroups()) +
                                 1);
  for (const auto& [number, name] : program_->re2.CapturingGroupNames()) {
    names[static_cast<std::size_t>(number)] = name;
  }
  return names;
}

std::string Regex::Expand(std::string_view replacement,
                          const std::vector<std::string_view>& groups) const {
  std::string out;
  std::string_view rest = replacement;
  while (!rest.empty()) {
    const std::size_t dollar = rest.find('$');
    out.append(rest.substr(0, dollar));
    if (dollar == std::string_view::npos) break;
    rest.remove_prefix(dollar + 1);
    if (rest.starts_with('$')) {
      out.push_back('$');
      rest.remove_prefix(1);
      continue;
    }
    const std::optional<std::string_view> name = TakeGroupName(rest);
    if (!name) {
      out.push_back('$');  // malformed: as it stands
      continue;
    }
    std::optional<std::uint64_t> index = ParseUint(*name);
    if (!index) {
      const auto& names = program_->re2.NamedCapturingGroups();
      if (const auto found = names.find(std::string(*name)); found != names.end()) {
        index = static_cast<std::uint64_t>(found->second);
      }
    }
    if (index && *index < groups.size()) out.append(groups[*index]);
  }
  return out;
}

std::string Regex::ReplaceAll(std::string_view text, std::string_view replacement) const {
  std::vector<re2::StringPiece> pieces(
      static_cast<std::size_t>(program_->re2.NumberOfCapturingGroups()) + 1);
  std::vector<std::string_view> groups;
  std::string out;
  std::size_t copied = 0;
  std::size_t from = 0;
  while (from <= text.size() &&
         program_->re2.Match(Piece(text), from, text.size(), RE2::UNANCHORED, pieces.data(),
                             static_cast<int>(pieces.size()))) {
    const auto begin = static_cast<std::size_t>(pieces[0].data() - text.data());
    const std::size_t length = pieces[0].size();
    // Go: an empty match directly behind the previous match is no match.
    const bool adjacent_empty = length == 0 && begin == copied && copied != 0;
    if (!adjacent_empty) {
      groups.clear();
      for (const re2::StringPiece& piece : pieces) groups.emplace_back(piece.data(), piece.size());
      out.append(text.substr(copied, begin - copied));
      out.append(Expand(replacement, groups));
      copied = begin + length;
    }
    if (length > 0) {
      from = begin + length;
      continue;
    }
    from = begin + 1;
    while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80) ++from;
  }
  if (copied < text.size()) out.append(text.substr(copied));
  return out;
}

const std::optional<std::vector<std::string>>& Regex::literals() const {
  return program_->literals;
}
const std::string& Regex::literal_prefix() const { return program_->prefix; }

}  // namespace skep
