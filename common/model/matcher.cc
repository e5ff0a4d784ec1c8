#include "common/model/matcher.h"

#include <algorithm>

#include "common/base/quote.h"

namespace skep {

std::string_view MatchTypeName(MatchType type) {
  switch (type) {
    case MatchType::kEqual:
      return "=";
    case MatchType::kNotEqual:
      return "!=";
    case MatchType::kRegex:
      return "=~";
    case MatchType::kNotRegex:
      return "!~";
  }
  return "=";
}

Result<Matcher> Matcher::Create(MatchType type, std::string_view name, std::string_view value) {
  Matcher matcher(type, name, value);
  if (type == MatchType::kRegex || type == MatchType::kNotRegex) {
    Result<Regex> regex = Regex::Create(value);
    if (!regex) return regex.error();
    matcher.regex_ = *std::move(regex);
  }
  matcher.matches_empty_ = matcher.Matches("");
  return matcher;
}

Matcher Matcher::Equal(std::string_view name, std::string_view value) {
  Matcher matcher(MatchType::kEqual, name, value);
  matcher.matches_empty_ = value.empty();
  return matcher;
}

bool Matcher::Matches(std::string_view value) const {
  switch (type_) {
    case MatchType::kEqual:
      return value == value_;
    case MatchType::kNotEqual:
      return value != value_;
    case MatchType::kRegex:
      return regex_->FullMatch(value);
    case MatchType::kNotRegex:
      return !regex_->FullMatch(value);
  }
  return false;
}

std::string Matcher::ToString() const {
  std::string out = IsLegacyLabelName(name_) ? name_ : Quote(name_);
  return out.append(MatchTypeName(type_)).append(Quote(value_));
}

bool MatchesAll(const std::vector<Matcher>& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&labels](const Matcher& matcher) {
    return matcher.Matches(labels.Get(matcher.name()));
  });
}

}  // namespace skep
