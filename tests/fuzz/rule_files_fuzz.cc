// Rule files, their formatting, and unit-test files, whatever their bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "evaluator/rules/rule_format.h"
#include "evaluator/ruletest/test_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)skep::ruletest::ParseTestFile(text, "t.yml");
  const auto formatted = skep::rules::FormatRules(text, "r.yml", {});
  if (!formatted) {
    // A file that is good can be formatted: what cannot be is kept.
    if (skep::rules::ParseRuleFile(text, "r.yml", {}).errors.empty()) __builtin_trap();
    return 0;
  }
  const auto again = skep::rules::FormatRules(formatted->text, "r.yml", {});
  if (!again || again->text != formatted->text) __builtin_trap();
  return 0;
}
