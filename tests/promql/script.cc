#include "tests/promql/script.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/model/histogram_math.h"
#include "common/model/regex.h"
#include "evaluator/promql/parser.h"
#include "tests/support/memory_store.h"

namespace skep::test {
namespace {

using promql::SequenceValue;

class MemoryScriptStore final : public ScriptStore {
 public:
  storage::Appendable& appendable() override { return store_; }
  storage::Queryable& queryable() override { return store_; }

 private:
  MemoryStore store_;
};

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Cuts the first word off.
std::string_view TakeWord(std::string_view& text) {
  text = Trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text = Trim(text.substr(word.size()));
  return word;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text = Trim(text.substr(prefix.size()));
  return true;
}

std::vector<std::string_view> Lines(std::string_view script) {
  std::vector<std::string_view> lines;
  while (!script.empty()) {
    const std::size_t end = script.find('\n');
    const std::string_view line = Trim(script.substr(0, end));
    lines.push_back(line.starts_with('#') ? std::string_view() : line);
    script.remove_prefix(end == std::string_view::npos ? script.size() : end + 1);
  }
  return lines;
}

// "5m", "90" (seconds), "-1m".
Result<Duration> ParseSpan(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Duration span{0};
  if (const std::optional<double> seconds = ParseDouble(text)) {
    span = Duration(std::llround(*seconds * 1000));
  } else {
    const Result<Duration> parsed = ParseDuration(text);
    if (!parsed) return parsed;
    span = *parsed;
  }
  return negative ? -span : span;
}

bool NearlyEqual(double expected, double got) {
  constexpr double kTolerance = 1e-6;
  constexpr double kSmallest = std::numeric_limits<double>::min();
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (expected == got) return true;
  const double sum = std::fabs(expected) + std::fabs(got);
  const double difference = std::fabs(expected - got);
  if (expected == 0 || got == 0 || sum < kSmallest) return difference < kTolerance * kSmallest;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

// `expect warn msg: …` and the like.
struct Expectation {
  std::vector<std::string> messages;
  std::vector<Regex> patterns;
  bool some = false;
  bool none = false;

  // What is wrong with `got`; "" if nothing.
  std::string Judge(std::string_view what, const std::vector<std::string>& got) const {
    if (none && !got.empty()) return "unexpected " + std::string(what) + ": " + got.front();
    if (some && got.empty()) return "expected " + std::string(what) + ", got none";
    if (messages.empty() && patterns.empty()) return {};
    for (const std::string& text : got) {
      if (!Allows(text)) return "unexpected " + std::string(what) + ": " + text;
    }
    for (const std::string& message : messages) {
      if (std::find(got.begin(), got.end(), message) == got.end()) {
        return "missing " + std::string(what) + ": " + message;
      }
    }
    for (const Regex& pattern : patterns) {
      const auto matches = [&pattern](const std::string& t) { return pattern.PartialMatch(t); };
      if (std::none_of(got.begin(), got.end(), matches)) {
        return "no " + std::string(what) + " matches " + pattern.pattern();
      }
    }
    return {};
  }

  bool Allows(const std::string& text) const {
    return std::find(messages.begin(), messages.end(), text) != messages.end() ||
           std::any_of(patterns.begin(), patterns.end(),
                       [&text](const Regex& pattern) { return pattern.PartialMatch(text); });
  }
};

struct Eval {
  std::size_t line = 0;
  std::string query;
  engine::QueryOptions when;
  Expectation fail, warn, info;
  bool ordered = false;
  std::optional<std::string> text;                   // expect string
  std::optional<engine::QueryOptions> range_vector;  // expect range vector
  std::optional<double> scalar;
  std::vector<promql::SeriesDescription> series;

  bool instant() const { return when.step.count() == 0; }
};

// A float or a histogram.
struct Point {
  double value = 0;
  HistogramPtr histogram = nullptr;
  bool has_reset_hint = false;  // of an expected histogram: it counts
};

Point PointOf(const SequenceValue& value) {
  return {value.value, value.histogram, value.has_reset_hint};
}

std::string Show(const Point& point) {
  if (point.histogram == nullptr) return FormatDouble(point.value);
  constexpr std::string_view kHints[] = {"", "reset", "not_reset", "gauge"};
  const Histogram& h = *point.histogram;
  std::string out = "schema " + std::to_string(h.schema) + " zero " +
                    FormatDouble(h.zero_threshold) + " " + FormatHistogram(h) + " bounds";
  for (const double bound : h.custom_bounds()) out += " " + FormatDouble(bound);
  out += " ";
  return out.append(kHints[static_cast<std::size_t>(h.reset_hint)]);
}

std::string Show(const promql::SeriesDescription& series) {
  std::string out = series.labels.ToString();
  for (const SequenceValue& value : series.values) {
    out += value.kind == SequenceValue::Kind::kOmitted ? " _" : " " + Show(PointOf(value));
  }
  return out;
}

// --- comparing ---

using Points = std::map<Timestamp, Point>;

bool NearlyEqual(const BucketRuns& expected, const BucketRuns& got) {
  return expected.spans == got.spans &&
         std::equal(expected.counts.begin(), expected.counts.end(), got.counts.begin(),
                    [](double a, double b) { return NearlyEqual(a, b); });
}

bool NearlyEqual(Histogram expected, Histogram got) {
  Compact(expected);
  Compact(got);
  const auto a = expected.custom_bounds();
  const auto b = got.custom_bounds();
  return expected.schema == got.schema && std::equal(a.begin(), a.end(), b.begin(), b.end()) &&
         NearlyEqual(expected.count, got.count) && NearlyEqual(expected.sum, got.sum) &&
         NearlyEqual(expected.zero_count, got.zero_count) &&
         expected.zero_threshold == got.zero_threshold &&
         NearlyEqual(expected.positive, got.positive) &&
         NearlyEqual(expected.negative, got.negative);
}

bool Matches(const Point& expected, const Point& got) {
  if (expected.histogram == nullptr || got.histogram == nullptr) {
    return expected.histogram == got.histogram && NearlyEqual(expected.value, got.value);
  }
  if (expected.has_reset_hint && expected.histogram->reset_hint != got.histogram->reset_hint) {
    return false;
  }
  return NearlyEqual(*expected.histogram, *got.histogram);
}

std::string ComparePoints(const std::string& name, const Points& expected, const Points& got) {
  for (const auto& [time, value] : expected) {
    const auto at = got.find(time);
    const std::string place = name + " at " + FormatDuration(time.time_since_epoch());
    if (at == got.end()) return place + ": expected " + Show(value) + ", got nothing";
    if (!Matches(value, at->second)) {
      return place + ": expected " + Show(value) + ", got " + Show(at->second);
    }
  }
  for (const auto& [time, value] : got) {
    if (!expected.contains(time)) {
      return name + " at " + FormatDuration(time.time_since_epoch()) + ": unexpected " +
             Show(value);
    }
  }
  return {};
}

std::string CompareSeries(const std::map<Labels, Points>& expected,
                          const std::map<Labels, Points>& got) {
  for (const auto& [labels, points] : expected) {
    const auto at = got.find(labels);
    if (at == got.end()) return "missing series " + labels.ToString();
    std::string wrong = ComparePoints(labels.ToString(), points, at->second);
    if (!wrong.empty()) return wrong;
  }
  for (const auto& [labels, points] : got) {
    if (!expected.contains(labels)) return "unexpected series " + labels.ToString();
  }
  return {};
}

std::map<Labels, Points> ExpectedPoints(const Eval& eval, const engine::QueryOptions& when) {
  std::map<Labels, Points> expected;
  for (const promql::SeriesDescription& series : eval.series) {
    Points points;
    Timestamp time = when.start;
    for (const SequenceValue& value : series.values) {
      if (value.kind != SequenceValue::Kind::kOmitted) points.emplace(time, PointOf(value));
      time += when.step;
    }
    if (!points.empty()) expected.emplace(series.labels, std::move(points));
  }
  return expected;
}

std::map<Labels, Points> PointsOf(const promql::Matrix& matrix) {
  std::map<Labels, Points> points;
  for (const promql::MatrixSeries& series : matrix) {
    for (const Sample& sample : series.samples) {
      points[series.labels].emplace(sample.time, Point{sample.value, nullptr});
    }
    for (const HistogramSample& sample : series.histograms) {
      points[series.labels].emplace(sample.time, Point{0, sample.histogram});
    }
  }
  return points;
}

std::string CompareOrder(const Eval& eval, const promql::InstantVector& vector) {
  for (std::size_t i = 0; i < std::min(vector.size(), eval.series.size()); ++i) {
    if (vector[i].labels != eval.series[i].labels) {
      return "at place " + std::to_string(i + 1) + ": expected " + Show(eval.series[i]) + ", got " +
             vector[i].labels.ToString();
    }
  }
  return {};
}

std::string CompareVector(const Eval& eval, const promql::InstantVector& vector, bool ordered) {
  std::map<Labels, Points> got;
  for (const promql::VectorSample& sample : vector) {
    const Point point{sample.sample.value, sample.histogram};
    if (!got.emplace(sample.labels, Points{{eval.when.start, point}}).second) {
      return "twice in the result: " + sample.labels.ToString();
    }
  }
  std::string wrong = CompareSeries(ExpectedPoints(eval, eval.when), got);
  return wrong.empty() && ordered ? CompareOrder(eval, vector) : wrong;
}

std::string CompareScalar(const Eval& eval, double got) {
  if (!eval.scalar) return "unexpected scalar " + FormatDouble(got);
  if (NearlyEqual(*eval.scalar, got)) return {};
  return "expected " + FormatDouble(*eval.scalar) + ", got " + FormatDouble(got);
}

// What is wrong with the value; "" if nothing.
std::string Compare(const Eval& eval, const promql::Value& value) {
  if (const auto* text = std::get_if<promql::StringValue>(&value)) {
    if (!eval.text) return "unexpected string " + Quote(text->text);
    return text->text == *eval.text ? "" : "got string " + Quote(text->text);
  }
  if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
    return CompareScalar(eval, scalar->value);
  }
  if (const auto* vector = std::get_if<promql::InstantVector>(&value)) {
    if (eval.scalar) return "expected a scalar, got a vector";
    return CompareVector(eval, *vector, eval.ordered);
  }
  const auto& matrix = std::get<promql::Matrix>(value);
  if (eval.instant() && !eval.range_vector) return "unexpected range vector";
  for (std::size_t i = 1; i < matrix.size() && !eval.range_vector; ++i) {
    if (!(matrix[i - 1].labels < matrix[i].labels)) return "range answer is not in order";
  }
  return CompareSeries(ExpectedPoints(eval, eval.range_vector.value_or(eval.when)),
                       PointsOf(matrix));
}

// The answer of a range query at one time, as an instant answer.
promql::Value At(const promql::Matrix& matrix, Timestamp time, bool scalar) {
  promql::InstantVector vector;
  for (const promql::MatrixSeries& series : matrix) {
    for (const Sample& sample : series.samples) {
      if (sample.time != time) continue;
      if (scalar) return promql::Scalar{time, sample.value};
      vector.push_back({series.labels, sample});
    }
    for (const HistogramSample& sample : series.histograms) {
      if (sample.time == time) vector.push_back({series.labels, {time, 0}, sample.histogram});
    }
  }
  return vector;
}

// These tell a range query from an instant one.
bool DependsOnQueryRange(std::string_view query) {
  return query.find("step()") != std::string_view::npos ||
         query.find("range()") != std::string_view::npos ||
         query.find("start()") != std::string_view::npos ||
         query.find("end()") != std::string_view::npos;
}

// --- classic histograms as native ones, for load_with_nhcb ---

using SeriesSamples = std::map<Labels, std::vector<FullSample>>;

// What the classic series of one histogram say at one time.
struct ClassicPoint {
  std::map<double, double> buckets;  // cumulative, by upper bound
  std::optional<double> count;
  double sum = 0;
};

// Null where the buckets contradict each other.
HistogramPtr ToCustomBuckets(const ClassicPoint& point) {
  auto histogram = std::make_shared<Histogram>();
  auto bounds = std::make_shared<std::vector<double>>();
  histogram->schema = kCustomBucketsSchema;
  histogram->sum = point.sum;
  double below = 0;
  std::int32_t index = 0;
  for (const auto& [bound, count] : point.buckets) {
    if (count < below) return nullptr;
    if (!std::isinf(bound)) bounds->push_back(bound);
    histogram->positive.Append(index++, count - below);
    below = count;
  }
  histogram->count = point.count.value_or(below);
  const bool has_last = !point.buckets.empty() && std::isinf(point.buckets.rbegin()->first);
  if (histogram->count < below) return nullptr;
  if (!has_last) histogram->positive.Append(index, histogram->count - below);
  histogram->bounds = std::move(bounds);
  Compact(*histogram);
  return histogram;
}

// Notes a series if it belongs to a classic histogram; its points by the native one's labels.
void CollectClassic(const Labels& labels, const std::vector<FullSample>& samples,
                    std::map<Labels, std::map<Timestamp, ClassicPoint>>& out) {
  const std::string_view name = labels.metric_name();
  for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
    if (!name.ends_with(suffix)) continue;
    const std::optional<double> bound = ParseDouble(labels.Get("le"));
    if (suffix == "_bucket" && (!bound || std::isnan(*bound))) return;
    LabelsBuilder builder(labels);
    builder.Set(kMetricName, name.substr(0, name.size() - suffix.size())).Delete("le");
    auto& points = out[builder.Build()];
    for (const FullSample& sample : samples) {
      if (sample.histogram != nullptr || IsStaleNaN(sample.value)) continue;
      ClassicPoint& point = points[sample.time];
      if (suffix == "_bucket") point.buckets[*bound] = sample.value;
      if (suffix == "_count") point.count = sample.value;
      if (suffix == "_sum") point.sum = sample.value;
    }
  }
}

void AddCustomBuckets(SeriesSamples& series) {
  std::map<Labels, std::map<Timestamp, ClassicPoint>> classics;
  for (const auto& [labels, samples] : series) CollectClassic(labels, samples, classics);
  for (const auto& [labels, points] : classics) {
    const bool has_buckets = std::any_of(points.begin(), points.end(), [](const auto& point) {
      return !point.second.buckets.empty();
    });
    if (!has_buckets) continue;
    for (const auto& [time, point] : points) {
      if (HistogramPtr histogram = ToCustomBuckets(point)) {
        series[labels].push_back({.time = time, .histogram = std::move(histogram)});
      }
    }
  }
}

// --- the script ---

class Script {
 public:
  Script(std::string_view text, const StoreFactory& stores)
      : lines_(Lines(text)),
        stores_(stores),
        store_(stores()),
        engine_(clock_, ScriptEngineOptions()) {}

  Result<ScriptReport> Run() {
    while (at_ < lines_.size()) {
      const std::size_t line = at_ + 1;
      std::string_view rest = lines_[at_++];
      if (rest.empty()) continue;
      const Status status = Command(line, rest);
      if (!status) return status.error().Wrap("line " + std::to_string(line));
    }
    return std::move(report_);
  }

 private:
  Status Command(std::size_t line, std::string_view rest) {
    const std::string_view word = TakeWord(rest);
    if (word == "clear") {
      store_ = nullptr;  // two stores at once would be in each other's way
      store_ = stores_();
      return {};
    }
    if (word == "load" || word == "load_with_nhcb") return Load(rest, word != "load");
    if (word.starts_with("eval")) return RunEval(line, word, rest);
    return Invalid("no command: " + Quote(word));
  }

  // --- load ---

  Status Load(std::string_view step_text, bool with_nhcb) {
    const Result<Duration> step = ParseSpan(step_text);
    if (!step) return step.error();
    SeriesSamples series;
    while (at_ < lines_.size() && !lines_[at_].empty()) {
      const std::string_view line = lines_[at_++];
      const Status status = LoadSeries(line, *step, series);
      if (!status) return status.error().Wrap("series " + Quote(line));
    }
    if (with_nhcb) AddCustomBuckets(series);
    return Store(series);
  }

  Status Store(const SeriesSamples& series) {
    const auto appender = store_->appendable().NewAppender();
    for (const auto& [labels, samples] : series) {
      storage::SeriesRef ref = 0;
      for (const FullSample& sample : samples) {
        const auto outcome = appender->AppendFull(ref, labels, sample);
        if (outcome != storage::AppendOutcome::kAccepted) {
          return Invalid("refused by the store: " + labels.ToString());
        }
      }
    }
    return appender->Commit();
  }

  // A series that stands twice in one load has the samples of the last line.
  // `series@st` gives the starts of the samples in the line behind it: seconds from each sample.
  Status LoadSeries(std::string_view line, Duration step, SeriesSamples& out) {
    const std::size_t mark = line.find("@st ");
    std::string text(line);
    if (mark != std::string_view::npos) text.erase(mark, 3);
    const Result<promql::SeriesDescription> series = promql::ParseSeriesDescription(text);
    if (!series) return series.error();
    if (mark != std::string_view::npos) {
      starts_ = series->values;
      return {};
    }
    std::vector<FullSample> samples;
    for (std::size_t i = 0; i < series->values.size(); ++i) {
      const SequenceValue& value = series->values[i];
      if (value.kind == SequenceValue::Kind::kOmitted) continue;
      const Timestamp time{static_cast<std::int64_t>(i) * step};
      samples.push_back({time, value.value, value.histogram, StartOf(i, time)});
    }
    starts_.clear();
    out[series->labels] = std::move(samples);
    return {};
  }

  Timestamp StartOf(std::size_t i, Timestamp time) const {
    if (i >= starts_.size() || starts_[i].kind != SequenceValue::Kind::kFloat) return kNoStart;
    return time + Duration(std::llround(starts_[i].value * 1000));
  }

  // --- eval ---

  Status RunEval(std::size_t line, std::string_view command, std::string_view rest) {
    Eval eval;
    eval.line = line;
    if (command == "eval_fail") eval.fail.some = true;
    if (command == "eval_warn") eval.warn.some = true;
    if (command == "eval_info") eval.info.some = true;
    if (command == "eval_ordered") eval.ordered = true;
    RETURN_IF_ERROR(ParseTimes(rest, eval));
    eval.query = rest;
    while (at_ < lines_.size() && !lines_[at_].empty()) {
      RETURN_IF_ERROR(ParseExpected(lines_[at_++], eval));
    }
    ++report_.evals;
    Judge(eval);
    return {};
  }

  static Status ParseTimes(std::string_view& rest, Eval& eval) {
    const bool range = TakePrefix(rest, "range");
    if (!range && !TakePrefix(rest, "instant")) return Invalid("instant or range expected");
    const auto time = [&rest](std::string_view word) -> Result<Duration> {
      if (!TakePrefix(rest, word)) return Invalid(Quote(word) + " expected");
      return ParseSpan(TakeWord(rest));
    };
    const Result<Duration> start = time(range ? "from" : "at");
    if (!start) return start.error();
    eval.when = engine::QueryOptions::At(Timestamp(*start));
    if (!range) return {};
    const Result<Duration> end = time("to");
    if (!end) return end.error();
    const Result<Duration> step = time("step");
    if (!step) return step.error();
    eval.when = engine::QueryOptions::Over(Timestamp(*start), Timestamp(*end), *step);
    return {};
  }

  static Status ParseExpected(std::string_view line, Eval& eval) {
    std::string_view rest = line;
    if (TakePrefix(rest, "expect ")) return ParseDirective(rest, eval);
    if (const std::optional<double> number = ParseDouble(line)) {
      eval.scalar = *number;
      return {};
    }
    Result<promql::SeriesDescription> series = promql::ParseSeriesDescription(line);
    if (!series) return series.error();
    eval.series.push_back(std::move(*series));
    return {};
  }

  static Status ParseDirective(std::string_view rest, Eval& eval) {
    if (TakePrefix(rest, "ordered")) {
      eval.ordered = true;
      return {};
    }
    if (TakePrefix(rest, "no_warn")) return Set(eval.warn.none);
    if (TakePrefix(rest, "no_info")) return Set(eval.info.none);
    if (TakePrefix(rest, "string")) {
      const Result<std::string> text = UnquoteText(rest);
      if (!text) return text.error();
      eval.text = *text;
      return {};
    }
    if (TakePrefix(rest, "range vector")) {
      Eval times;
      std::string with_word = "range " + std::string(rest) + " x";
      std::string_view view = with_word;
      RETURN_IF_ERROR(ParseTimes(view, times));
      eval.range_vector = times.when;
      return {};
    }
    if (TakePrefix(rest, "fail")) return ParseMessage(rest, eval.fail);
    if (TakePrefix(rest, "warn")) return ParseMessage(rest, eval.warn);
    if (TakePrefix(rest, "info")) return ParseMessage(rest, eval.info);
    return Invalid("no such expectation: " + Quote(rest));
  }

  static Status Set(bool& flag) {
    flag = true;
    return {};
  }

  static Result<std::string> UnquoteText(std::string_view text) {
    if (text.size() < 2) return Invalid("quoted text expected");
    const std::string_view inside = text.substr(1, text.size() - 2);
    if (text.front() == '`') return std::string(inside);
    return Unescape(inside);
  }

  static Status ParseMessage(std::string_view rest, Expectation& expectation) {
    expectation.some = true;
    if (TakePrefix(rest, "msg:")) {
      expectation.messages.emplace_back(rest);
    } else if (TakePrefix(rest, "regex:")) {
      Result<Regex> regex = Regex::Create(rest);
      if (!regex) return regex.error();
      expectation.patterns.push_back(*regex);
    } else if (!rest.empty()) {
      return Invalid("msg: or regex: expected, got " + Quote(rest));
    }
    return {};
  }

  void Judge(const Eval& eval) {
    const std::string wrong = RunOnce(eval);
    if (wrong.empty()) {
      ++report_.passed;
    } else {
      report_.failed.push_back({eval.line, eval.query, wrong});
    }
  }

  // What is wrong; "" if nothing.
  std::string RunOnce(const Eval& eval) {
    const auto query = engine::Query::Parse(eval.query, promql::ParseOptions::All());
    if (!query) return JudgeError(eval, query.error());
    const auto result = engine_.Run(*query, store_->queryable(), eval.when);
    if (!result) return JudgeError(eval, result.error());
    if (eval.fail.some) return "expected an error";
    std::string wrong = eval.warn.Judge("warning", result->warnings);
    if (wrong.empty()) wrong = eval.info.Judge("info", result->infos);
    if (wrong.empty()) wrong = Compare(eval, result->value);
    if (wrong.empty() && eval.instant()) wrong = RunAsRange(eval, *query, result->value);
    return wrong;
  }

  static std::string JudgeError(const Eval& eval, const Error& error) {
    if (!eval.fail.some) return "error: " + error.message();
    return eval.fail.Judge("error", {error.message()});
  }

  // The same eval in the middle of a range query around its time.
  std::string RunAsRange(const Eval& eval, const engine::Query& query,
                         const promql::Value& instant) {
    const promql::ValueType type = promql::TypeOf(instant);
    if (type == promql::ValueType::kString || type == promql::ValueType::kMatrix) return {};
    if (DependsOnQueryRange(eval.query)) return {};
    constexpr auto kMinute = std::chrono::minutes(1);
    const Timestamp time = eval.when.start;
    const auto result =
        engine_.Run(query, store_->queryable(),
                    engine::QueryOptions::Over(time - kMinute, time + kMinute, kMinute));
    if (!result) return "as range query: error: " + result.error().message();
    if (eval.ordered) return {};
    const auto& matrix = std::get<promql::Matrix>(result->value);
    const std::string wrong = Compare(eval, At(matrix, time, type == promql::ValueType::kScalar));
    return wrong.empty() ? wrong : "as range query: " + wrong;
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  const StoreFactory& stores_;
  std::unique_ptr<ScriptStore> store_;
  std::vector<SequenceValue> starts_;  // for the line that comes
  SystemClock clock_;
  engine::Engine engine_;
  ScriptReport report_;
};

}  // namespace

std::unique_ptr<ScriptStore> NewMemoryScriptStore() {
  return std::make_unique<MemoryScriptStore>();
}

engine::EngineOptions ScriptEngineOptions() {
  engine::EngineOptions options;
  options.delayed_name_removal = true;
  options.use_start_timestamps = true;
  return options;
}

Result<ScriptReport> RunScript(std::string_view script, const StoreFactory& stores) {
  return Script(script, stores).Run();
}

}  // namespace skep::test
