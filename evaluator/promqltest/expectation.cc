#include "evaluator/promqltest/expectation.h"

#include <algorithm>

#include "common/base/ascii.h"
#include "common/base/quote.h"

namespace skep::promqltest {

std::string Expectation::Judge(std::string_view what, const std::vector<std::string>& got) const {
  if (none && !got.empty()) return "unexpected " + std::string(what) + ": " + got.front();
  if (some && got.empty()) return "expected " + std::string(what) + ", got none";
  if (messages.empty() && patterns.empty()) return {};
  for (const std::string& text : got) {
    if (!Allows(text)) return "unexpected " + std::string(what) + ": " + text;
  }
  for (const std::string& message : messages) {
    if (std::find(got.begin(), got.end(), message) == got.end()) {
      return "missing " + std::string(what) + ": " + message;
    }
  }
  for (const Regex& pattern : patterns) {
    const auto matches = [&pattern](const std::string& t) { return pattern.PartialMatch(t); };
    if (std::none_of(got.begin(), got.end(), matches)) {
      return "no " + std::string(what) + " matches " + pattern.pattern();
    }
  }
  return {};
}

bool Expectation::Allows(const std::string& text) const {
  return std::find(messages.begin(), messages.end(), text) != messages.end() ||
         std::any_of(patterns.begin(), patterns.end(),
                     [&text](const Regex& pattern) { return pattern.PartialMatch(text); });
}

Status Expectation::Parse(std::string_view rest) {
  some = true;
  if (rest.starts_with("msg:")) {
    messages.emplace_back(Trim(rest.substr(4)));
  } else if (rest.starts_with("regex:")) {
    Result<Regex> regex = Regex::Create(Trim(rest.substr(6)));
    if (!regex) return regex.error();
    patterns.push_back(*regex);
  } else if (!rest.empty()) {
    return Invalid("msg: or regex: expected, got " + Quote(rest));
  }
  return {};
}

}  // namespace skep::promqltest
