// The functions of the language and their signatures. What they compute is the engine's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "evaluator/promql/value.h"

namespace skep::promql {

// In the order of their names. For a switch without default in the engine.
enum class FunctionId : std::uint8_t {
  kAbs,
  kAbsent,
  kAbsentOverTime,
  kAcos,
  kAcosh,
  kAsin,
  kAsinh,
  kAtan,
  kAtanh,
  kAvgOverTime,
  kCeil,
  kChanges,
  kClamp,
  kClampMax,
  kClampMin,
  kCos,
  kCosh,
  kCountOverTime,
  kDayOfMonth,
  kDayOfWeek,
  kDayOfYear,
  kDaysInMonth,
  kDeg,
  kDelta,
  kDeriv,
  kDoubleExponentialSmoothing,
  kEnd,
  kExp,
  kFirstOverTime,
  kFloor,
  kHistogramAvg,
  kHistogramCount,
  kHistogramFraction,
  kHistogramQuantile,
  kHistogramQuantiles,
  kHistogramStddev,
  kHistogramStdvar,
  kHistogramSum,
  kHour,
  kIdelta,
  kIncrease,
  kInfo,
  kIrate,
  kLabelJoin,
  kLabelReplace,
  kLastOverTime,
  kLn,
  kLog10,
  kLog2,
  kMadOverTime,
  kMaxOf,
  kMaxOverTime,
  kMinOf,
  kMinOverTime,
  kMinute,
  kMonth,
  kPi,
  kPredictLinear,
  kPresentOverTime,
  kQuantileOverTime,
  kRad,
  kRange,
  kRate,
  kResets,
  kRound,
  kScalar,
  kSgn,
  kSin,
  kSinh,
  kSort,
  kSortByLabel,
  kSortByLabelDesc,
  kSortDesc,
  kSqrt,
  kStart,
  kStartTimestamp,
  kStddevOverTime,
  kStdvarOverTime,
  kStep,
  kSumOverTime,
  kTan,
  kTanh,
  kTime,
  kTimestamp,
  kTsOfFirstOverTime,
  kTsOfLastOverTime,
  kTsOfMaxOverTime,
  kTsOfMinOverTime,
  kVector,
  kYear,
};

inline constexpr int kAnyNumber = -1;

// Immutable; lives as long as the program.
struct Function {
  FunctionId id;
  std::string_view name;
  // Types of the arguments; where more are given than stand here, the last one counts for the rest.
  std::span<const ValueType> arguments;
  // 0: exactly those. N: the last one may be missing, and N of it may be given. kAnyNumber: none or
  // more of the last one.
  int variadic = 0;
  ValueType result = ValueType::kVector;
  bool experimental = false;
};

// In the order of their names.
std::span<const Function> Functions();
// Null where there is none of that name.
const Function* FindFunction(std::string_view name);

}  // namespace skep::promql
