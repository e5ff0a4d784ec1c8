#include "evaluator/template/methods.h"

#include <chrono>
#include <string>

#include "evaluator/template/format.h"

namespace skep::templates {
namespace {

using Arguments = std::span<const Value>;

Error WrongNumber(std::size_t want, std::size_t got) {
  return Invalid("wrong number of args: want " + std::to_string(want) + " got " +
                 std::to_string(got));
}

Error WrongType(std::string_view want, const Value& got) {
  return Invalid("wrong type for value; expected " + std::string(want) + "; got " +
                 std::string(got.TypeName()));
}

// A method without arguments.
template <typename F>
Methods::Method Plain(F function) {
  return [function](const Value& self, Arguments arguments) -> Result<Value> {
    if (!arguments.empty()) return WrongNumber(0, arguments.size());
    return Value(function(self));
  };
}

// A method of one argument of one kind.
template <typename F>
Methods::Method Taking(Value::Kind kind, std::string_view type, F function) {
  return [kind, type, function](const Value& self, Arguments arguments) -> Result<Value> {
    if (arguments.size() != 1) return WrongNumber(1, arguments.size());
    if (arguments[0].kind() != kind) return WrongType(type, arguments[0]);
    return Value(function(self, arguments[0]));
  };
}

std::chrono::year_month_day DateOf(const Value& time) {
  return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time.AsTime()));
}

// A part of the time as a number, by Go layout.
Methods::Method Part(std::string_view layout) {
  return Plain([layout](const Value& t) {
    return static_cast<std::int64_t>(std::stol(FormatTimeLayout(t.AsTime(), layout)));
  });
}

Methods::Method Text(std::string_view layout) {
  return Plain([layout](const Value& t) { return FormatTimeLayout(t.AsTime(), layout); });
}

Timestamp Plus(Timestamp time, Nanoseconds duration) {
  return time + std::chrono::duration_cast<Duration>(duration);
}

Methods TimeMethods() {
  using Kind = Value::Kind;
  const auto utc = Plain([](const Value& t) { return t.AsTime(); });
  return {{
      {"Format", Taking(Kind::kString, "string",
                        [](const Value& t, const Value& layout) {
                          return FormatTimeLayout(t.AsTime(), layout.AsString());
                        })},
      {"String", Plain([](const Value& t) { return FormatTimeGo(t.AsTime()); })},
      {"UTC", utc},
      {"Local", utc},
      {"Unix", Plain([](const Value& t) {
         return static_cast<std::int64_t>(
             std::chrono::floor<std::chrono::seconds>(t.AsTime()).time_since_epoch().count());
       })},
      {"UnixMilli", Plain([](const Value& t) { return ToMillis(t.AsTime()); })},
      {"Year", Plain([](const Value& t) { return int(DateOf(t).year()); })},
      {"Month", Text("January")},
      {"Weekday", Text("Monday")},
      {"Day", Part("2")},
      {"YearDay", Part("002")},
      {"Hour", Part("15")},
      {"Minute", Part("4")},
      {"Second", Part("5")},
      {"Nanosecond", Plain([](const Value& t) {
         const std::int64_t ms = ToMillis(t.AsTime()) % 1000;
         return (ms < 0 ? ms + 1000 : ms) * 1'000'000;
       })},
      {"IsZero", Plain([](const Value&) { return false; })},
      {"Add",
       Taking(Kind::kDuration, "time.Duration",
              [](const Value& t, const Value& d) { return Plus(t.AsTime(), d.AsDuration()); })},
      {"Sub", Taking(Kind::kTime, "time.Time",
                     [](const Value& t, const Value& other) {
                       return Nanoseconds(t.AsTime() - other.AsTime());
                     })},
      {"Before",
       Taking(Kind::kTime, "time.Time",
              [](const Value& t, const Value& other) { return t.AsTime() < other.AsTime(); })},
      {"After",
       Taking(Kind::kTime, "time.Time",
              [](const Value& t, const Value& other) { return t.AsTime() > other.AsTime(); })},
      {"Equal",
       Taking(Kind::kTime, "time.Time",
              [](const Value& t, const Value& other) { return t.AsTime() == other.AsTime(); })},
  }};
}

Methods::Method In(double unit_ns) {
  return Plain(
      [unit_ns](const Value& d) { return static_cast<double>(d.AsDuration().count()) / unit_ns; });
}

Methods::Method Whole(std::int64_t unit_ns) {
  return Plain([unit_ns](const Value& d) { return d.AsDuration().count() / unit_ns; });
}

Nanoseconds Truncated(Nanoseconds duration, Nanoseconds unit) {
  return unit.count() <= 0 ? duration : duration - duration % unit;
}

Nanoseconds Rounded(Nanoseconds duration, Nanoseconds unit) {
  if (unit.count() <= 0) return duration;
  const Nanoseconds rest = duration % unit;
  const Nanoseconds low = duration - rest;
  if (rest >= Nanoseconds::zero()) return rest + rest < unit ? low : low + unit;
  return -rest - rest < unit ? low : low - unit;
}

Methods DurationMethods() {
  using Kind = Value::Kind;
  return {{
      {"String", Plain([](const Value& d) { return FormatDurationGo(d.AsDuration()); })},
      {"Seconds", In(1e9)},
      {"Minutes", In(6e10)},
      {"Hours", In(3.6e12)},
      {"Milliseconds", Whole(1'000'000)},
      {"Microseconds", Whole(1000)},
      {"Nanoseconds", Whole(1)},
      {"Abs", Plain([](const Value& d) { return std::chrono::abs(d.AsDuration()); })},
      {"Truncate", Taking(Kind::kDuration, "time.Duration",
                          [](const Value& d, const Value& unit) {
                            return Truncated(d.AsDuration(), unit.AsDuration());
                          })},
      {"Round", Taking(Kind::kDuration, "time.Duration",
                       [](const Value& d, const Value& unit) {
                         return Rounded(d.AsDuration(), unit.AsDuration());
                       })},
  }};
}

}  // namespace

const Methods::Method* FindMethod(const Value& value, std::string_view name) {
  static const Methods kTime = TimeMethods();
  static const Methods kDuration = DurationMethods();
  const Methods* methods = value.kind() == Value::Kind::kTime       ? &kTime
                           : value.kind() == Value::Kind::kDuration ? &kDuration
                                                                    : value.methods();
  if (methods == nullptr) return nullptr;
  const auto found = methods->by_name.find(name);
  return found == methods->by_name.end() ? nullptr : &found->second;
}

}  // namespace skep::templates
