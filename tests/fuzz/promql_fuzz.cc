// PromQL of any bytes: refused, or printed as text that parses to the same again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "evaluator/promql/duration_expr.h"
#include "evaluator/promql/parser.h"
#include "evaluator/promql/printer.h"

namespace {

using namespace skep::promql;  // NOLINT: a small program of its own

void Require(bool good) {
  if (!good) std::abort();
}

void TryExpr(std::string_view text) {
  const auto expr = ParseExpr(text, ParseOptions::All());
  if (!expr) return;
  const std::string printed = ToString(**expr);
  const auto again = ParseExpr(printed, ParseOptions::All());
  Require(again.has_value());
  Require(ToString(**again) == printed);
  const auto pretty = ParseExpr(Prettify(**expr), ParseOptions::All());
  Require(pretty.has_value() && ToString(**pretty) == printed);
  const ExprPtr copy = Clone(**expr);
  (void)ResolveDurations(*copy, text, {.step = skep::Duration{15'000}});  // may be refused
  Require(Selectors(*copy).size() == Selectors(**expr).size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TryExpr(text);
  (void)ParseMetricSelector(text);
  (void)ParseMetric(text);
  if (size < 256) (void)ParseSeriesDescription(text);  // longer ones may ask for much memory
  return 0;
}
