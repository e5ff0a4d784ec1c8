// One condition on one label.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "common/model/regex.h"

namespace skep {

enum class MatchType : std::uint8_t { kEqual, kNotEqual, kRegex, kNotRegex };

// "=", "!=", "=~", "!~".
std::string_view MatchTypeName(MatchType type);

// Immutable value, cheap to copy. Thread-safe. Regular expressions match the whole value.
class Matcher {
 public:
  // kInvalid where the regular expression is none.
  static Result<Matcher> Create(MatchType type, std::string_view name, std::string_view value);
  static Matcher Equal(std::string_view name, std::string_view value);

  MatchType type() const { return type_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }

  // `value` is "" for a label that is absent.
  bool Matches(std::string_view value) const;
  bool MatchesEmpty() const { return matches_empty_; }

  // Of =~ and !~ only; null for the others.
  const Regex* regex() const { return regex_ ? &*regex_ : nullptr; }

  // `name="value"`, quoted and escaped as PromQL needs it.
  std::string ToString() const;

  bool operator==(const Matcher& other) const {
    return type_ == other.type_ && name_ == other.name_ && value_ == other.value_;
  }

 private:
  Matcher(MatchType type, std::string_view name, std::string_view value)
      : type_(type), name_(name), value_(value) {}

  MatchType type_;
  bool matches_empty_ = false;
  std::string name_;
  std::string value_;
  std::optional<Regex> regex_;
};

// Whether all matchers accept the label set.
bool MatchesAll(const std::vector<Matcher>& matchers, const Labels& labels);

}  // namespace skep
