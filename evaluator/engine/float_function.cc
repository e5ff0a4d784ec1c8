#include "evaluator/engine/float_function.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "evaluator/engine/float_math.h"

namespace skep::engine {
namespace {

using promql::FunctionId;

struct FloatEntry {
  FunctionId id;
  FloatFunction function;
};

double Sign(double v) { return v < 0 ? -1 : v > 0 ? 1 : v; }

constexpr FloatEntry kFloatFunctions[] = {
    {FunctionId::kAbs, [](double v) { return std::fabs(v); }},
    {FunctionId::kAcos, [](double v) { return std::acos(v); }},
    {FunctionId::kAcosh, [](double v) { return std::acosh(v); }},
    {FunctionId::kAsin, [](double v) { return std::asin(v); }},
    {FunctionId::kAsinh, [](double v) { return std::asinh(v); }},
    {FunctionId::kAtan, [](double v) { return std::atan(v); }},
    {FunctionId::kAtanh, [](double v) { return std::atanh(v); }},
    {FunctionId::kCeil, [](double v) { return std::ceil(v); }},
    {FunctionId::kCos, [](double v) { return std::cos(v); }},
    {FunctionId::kCosh, [](double v) { return std::cosh(v); }},
    {FunctionId::kDeg, [](double v) { return v * 180 / std::numbers::pi; }},
    {FunctionId::kExp, [](double v) { return std::exp(v); }},
    {FunctionId::kFloor, [](double v) { return std::floor(v); }},
    {FunctionId::kLn, [](double v) { return std::log(v); }},
    {FunctionId::kLog10, [](double v) { return std::log10(v); }},
    {FunctionId::kLog2, [](double v) { return std::log2(v); }},
    {FunctionId::kRad, [](double v) { return v * std::numbers::pi / 180; }},
    {FunctionId::kSgn, Sign},
    {FunctionId::kSin, [](double v) { return std::sin(v); }},
    {FunctionId::kSinh, [](double v) { return std::sinh(v); }},
    {FunctionId::kSqrt, [](double v) { return std::sqrt(v); }},
    {FunctionId::kTan, [](double v) { return std::tan(v); }},
    {FunctionId::kTanh, [](double v) { return std::tanh(v); }},
};

struct Date {
  std::chrono::year_month_day day;
  std::chrono::sys_days days;
  std::int64_t second_of_day = 0;
};

// A chrono year has 16 bits; farther away there is no date.
constexpr double kFarthest = 32000.0 * 365.2425 * 86400;

template <typename Part>
double OfDate(double seconds, Part part) {
  if (!(std::fabs(seconds) <= kFarthest)) return kNormalNaN;
  const std::chrono::sys_seconds time{
      std::chrono::seconds(static_cast<std::int64_t>(seconds))};  // towards zero, as in Go
  const auto days = std::chrono::floor<std::chrono::days>(time);
  return static_cast<double>(
      part(Date{std::chrono::year_month_day(days), days, (time - days).count()}));
}

unsigned DaysInMonth(const Date& d) {
  return static_cast<unsigned>((d.day.year() / d.day.month() / std::chrono::last).day());
}

std::int64_t DayOfYear(const Date& d) {
  const std::chrono::sys_days first = d.day.year() / std::chrono::January / 1;
  return (d.days - first).count() + 1;
}

struct DateEntry {
  FunctionId id;
  DateFunction function;
};

constexpr DateEntry kDateFunctions[] = {
    {FunctionId::kDayOfMonth,
     [](double t) { return OfDate(t, [](const Date& d) { return unsigned(d.day.day()); }); }},
    {FunctionId::kDayOfWeek,
     [](double t) {
       return OfDate(t, [](const Date& d) { return std::chrono::weekday(d.days).c_encoding(); });
     }},
    {FunctionId::kDayOfYear, [](double t) { return OfDate(t, DayOfYear); }},
    {FunctionId::kDaysInMonth, [](double t) { return OfDate(t, DaysInMonth); }},
    {FunctionId::kHour,
     [](double t) { return OfDate(t, [](const Date& d) { return d.second_of_day / 3600; }); }},
    {FunctionId::kMinute,
     [](double t) { return OfDate(t, [](const Date& d) { return d.second_of_day / 60 % 60; }); }},
    {FunctionId::kMonth,
     [](double t) { return OfDate(t, [](const Date& d) { return unsigned(d.day.month()); }); }},
    {FunctionId::kYear,
     [](double t) { return OfDate(t, [](const Date& d) { return int(d.day.year()); }); }},
};

}  // namespace

FloatFunction FindFloatFunction(FunctionId id) {
  for (const FloatEntry& entry : kFloatFunctions) {
    if (entry.id == id) return entry.function;
  }
  return nullptr;
}

DateFunction FindDateFunction(FunctionId id) {
  for (const DateEntry& entry : kDateFunctions) {
    if (entry.id == id) return entry.function;
  }
  return nullptr;
}

double RoundTo(double value, double to_nearest) {
  const double inverse = 1.0 / to_nearest;  // dividing by the inverse rounds less than multiplying
  return std::floor(value * inverse + 0.5) / inverse;
}

double Clamp(double value, double low, double high) { return GoMax(low, GoMin(high, value)); }

}  // namespace skep::engine
