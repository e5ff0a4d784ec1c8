#include "tests/support/promql_oracle/native_over_time.h"

#include <algorithm>
#include <cmath>

namespace skep::oracle {
namespace {

using Answer = std::optional<Quantity>;

Answer Number(double value) { return Quantity{value, nullptr}; }
Answer Given(Native native) {
  return Quantity{0, std::make_shared<const Native>(std::move(native))};
}

struct Point {
  Timestamp time;
  Quantity quantity;
};

// Floats and histograms in the order of time.
std::vector<Point> PointsOf(const Window& w) {
  std::vector<Point> points;
  for (const Sample& sample : w.samples) points.push_back({sample.time, {sample.value, nullptr}});
  for (const NativeSample& native : w.natives) points.push_back({native.time, {0, native.native}});
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.time < b.time; });
  return points;
}

// --- rate, increase, delta ---

// What the first of a counter's histograms is worth: nothing where the second began anew.
Native FirstOf(const std::vector<NativePtr>& list, bool counter) {
  if (!counter || !BeganAnew(*list[1], *list[0])) return *list[0];
  Native nothing;
  nothing.schema = list[1]->schema;
  nothing.bounds = list[1]->bounds;
  return nothing;
}

// From the first to the last; what a counter lost is added. Empty: kinds are mixed.
std::optional<Native> Change(const std::vector<NativePtr>& list, bool counter) {
  Native before = FirstOf(list, counter);
  const Native& last = *list.back();
  int schema = std::min(before.schema, last.schema);
  for (std::size_t i = 1; counter && i < list.size(); ++i) {
    if (list[i]->custom() != before.custom()) return std::nullopt;
    schema = std::min(schema, list[i]->schema);
  }
  if (last.custom() != before.custom()) return std::nullopt;
  std::optional<Native> change = last.custom() ? last : Coarsened(last, schema);
  change = Minus(*change, before);
  for (std::size_t i = 1; counter && change && i < list.size(); ++i) {
    if (BeganAnew(*list[i], before)) change = Plus(*change, before);
    before = *list[i];
  }
  if (!change) return change;
  change->gauge = true;
  return Compacted(std::move(*change));
}

std::vector<NativePtr> Values(const Window& w) {
  std::vector<NativePtr> out;
  for (const NativeSample& sample : w.natives) out.push_back(sample.native);
  return out;
}

// As for floats, by the counts.
Answer Extrapolated(const Window& w, bool counter, double seconds) {
  if (w.natives.size() < 2) return std::nullopt;
  const std::optional<Native> change = Change(Values(w), counter);
  if (!change) return std::nullopt;
  const double sampled = ToSeconds(w.natives.back().time - w.natives.front().time);
  const double interval = sampled / static_cast<double>(w.natives.size() - 1);
  const double near = interval * 1.1;
  double before = ToSeconds(w.natives.front().time - (w.end - w.range));
  if (before >= near) before = interval / 2;
  const double first = w.natives.front().native->count;
  if (counter && change->count > 0 && first >= 0) {
    before = std::min(before, sampled * (first / change->count));
  }
  double behind = ToSeconds(w.end - w.natives.back().time);
  if (behind >= near) behind = interval / 2;
  return Given(Times(*change, (sampled + before + behind) / sampled / seconds));
}

Answer ChangeOf(std::string_view name, const Window& w) {
  if (!w.samples.empty()) return std::nullopt;
  const double seconds = name == "rate" ? ToSeconds(w.range) : 1;
  return Extrapolated(w, name != "delta", seconds);
}

// --- the same, anchored or smoothed ---

std::size_t CountUntil(const Window& w, Timestamp last) {
  std::size_t count = 0;
  while (count < w.natives.size() && w.natives[count].time <= last) ++count;
  return count;
}

// The histograms at the two ends and those between. Empty: there are none, or kinds are mixed.
std::vector<NativePtr> Spanned(const Window& w, Extension extension, bool counter) {
  const Timestamp start = w.end - w.range;
  const auto& n = w.natives;
  const std::size_t until_start = CountUntil(w, start);
  const std::size_t first = until_start == 0 ? 0 : until_start - 1;
  std::size_t last = n.size() - 1;
  if (extension == Extension::kSmoothed) {
    last = std::min(last, CountUntil(w, w.end - Duration(1)));
  }
  if (n[last].time <= start || n[first].time > w.end) return {};
  for (std::size_t i = first; i <= last; ++i) {
    if (n[i].native->custom() != n[first].native->custom()) return {};
  }
  std::vector<NativePtr> out;
  for (std::size_t i = first; i <= last; ++i) out.push_back(n[i].native);
  if (extension != Extension::kSmoothed) return out;
  if (n[first].time < start && last > first) {
    out.front() = BetweenNatives(n[first], n[first + 1], start, counter);
  }
  if (n[last].time > w.end && last > 0) {
    out.back() = BetweenNatives(n[last - 1], n[last], w.end, counter);
  }
  return out;
}

Answer ExtendedChange(std::string_view name, Extension extension, const Window& w) {
  if (!w.samples.empty()) return std::nullopt;
  const bool counter = name != "delta";
  const std::vector<NativePtr> list = Spanned(w, extension, counter);
  if (list.empty()) return std::nullopt;
  std::optional<Native> change = Minus(*list.back(), *list.front());
  for (std::size_t i = 1; counter && change && i < list.size(); ++i) {
    if (BeganAnew(*list[i], *list[i - 1])) change = Plus(*change, *list[i - 1]);
  }
  if (!change) return std::nullopt;
  if (name == "rate") change = Over(*change, ToSeconds(w.range));
  change->gauge = true;
  return Given(Compacted(*change));
}

// --- the last two ---

Answer LastTwo(std::string_view name, const Window& w, const std::vector<double>& scalars) {
  const std::vector<Point> points = PointsOf(w);
  if (points.size() < 2) return std::nullopt;
  const Point& last = points.back();
  const Point& before = points[points.size() - 2];
  if ((last.quantity.native == nullptr) != (before.quantity.native == nullptr)) return std::nullopt;
  if (last.quantity.native == nullptr) {
    Window floats = w;
    floats.natives = {};
    const auto value = OverTime(name, floats, scalars);
    return value && *value ? Number(**value) : std::nullopt;
  }
  std::optional<Native> change = *last.quantity.native;
  const bool counter = name == "irate";
  if (!counter || !BeganAnew(*last.quantity.native, *before.quantity.native)) {
    change = Minus(*last.quantity.native, *before.quantity.native);
  }
  if (!change) return std::nullopt;
  change->gauge = true;
  if (counter) change = Over(*change, ToSeconds(last.time - before.time));
  return Given(Compacted(*change));
}

// --- counting ---

bool Changed(const Quantity& a, const Quantity& b) {
  if ((a.native == nullptr) != (b.native == nullptr)) return true;
  if (a.native != nullptr) return !Identical(*a.native, *b.native);
  return a.number != b.number && !(std::isnan(a.number) && std::isnan(b.number));
}

bool WasReset(const Quantity& a, const Quantity& b) {
  if ((a.native == nullptr) != (b.native == nullptr)) return true;
  return a.native != nullptr ? BeganAnew(*b.native, *a.native) : b.number < a.number;
}

Answer CountSteps(std::string_view name, Extension extension, const Window& w) {
  std::vector<Point> points = PointsOf(w);
  if (extension == Extension::kAnchored) {
    const Timestamp start = w.end - w.range;
    if (points.back().time <= start) return std::nullopt;
    while (points.size() > 1 && points[1].time <= start) points.erase(points.begin());
  }
  double count = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto counts = name == "changes" ? Changed : WasReset;
    if (counts(points[i - 1].quantity, points[i].quantity)) count += 1;
  }
  return Number(count);
}

// --- the rest ---

Answer Folded(std::string_view name, const Window& w) {
  if (!w.samples.empty()) return std::nullopt;
  const std::vector<NativePtr> list = Values(w);
  const std::optional<Native> total = name == "sum_over_time" ? SumOfAll(list) : MeanOfAll(list);
  return total ? Given(*total) : std::nullopt;
}

// Empty: it looks at floats alone.
std::optional<Answer> OfEnds(std::string_view name, const Window& w) {
  const std::vector<Point> points = PointsOf(w);
  if (name == "count_over_time") return Number(static_cast<double>(points.size()));
  if (name == "present_over_time") return Number(1);
  if (name == "first_over_time") return Answer(points.front().quantity);
  if (name == "last_over_time") return Answer(points.back().quantity);
  if (name == "ts_of_first_over_time") return Number(ToSeconds(points.front().time));
  if (name == "ts_of_last_over_time") return Number(ToSeconds(points.back().time));
  return std::nullopt;
}

Result<Answer> OfFloats(std::string_view name, Window w, const std::vector<double>& scalars) {
  w.natives = {};
  if (w.samples.empty()) return Answer();
  const auto value = OverTime(name, w, scalars);
  if (!value) return value.error();
  return *value ? Number(**value) : Answer();
}

}  // namespace

Result<Answer> OverNatives(std::string_view name, Extension extension, const Window& window,
                           const std::vector<double>& scalars) {
  const bool changes = name == "rate" || name == "increase" || name == "delta";
  if (changes && extension != Extension::kNone) return ExtendedChange(name, extension, window);
  if (changes) return ChangeOf(name, window);
  if (name == "irate" || name == "idelta") return LastTwo(name, window, scalars);
  if (name == "changes" || name == "resets") return CountSteps(name, extension, window);
  if (name == "sum_over_time" || name == "avg_over_time") return Folded(name, window);
  if (const auto of_ends = OfEnds(name, window)) return *of_ends;
  return OfFloats(name, window, scalars);
}

NativePtr BetweenNatives(const NativeSample& left, const NativeSample& right, Timestamp at,
                         bool counter) {
  if (at == left.time) return left.native;
  if (at == right.time) return right.native;
  if (left.native->custom() != right.native->custom()) return nullptr;
  const double part = static_cast<double>((at - left.time).count()) /
                      static_cast<double>((right.time - left.time).count());
  if (counter && BeganAnew(*right.native, *left.native)) {
    return std::make_shared<const Native>(Times(*right.native, part));
  }
  const Native rise = Times(*Minus(*right.native, *left.native), part);
  return std::make_shared<const Native>(*Plus(rise, *left.native));
}

}  // namespace skep::oracle
