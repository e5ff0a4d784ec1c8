#include "tests/support/promql_oracle/extended.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace skep::oracle {
namespace {

using Answer = std::optional<double>;

enum class Kind { kCounter, kGauge };

// A counter that fell between the two began again at zero.
double OnLine(const Sample& a, const Sample& b, Timestamp at, Kind kind) {
  const double from = kind == Kind::kCounter && b.value < a.value ? 0 : a.value;
  return from + (b.value - from) * static_cast<double>((at - a.time).count()) /
                    static_cast<double>((b.time - a.time).count());
}

// The newest at or before `at`; null if there is none.
const Sample* AtOrBefore(std::span<const Sample> samples, Timestamp at) {
  const Sample* found = nullptr;
  for (const Sample& sample : samples) {
    if (sample.time <= at) found = &sample;
  }
  return found;
}

// The oldest at or behind `at`; null if there is none.
const Sample* AtOrBehind(std::span<const Sample> samples, Timestamp at) {
  for (const Sample& sample : samples) {
    if (sample.time >= at) return &sample;
  }
  return nullptr;
}

// What goes from the start of the range to its end: a value there, the samples between, a value
// there.
std::vector<double> AnchoredValues(const Window& w) {
  const Sample* const before = AtOrBefore(w.samples, w.end - w.range);
  std::vector<double> values;
  if (before != nullptr) values.push_back(before->value);
  for (const Sample& sample : w.samples) {
    if (sample.time > w.end - w.range) values.push_back(sample.value);
  }
  return values;
}

std::vector<double> SmoothedValues(const Window& w, Kind kind) {
  const Timestamp start = w.end - w.range;
  const Sample* const before = AtOrBefore(w.samples, start);
  const Sample* const behind = AtOrBehind(w.samples, w.end);
  std::vector<double> values;
  if (before != nullptr) {
    values.push_back(before->time == start ? before->value
                                           : OnLine(*before, *(before + 1), start, kind));
  }
  for (const Sample& sample : w.samples) {
    if (sample.time > start && sample.time < w.end) values.push_back(sample.value);
  }
  if (behind != nullptr) {
    values.push_back(behind->time == w.end ? behind->value
                                           : OnLine(*(behind - 1), *behind, w.end, kind));
  }
  return values;
}

// Nothing in the range or behind it; or nothing until the range is over.
bool IsBeside(const Window& w, Extension extension) {
  if (w.samples.back().time <= w.end - w.range) return true;
  return extension == Extension::kSmoothed && w.samples.front().time > w.end;
}

Answer Change(const Window& w, Extension extension, Kind kind) {
  const std::vector<double> values =
      extension == Extension::kSmoothed ? SmoothedValues(w, kind) : AnchoredValues(w);
  double lost = 0;  // by resets; added last, so Prometheus rounds
  for (std::size_t i = 1; kind == Kind::kCounter && i < values.size(); ++i) {
    if (values[i] < values[i - 1]) lost += values[i - 1];
  }
  return values.back() - values.front() + lost;
}

template <typename Counts>
Answer CountAnchored(const Window& w, Counts counts) {
  const std::vector<double> values = AnchoredValues(w);
  double count = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (counts(values[i - 1], values[i])) count += 1;
  }
  return count;
}

}  // namespace

Status CheckExtended(std::string_view name, Extension extension) {
  if (extension == Extension::kNone) return {};
  const bool counts = name == "changes" || name == "resets";
  const bool changes = name == "rate" || name == "increase" || name == "delta";
  if (!changes && !(counts && extension == Extension::kAnchored)) {
    return Invalid("anchored or smoothed does not go with " + std::string(name));
  }
  return {};
}

Answer OverExtended(std::string_view name, Extension extension, const Window& window) {
  if (IsBeside(window, extension)) return Answer();
  if (name == "resets") return CountAnchored(window, [](double a, double b) { return b < a; });
  if (name == "changes") {
    return CountAnchored(
        window, [](double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); });
  }
  const Answer change = Change(window, extension, name == "delta" ? Kind::kGauge : Kind::kCounter);
  return name == "rate" ? Answer(*change / ToSeconds(window.range)) : change;
}

Answer Smoothed(std::span<const Sample> samples, Timestamp at) {
  const Sample* const before = AtOrBefore(samples, at);
  const Sample* const behind = AtOrBehind(samples, at);
  if (before == nullptr) return std::nullopt;
  if (behind == nullptr || before->time == at) return before->value;
  return OnLine(*before, *behind, at, Kind::kGauge);
}

}  // namespace skep::oracle
