#include "tests/support/promql_oracle/random_expression.h"

#include <array>
#include <vector>

namespace skep::oracle {
namespace {

// Joins texts, so that an expression reads as it is written.
template <typename... Parts>
std::string Text(const Parts&... parts) {
  std::string out;
  (out.append(parts), ...);
  return out;
}

constexpr std::array kOverTime{"avg_over_time",
                               "changes",
                               "count_over_time",
                               "delta",
                               "deriv",
                               "first_over_time",
                               "idelta",
                               "increase",
                               "irate",
                               "last_over_time",
                               "mad_over_time",
                               "max_over_time",
                               "min_over_time",
                               "present_over_time",
                               "rate",
                               "resets",
                               "stddev_over_time",
                               "stdvar_over_time",
                               "sum_over_time",
                               "absent_over_time",
                               "ts_of_first_over_time",
                               "ts_of_max_over_time",
                               "ts_of_min_over_time",
                               "ts_of_last_over_time"};

constexpr std::array kOfValue{"abs", "acos",  "acosh", "asin", "asinh", "atan", "atanh", "ceil",
                              "cos", "cosh",  "deg",   "exp",  "floor", "ln",   "log10", "log2",
                              "rad", "round", "sgn",   "sin",  "sinh",  "sqrt", "tan",   "tanh"};

constexpr std::array kDates{"day_of_month", "day_of_week", "day_of_year", "days_in_month",
                            "hour",         "minute",      "month",       "year"};

}  // namespace

std::string RandomExpression::Any(int depth) {
  return random_.OneIn(15) ? Scalar(depth) : Vector(depth);
}

std::string RandomExpression::Vector(int depth) {
  if (depth <= 0) {
    return random_.OneIn(12) ? Selector() + " smoothed" + Modifier() : Selector() + Modifier();
  }
  --depth;
  switch (random_.Below(18)) {
    case 14:
    case 15:
      return Native(depth + 1);
    case 16:
    case 17:
      return OfNative(depth);
    case 0:
    case 1:
    case 2:
      return OverTime(depth);
    case 3:
      return OfValue(depth);
    case 4:
    case 5:
      return Aggregation(depth);
    case 6:
      return Choice(depth);
    case 7:
    case 8:
      return Between(depth);
    case 9:
      return SetOperation(depth);
    case 10:
      return WithScalar(depth);
    case 11:
      return Histogram(depth);
    case 12:
      return Relabelled(depth);
    default:
      return Other(depth);
  }
}

// --- selectors ---

std::string RandomExpression::Selector() {
  if (random_.OneIn(8))
    return random_.Of({"huge", "huge{inst=\"1\"}", "odd", "odd", "odd{inst=\"1\"}"});
  if (random_.OneIn(8)) {
    return random_.Of({"{__name__=~\"gauge|temp\"}", "{job=\"a\",__name__!~\"lat.*\"}",
                       "{__name__=~\"big|tiny\",inst=\"1\"}", "{inst=\"2\"}"});
  }
  if (random_.OneIn(5)) {
    return random_.Of({"nh", "nh", "nh{job=\"a\"}", "nh{inst=\"1\"}", "nhg", "nhcb",
                       "nhcb{job=\"a\"}", "mixed", "mixed{inst=\"1\"}",
                       "{__name__=~\"nh.*\",job=\"a\"}", "{__name__=~\"nh|gauge\",inst=\"1\"}"});
  }
  const char* const name = random_.Of({"req_total", "req_total", "gauge", "gauge", "temp", "temp",
                                       "big", "tiny", "lat_bucket", "info", "nothing"});
  if (random_.OneIn(2)) return name;
  return Text(
      name, "{",
      random_.Of({"job=\"a\"", "inst=\"1\"", "inst=~\"1|2\"", "job!=\"b\"", "job=~\"a.*\"",
                  "extra=\"\"", "inst!~\"[12]\",job=\"a\"", "job=\"a\",job!=\"a\"",
                  "job=\"c\",job=\"b\"", "job=\"z\",le=\"1\"", "le=\"1\"", "inst=\"1\",job=\"b\""}),
      "}");
}

std::string RandomExpression::Modifier() {
  if (!random_.OneIn(4)) return "";
  return random_.Of({" offset 1m", " offset 37s", " offset -45s", " @ 1700000600", " @ start()",
                     " @ end()", " @ 1700001200.5 offset 30s", " offset 15s @ end()"});
}

std::string RandomExpression::Span() {
  return random_.Of({"14s", "15s", "30s", "47s", "1m", "1m", "2m", "5m", "7m13s"});
}

std::string RandomExpression::Range(int depth) {
  if (depth <= 0 || !random_.OneIn(4)) return Text(Selector(), "[", Span(), "]", Modifier());
  const char* const steps =
      random_.Of({"[1m:15s]", "[2m:20s]", "[5m:1m]", "[5m:]", "[47s:7s]", "[3m:50s]", "[10s:1m]"});
  return Text("(", Vector(depth - 1), ")", steps, Modifier());
}

// A range that looks beyond its ends, with a function that takes it more often than not.
std::string RandomExpression::Extended() {
  const char* const function =
      random_.Of({"rate", "increase", "delta", "rate", "increase", "delta", "changes", "resets",
                  "max_over_time", "absent_over_time"});
  return Text(function, "(", Selector(), "[", Span(), "]", random_.Of({" anchored", " smoothed"}),
              Modifier(), ")");
}

// --- functions ---

std::string RandomExpression::OverTime(int depth) {
  switch (random_.Below(14)) {
    case 12:
    case 13:
      return Extended();
    case 0:
      return Text("quantile_over_time(", Scalar(0), ", ", Range(depth), ")");
    case 1:
      return Text("predict_linear(", Range(depth), ", ", Scalar(depth), ")");
    case 2:
      return Text("double_exponential_smoothing(", Range(depth), ", ",
                  random_.Of({"0.5", "0.1", "0.9", "1.5"}), ", 0.3)");
    default:
      return Text(random_.Of(kOverTime), "(", Range(depth), ")");
  }
}

std::string RandomExpression::OfValue(int depth) {
  const std::string vector = Vector(depth);
  switch (random_.Below(8)) {
    case 0:
      return Text("clamp(", vector, ", ", Scalar(depth), ", ", Scalar(0), ")");
    case 1:
      return Text(random_.Of({"clamp_min", "clamp_max"}), "(", vector, ", ", Scalar(depth), ")");
    case 2:
      return Text("round(", vector, ", ", random_.Of({"0.1", "5", "1", "0", "-2"}), ")");
    case 3:
      return Text(random_.Of(kDates), "(", vector, ")");
    default:
      return Text(random_.Of(kOfValue), "(", vector, ")");
  }
}

// Histograms most of the time.
std::string RandomExpression::Native(int depth) {
  if (depth <= 0 || random_.OneIn(4)) {
    return Text(random_.Of({"nh", "nhg", "nhcb", "mixed", "nh{job=\"a\"}", "nhcb{job=\"b\"}"}),
                random_.OneIn(12) ? " smoothed" : "", Modifier());
  }
  --depth;
  switch (random_.Below(7)) {
    case 0:
    case 1:
      return Text(random_.Of({"rate", "increase", "delta", "irate", "idelta", "sum_over_time",
                              "avg_over_time", "last_over_time"}),
                  "(", NativeRange(depth), ")");
    case 2:
      return Text(random_.Of({"sum", "avg", "sum"}), Grouping(), "(", Native(depth), ")");
    case 3:
      return Text("(", Native(depth), ") ", random_.Of({"+ ", "- ", "== ", "!= "}),
                  random_.Of({"on (job) group_left ", "on (inst, job) ",
                              "ignoring (inst) group_right ", ""}),
                  "(", Native(depth), ")");
    case 4:
      return Text("(", Native(depth), ") ", random_.Of({"* ", "/ "}), "(", Scalar(depth), ")");
    case 5:
      return Text("-(", Native(depth), ")");
    default:
      return Text("(", Native(depth), ") ", random_.Of({"and ", "or ", "unless "}), "(",
                  Native(depth), ")");
  }
}

std::string RandomExpression::NativeRange(int depth) {
  if (depth > 0 && random_.OneIn(5)) {
    return Text("(", Native(depth - 1), ")", random_.Of({"[1m:15s]", "[2m:20s]", "[5m:1m]"}),
                Modifier());
  }
  return Text(random_.Of({"nh", "nhg", "nhcb", "mixed", "nh{job=\"a\"}", "nhcb{job=\"b\"}"}), "[",
              Span(), "]", random_.Of({"", "", "", " anchored", " smoothed"}), Modifier());
}

// A number of each histogram.
std::string RandomExpression::OfNative(int depth) {
  switch (random_.Below(5)) {
    case 0:
      return Text("histogram_quantile(",
                  random_.Of({"0.5", "0.9", "0", "1", "-1", "1.5", "NaN", "0.01"}), ", ",
                  Native(depth), ")");
    case 1:
      return Text("histogram_fraction(", random_.Of({"0", "0.3", "-Inf", "NaN", "-3"}), ", ",
                  random_.Of({"0.7", "1", "+Inf", "0.05", "-2"}), ", ", Native(depth), ")");
    case 2:
      return Text(random_.Of({"changes", "resets", "count_over_time", "present_over_time",
                              "ts_of_last_over_time", "max_over_time"}),
                  "(", NativeRange(depth), ")");
    default:
      return Text(random_.Of({"histogram_count", "histogram_sum", "histogram_avg",
                              "histogram_stddev", "histogram_stdvar"}),
                  "(", Native(depth), ")");
  }
}

std::string RandomExpression::Histogram(int depth) {
  const std::string buckets =
      random_.OneIn(6) ? Vector(depth)
                       : random_.Of({"lat_bucket", "rate(lat_bucket[2m])", "lat_bucket{job=\"a\"}",
                                     "sum by (le) (lat_bucket)", "lat_bucket offset 1m",
                                     "sum without (job) (increase(lat_bucket[5m]))",
                                     "{__name__=~\"lat_bucket|gauge\"}"});
  if (random_.OneIn(3)) {
    return Text("histogram_fraction(", random_.Of({"0", "0.3", "-Inf", "NaN", "-3"}), ", ",
                random_.Of({"0.7", "1", "+Inf", "0.05", "-2"}), ", ", buckets, ")");
  }
  return Text("histogram_quantile(", random_.Of({"0.5", "0.9", "0", "1", "-1", "1.5", "NaN"}), ", ",
              buckets, ")");
}

std::string RandomExpression::Relabelled(int depth) {
  const std::string vector = Vector(depth);
  if (random_.OneIn(3)) {
    return Text("label_join(", vector, ", \"", random_.Of({"j", "inst", "__name__"}),
                "\", \"-\", \"job\", \"inst\")");
  }
  return Text("label_replace(", vector, ", \"", random_.Of({"x", "job", "inst", "__name__"}),
              "\", \"", random_.Of({"$1", "v-$1", "", "${1}y", "same"}), "\", \"",
              random_.Of({"job", "inst", "none", "__name__"}), "\", \"",
              random_.Of({"(.*)", "(a|1)", "(.+)", ".*(.)"}), "\")");
}

std::string RandomExpression::Other(int depth) {
  switch (random_.Below(8)) {
    case 0:
      return Text("-(", Vector(depth), ")");
    case 1:
      return Text("absent(", random_.OneIn(2) ? Selector() + Modifier() : Vector(depth), ")");
    case 2:
      return Text("timestamp(", random_.OneIn(2) ? Selector() + Modifier() : Vector(depth), ")");
    case 3:
      return Text("vector(", Scalar(depth), ")");
    case 4:
      return Text(random_.Of(kDates), "()");
    case 5:
      if (random_.OneIn(2)) {
        return Text(random_.Of({"sort_by_label", "sort_by_label_desc"}), "(", Vector(depth),
                    ", \"inst\")");
      }
      return Text(random_.Of({"sort", "sort_desc"}), "(", Vector(depth), ")");
    case 6:
      return Text("(", Vector(depth), ")");
    default:
      return Selector() + Modifier();
  }
}

// --- operators ---

std::string RandomExpression::Labels() {
  std::vector<const char*> names{"job", "inst", "le", "team", "extra", "__name__"};
  std::string out = "(";
  for (std::uint64_t left = random_.Below(4); left > 0; --left) {
    const std::uint64_t at = random_.Below(names.size());
    out.append(out.size() > 1 ? ", " : "").append(names[at]);
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return out + ")";
}

std::string RandomExpression::Grouping() {
  if (random_.OneIn(4)) return "";
  return Text(random_.Of({" by ", " without "}), Labels(), " ");
}

std::string RandomExpression::Aggregation(int depth) {
  if (random_.OneIn(8)) {
    return Text("quantile", Grouping(), "(", Scalar(0), ", ", Vector(depth), ")");
  }
  if (random_.OneIn(8)) {
    return Text("count_values", Grouping(), "(\"", random_.Of({"v", "job", "inst"}), "\", ",
                Vector(depth), ")");
  }
  return Text(random_.Of({"sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"}),
              Grouping(), "(", Vector(depth), ")");
}

std::string RandomExpression::Choice(int depth) {
  return Text(random_.Of({"topk", "bottomk", "limitk"}), Grouping(), "(",
              random_.Of({"1", "2", "3", "0", "-1", "1.9", "100", "NaN", "1e30"}), ", ",
              Ordered(depth), ")");
}

// Its elements come in the order of the selector's series.
std::string RandomExpression::Ordered(int depth) {
  if (depth <= 0 || random_.OneIn(2)) return Selector() + Modifier();
  if (random_.OneIn(2))
    return Text(random_.Of({"abs", "sgn", "floor"}), "(", Ordered(depth - 1), ")");
  return Text(random_.Of({"rate", "max_over_time", "last_over_time", "changes"}), "(", Range(0),
              ")");
}

std::string RandomExpression::Comparison() {
  return Text(random_.Of({"==", "!=", "<", "<=", ">", ">="}), random_.OneIn(2) ? " bool " : " ");
}

std::string RandomExpression::Arithmetic() {
  return Text(random_.Of({"+", "-", "*", "/", "%", "^", "atan2"}), " ");
}

std::string RandomExpression::Matching() {
  if (random_.OneIn(3)) return "";
  std::string out = Text(random_.Of({"on", "ignoring"}), Labels());
  if (random_.OneIn(2)) {
    out += random_.Of({" group_left", " group_right"});
    out += random_.Of({"", "()", "(team)", "(extra)", "(x)"});
  }
  if (random_.OneIn(8)) out += random_.Of({" fill(0)", " fill_left(1)", " fill_right(2)"});
  return out + " ";
}

std::string RandomExpression::Between(int depth) {
  const std::string op = random_.OneIn(2) ? Comparison() : Arithmetic();
  return Text("(", Vector(depth), ") ", op, Matching(), "(", Vector(depth), ")");
}

std::string RandomExpression::SetOperation(int depth) {
  const std::string matching =
      random_.OneIn(2) ? "" : Text(random_.Of({"on", "ignoring"}), Labels(), " ");
  return Text("(", Vector(depth), ") ", random_.Of({"and ", "or ", "or ", "unless "}), matching,
              "(", Vector(depth), ")");
}

std::string RandomExpression::WithScalar(int depth) {
  const std::string op = random_.OneIn(2) ? Comparison() : Arithmetic();
  if (random_.OneIn(3)) return Text("(", Scalar(depth), ") ", op, "(", Vector(depth), ")");
  return Text("(", Vector(depth), ") ", op, "(", Scalar(depth), ")");
}

// --- scalars ---

std::string RandomExpression::Scalar(int depth) {
  if (depth <= 0 || random_.OneIn(2)) {
    return random_.Of({"0", "1", "2", "-1", "0.5", "0.9", "3.7", "100", "1e9", "NaN", "Inf", "-Inf",
                       "time()", "pi()", "start()", "end()", "step()", "range()"});
  }
  switch (random_.Below(5)) {
    case 0:
      return Text("scalar(", Vector(depth - 1), ")");
    case 1:
      return Text("scalar(sum(", Vector(depth - 1), "))");
    case 2:
      return Text(random_.Of({"min_of", "max_of"}), "(", Scalar(depth - 1), ", ", Scalar(0), ")");
    case 3:
      return Text("-(", Scalar(depth - 1), ")");
    default:
      return Text("(", Scalar(depth - 1), " ",
                  random_.Of({"+", "-", "*", "/", "% ", "== bool", "> bool"}), " ", Scalar(0), ")");
  }
}

}  // namespace skep::oracle
