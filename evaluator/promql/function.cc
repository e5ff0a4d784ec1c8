#include "evaluator/promql/function.h"

#include <algorithm>
#include <array>

namespace skep::promql {
namespace {

constexpr ValueType kV = ValueType::kVector;
constexpr ValueType kM = ValueType::kMatrix;
constexpr ValueType kS = ValueType::kScalar;
constexpr ValueType kT = ValueType::kString;

// Lists of argument types, named by their letters.
constexpr std::array<ValueType, 1> kMArgs{kM};
constexpr std::array<ValueType, 2> kMSArgs{kM, kS};
constexpr std::array<ValueType, 3> kMSSArgs{kM, kS, kS};
constexpr std::array<ValueType, 1> kSArgs{kS};
constexpr std::array<ValueType, 2> kSMArgs{kS, kM};
constexpr std::array<ValueType, 2> kSSArgs{kS, kS};
constexpr std::array<ValueType, 3> kSSVArgs{kS, kS, kV};
constexpr std::array<ValueType, 2> kSVArgs{kS, kV};
constexpr std::array<ValueType, 1> kVArgs{kV};
constexpr std::array<ValueType, 2> kVSArgs{kV, kS};
constexpr std::array<ValueType, 3> kVSSArgs{kV, kS, kS};
constexpr std::array<ValueType, 2> kVTArgs{kV, kT};
constexpr std::array<ValueType, 4> kVTSSArgs{kV, kT, kS, kS};
constexpr std::array<ValueType, 4> kVTTTArgs{kV, kT, kT, kT};
constexpr std::array<ValueType, 5> kVTTTTArgs{kV, kT, kT, kT, kT};
constexpr std::array<ValueType, 2> kVVArgs{kV, kV};

using Id = FunctionId;
constexpr bool kStable = false;
constexpr bool kExperimental = true;

constexpr std::array kFunctions = {
    Function{Id::kAbs, "abs", kVArgs, 0, kV, kStable},
    Function{Id::kAbsent, "absent", kVArgs, 0, kV, kStable},
    Function{Id::kAbsentOverTime, "absent_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kAcos, "acos", kVArgs, 0, kV, kStable},
    Function{Id::kAcosh, "acosh", kVArgs, 0, kV, kStable},
    Function{Id::kAsin, "asin", kVArgs, 0, kV, kStable},
    Function{Id::kAsinh, "asinh", kVArgs, 0, kV, kStable},
    Function{Id::kAtan, "atan", kVArgs, 0, kV, kStable},
    Function{Id::kAtanh, "atanh", kVArgs, 0, kV, kStable},
    Function{Id::kAvgOverTime, "avg_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kCeil, "ceil", kVArgs, 0, kV, kStable},
    Function{Id::kChanges, "changes", kMArgs, 0, kV, kStable},
    Function{Id::kClamp, "clamp", kVSSArgs, 0, kV, kStable},
    Function{Id::kClampMax, "clamp_max", kVSArgs, 0, kV, kStable},
    Function{Id::kClampMin, "clamp_min", kVSArgs, 0, kV, kStable},
    Function{Id::kCos, "cos", kVArgs, 0, kV, kStable},
    Function{Id::kCosh, "cosh", kVArgs, 0, kV, kStable},
    Function{Id::kCountOverTime, "count_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kDayOfMonth, "day_of_month", kVArgs, 1, kV, kStable},
    Function{Id::kDayOfWeek, "day_of_week", kVArgs, 1, kV, kStable},
    Function{Id::kDayOfYear, "day_of_year", kVArgs, 1, kV, kStable},
    Function{Id::kDaysInMonth, "days_in_month", kVArgs, 1, kV, kStable},
    Function{Id::kDeg, "deg", kVArgs, 0, kV, kStable},
    Function{Id::kDelta, "delta", kMArgs, 0, kV, kStable},
    Function{Id::kDeriv, "deriv", kMArgs, 0, kV, kStable},
    Function{Id::kDoubleExponentialSmoothing, "double_exponential_smoothing", kMSSArgs, 0, kV,
             kExperimental},
    Function{Id::kEnd, "end", {}, 0, kS, kExperimental},
    Function{Id::kExp, "exp", kVArgs, 0, kV, kStable},
    Function{Id::kFirstOverTime, "first_over_time", kMArgs, 0, kV, kExperimental},
    Function{Id::kFloor, "floor", kVArgs, 0, kV, kStable},
    Function{Id::kHistogramAvg, "histogram_avg", kVArgs, 0, kV, kStable},
    Function{Id::kHistogramCount, "histogram_count", kVArgs, 0, kV, kStable},
    Function{Id::kHistogramFraction, "histogram_fraction", kSSVArgs, 0, kV, kStable},
    Function{Id::kHistogramQuantile, "histogram_quantile", kSVArgs, 0, kV, kStable},
    Function{Id::kHistogramQuantiles, "histogram_quantiles", kVTSSArgs, 9, kV, kExperimental},
    Function{Id::kHistogramStddev, "histogram_stddev", kVArgs, 0, kV, kStable},
    Function{Id::kHistogramStdvar, "histogram_stdvar", kVArgs, 0, kV, kStable},
    Function{Id::kHistogramSum, "histogram_sum", kVArgs, 0, kV, kStable},
    Function{Id::kHour, "hour", kVArgs, 1, kV, kStable},
    Function{Id::kIdelta, "idelta", kMArgs, 0, kV, kStable},
    Function{Id::kIncrease, "increase", kMArgs, 0, kV, kStable},
    Function{Id::kInfo, "info", kVVArgs, 1, kV, kExperimental},
    Function{Id::kIrate, "irate", kMArgs, 0, kV, kStable},
    Function{Id::kLabelJoin, "label_join", kVTTTArgs, kAnyNumber, kV, kStable},
    Function{Id::kLabelReplace, "label_replace", kVTTTTArgs, 0, kV, kStable},
    Function{Id::kLastOverTime, "last_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kLn, "ln", kVArgs, 0, kV, kStable},
    Function{Id::kLog10, "log10", kVArgs, 0, kV, kStable},
    Function{Id::kLog2, "log2", kVArgs, 0, kV, kStable},
    Function{Id::kMadOverTime, "mad_over_time", kMArgs, 0, kV, kExperimental},
    Function{Id::kMaxOf, "max_of", kSSArgs, 0, kS, kExperimental},
    Function{Id::kMaxOverTime, "max_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kMinOf, "min_of", kSSArgs, 0, kS, kExperimental},
    Function{Id::kMinOverTime, "min_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kMinute, "minute", kVArgs, 1, kV, kStable},
    Function{Id::kMonth, "month", kVArgs, 1, kV, kStable},
    Function{Id::kPi, "pi", {}, 0, kS, kStable},
    Function{Id::kPredictLinear, "predict_linear", kMSArgs, 0, kV, kStable},
    Function{Id::kPresentOverTime, "present_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kQuantileOverTime, "quantile_over_time", kSMArgs, 0, kV, kStable},
    Function{Id::kRad, "rad", kVArgs, 0, kV, kStable},
    Function{Id::kRange, "range", {}, 0, kS, kExperimental},
    Function{Id::kRate, "rate", kMArgs, 0, kV, kStable},
    Function{Id::kResets, "resets", kMArgs, 0, kV, kStable},
    Function{Id::kRound, "round", kVSArgs, 1, kV, kStable},
    Function{Id::kScalar, "scalar", kVArgs, 0, kS, kStable},
    Function{Id::kSgn, "sgn", kVArgs, 0, kV, kStable},
    Function{Id::kSin, "sin", kVArgs, 0, kV, kStable},
    Function{Id::kSinh, "sinh", kVArgs, 0, kV, kStable},
    Function{Id::kSort, "sort", kVArgs, 0, kV, kStable},
    Function{Id::kSortByLabel, "sort_by_label", kVTArgs, kAnyNumber, kV, kExperimental},
    Function{Id::kSortByLabelDesc, "sort_by_label_desc", kVTArgs, kAnyNumber, kV, kExperimental},
    Function{Id::kSortDesc, "sort_desc", kVArgs, 0, kV, kStable},
    Function{Id::kSqrt, "sqrt", kVArgs, 0, kV, kStable},
    Function{Id::kStart, "start", {}, 0, kS, kExperimental},
    Function{Id::kStartTimestamp, "start_timestamp", kVArgs, 0, kV, kExperimental},
    Function{Id::kStddevOverTime, "stddev_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kStdvarOverTime, "stdvar_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kStep, "step", {}, 0, kS, kExperimental},
    Function{Id::kSumOverTime, "sum_over_time", kMArgs, 0, kV, kStable},
    Function{Id::kTan, "tan", kVArgs, 0, kV, kStable},
    Function{Id::kTanh, "tanh", kVArgs, 0, kV, kStable},
    Function{Id::kTime, "time", {}, 0, kS, kStable},
    Function{Id::kTimestamp, "timestamp", kVArgs, 0, kV, kStable},
    Function{Id::kTsOfFirstOverTime, "ts_of_first_over_time", kMArgs, 0, kV, kExperimental},
    Function{Id::kTsOfLastOverTime, "ts_of_last_over_time", kMArgs, 0, kV, kExperimental},
    Function{Id::kTsOfMaxOverTime, "ts_of_max_over_time", kMArgs, 0, kV, kExperimental},
    Function{Id::kTsOfMinOverTime, "ts_of_min_over_time", kMArgs, 0, kV, kExperimental},
    Function{Id::kVector, "vector", kSArgs, 0, kV, kStable},
    Function{Id::kYear, "year", kVArgs, 1, kV, kStable},
};

static_assert(std::is_sorted(kFunctions.begin(), kFunctions.end(),
                             [](const Function& a, const Function& b) { return a.name < b.name; }));

}  // namespace

std::span<const Function> Functions() { return kFunctions; }

const Function* FindFunction(std::string_view name) {
  const auto* const at =
      std::lower_bound(kFunctions.begin(), kFunctions.end(), name,
                       [](const Function& f, std::string_view n) { return f.name < n; });
  return at != kFunctions.end() && at->name == name ? at : nullptr;
}

}  // namespace skep::promql
