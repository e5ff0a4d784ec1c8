#include "tests/support/promql_oracle/functions.h"

#include <cmath>
#include <ctime>
#include <limits>
#include <map>
#include <numbers>

#include "tests/support/promql_oracle/arithmetic.h"

namespace skep::oracle {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double Sign(double v) {
  if (v > 0) return 1;
  return v < 0 ? -1 : v;
}

using Mathematics = double (*)(double);
const std::map<std::string_view, Mathematics>& MathematicsByName() {
  static const std::map<std::string_view, Mathematics> functions{
      {"abs", [](double v) { return std::fabs(v); }},
      {"acos", [](double v) { return std::acos(v); }},
      {"acosh", [](double v) { return std::acosh(v); }},
      {"asin", [](double v) { return std::asin(v); }},
      {"asinh", [](double v) { return std::asinh(v); }},
      {"atan", [](double v) { return std::atan(v); }},
      {"atanh", [](double v) { return std::atanh(v); }},
      {"ceil", [](double v) { return std::ceil(v); }},
      {"cos", [](double v) { return std::cos(v); }},
      {"cosh", [](double v) { return std::cosh(v); }},
      {"deg", [](double v) { return v * 180 / std::numbers::pi; }},
      {"exp", [](double v) { return std::exp(v); }},
      {"floor", [](double v) { return std::floor(v); }},
      {"ln", [](double v) { return std::log(v); }},
      {"log10", [](double v) { return std::log10(v); }},
      {"log2", [](double v) { return std::log2(v); }},
      {"rad", [](double v) { return v * std::numbers::pi / 180; }},
      {"sgn", Sign},
      {"sin", [](double v) { return std::sin(v); }},
      {"sinh", [](double v) { return std::sinh(v); }},
      {"sqrt", [](double v) { return std::sqrt(v); }},
      {"tan", [](double v) { return std::tan(v); }},
      {"tanh", [](double v) { return std::tanh(v); }},
  };
  return functions;
}

using DatePart = int (*)(const std::tm&);
const std::map<std::string_view, DatePart>& DatePartsByName() {
  static const std::map<std::string_view, DatePart> parts{
      {"day_of_month", [](const std::tm& t) { return t.tm_mday; }},
      {"day_of_week", [](const std::tm& t) { return t.tm_wday; }},
      {"day_of_year", [](const std::tm& t) { return t.tm_yday + 1; }},
      {"days_in_month",
       [](const std::tm& t) {
         std::tm last{};
         last.tm_year = t.tm_year;
         last.tm_mon = t.tm_mon + 1;
         last.tm_mday = 1;
         const std::time_t seconds = timegm(&last) - 1;  // the last second of the month
         gmtime_r(&seconds, &last);
         return last.tm_mday;
       }},
      {"hour", [](const std::tm& t) { return t.tm_hour; }},
      {"minute", [](const std::tm& t) { return t.tm_min; }},
      {"month", [](const std::tm& t) { return t.tm_mon + 1; }},
      {"year", [](const std::tm& t) { return t.tm_year + 1900; }},
  };
  return parts;
}

// tests/promql/differences.md: NaN where there is no date, or one too far away.
double PartOfDate(DatePart part, double seconds) {
  constexpr double kFarthest = 32000.0 * 365.2425 * 86400;
  if (!(std::fabs(seconds) <= kFarthest)) return std::numeric_limits<double>::quiet_NaN();
  const auto whole = static_cast<std::time_t>(seconds);
  std::tm date{};
  gmtime_r(&whole, &date);
  return part(date);
}

std::optional<double> Clamp(double value, double low, double high) {
  if (high < low) return std::nullopt;
  return Larger(low, Smaller(high, value));
}

bool IsBound(std::string_view name) {
  return name == "clamp" || name == "clamp_min" || name == "clamp_max" || name == "round";
}

}  // namespace

std::optional<double> OfValue(std::string_view name, double value,
                              const std::vector<double>& scalars) {
  if (name == "clamp") return Clamp(value, scalars[0], scalars[1]);
  if (name == "clamp_min") return Clamp(value, scalars[0], kInf);
  if (name == "clamp_max") return Clamp(value, -kInf, scalars[0]);
  if (name == "round") {
    const double inverse = 1.0 / (scalars.empty() ? 1.0 : scalars[0]);
    return std::floor(value * inverse + 0.5) / inverse;
  }
  const auto part = DatePartsByName().find(name);
  if (part != DatePartsByName().end()) return PartOfDate(part->second, value);
  return MathematicsByName().at(name)(value);
}

bool IsValueFunction(std::string_view name) {
  return MathematicsByName().contains(name) || IsDateFunction(name) || IsBound(name);
}

bool IsDateFunction(std::string_view name) { return DatePartsByName().contains(name); }

}  // namespace skep::oracle
