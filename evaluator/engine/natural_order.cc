#include "evaluator/engine/natural_order.h"

#include <optional>

#include "common/base/ascii.h"
#include "common/base/number.h"

namespace skep::engine {
namespace {

// Takes the run of digits, or of everything else, at the beginning.
std::string_view TakeRun(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && IsDigit(text[end]) == IsDigit(text[0])) ++end;
  const std::string_view run = text.substr(0, end);
  text.remove_prefix(end);
  return run;
}

}  // namespace

bool NaturalBefore(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view x = TakeRun(a);
    const std::string_view y = TakeRun(b);
    const std::optional<std::int64_t> p = ParseInt(x);
    const std::optional<std::int64_t> q = ParseInt(y);
    if (p && q && *p != *q) return *p < *q;
    if (!(p && q) && x != y) return x < y;
  }
  return a.empty() && !b.empty();
}

}  // namespace skep::engine
