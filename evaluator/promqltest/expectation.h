// What a script expects of an eval's errors, warnings and infos: `expect warn msg: …` and the like.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/regex.h"

namespace skep::promqltest {

// Of one kind of remark.
struct Expectation {
  std::vector<std::string> messages;  // each must be there, word for word
  std::vector<Regex> patterns;        // each must match a part of one that is there
  bool some = false;                  // at least one must be there
  bool none = false;                  // none may be there

  // What is wrong with `got`; "" if nothing. Where messages or patterns are given, nothing but
  // these may be there.
  std::string Judge(std::string_view what, const std::vector<std::string>& got) const;

  // What stands behind `expect warn`: nothing, `msg: TEXT` or `regex: PATTERN`.
  Status Parse(std::string_view rest);

 private:
  bool Allows(const std::string& text) const;
};

}  // namespace skep::promqltest
