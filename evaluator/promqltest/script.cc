#include "evaluator/promqltest/script.h"

#include <cmath>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/number.h"
#include "common/base/quote.h"
#include "evaluator/promqltest/eval.h"
#include "evaluator/promqltest/series_loader.h"

namespace skep::promqltest {
namespace {

std::string_view TrimLine(std::string_view text) { return Trim(text, " \t\r"); }

// Cuts the first word off.
std::string_view TakeWord(std::string_view& text) {
  text = TrimLine(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text = TrimLine(text.substr(word.size()));
  return word;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text = TrimLine(text.substr(prefix.size()));
  return true;
}

std::vector<std::string_view> Lines(std::string_view script) {
  std::vector<std::string_view> lines;
  while (!script.empty()) {
    const std::size_t end = script.find('\n');
    const std::string_view line = TrimLine(script.substr(0, end));
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

// These tell a range query from an instant one.
bool DependsOnQueryRange(std::string_view query) {
  return query.find("step()") != std::string_view::npos ||
         query.find("range()") != std::string_view::npos ||
         query.find("start()") != std::string_view::npos ||
         query.find("end()") != std::string_view::npos;
}

class Script {
 public:
  Script(std::string_view text, const StoreFactory& stores, const ScriptOptions& options)
      : lines_(Lines(text)),
        stores_(stores),
        options_(options),
        store_(stores()),
        engine_(clock_, options.engine) {}

  Result<ScriptReport> Run() {
    while (at_ < lines_.size()) {
      const std::size_t line = at_ + 1;
      std::string_view rest = lines_[at_++];
      if (rest.empty()) continue;
      const Status status = Command(line, rest);
      // The line that was read last is the one that was not understood.
      if (!status) return status.error().Wrap(options_.file + ":" + std::to_string(at_));
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
    SeriesLoader loader(Timestamp{}, *step);
    while (at_ < lines_.size() && !lines_[at_].empty()) {
      const std::string_view line = lines_[at_++];
      const Status status = loader.AddLine(line);
      if (!status) return status.error().Wrap("series " + Quote(line));
    }
    if (with_nhcb) loader.AddCustomBuckets();
    return SeriesFeed(loader.series()).AppendUntil(kMaxTimestamp, store_->appendable());
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
    if (options_.run && !options_.run->PartialMatch(eval.query)) return {};
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
    if (TakePrefix(rest, "fail")) return eval.fail.Parse(rest);
    if (TakePrefix(rest, "warn")) return eval.warn.Parse(rest);
    if (TakePrefix(rest, "info")) return eval.info.Parse(rest);
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
    const auto query = engine::Query::Parse(eval.query, options_.promql);
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
    const std::string wrong = Compare(eval, At(matrix, time, type));
    return wrong.empty() ? wrong : "as range query: " + wrong;
  }

  std::vector<std::string_view> lines_;
  std::size_t at_ = 0;
  const StoreFactory& stores_;
  const ScriptOptions& options_;
  std::unique_ptr<ScriptStore> store_;
  SystemClock clock_;
  engine::Engine engine_;
  ScriptReport report_;
};

}  // namespace

engine::EngineOptions ScriptEngineOptions() {
  engine::EngineOptions options;
  options.delayed_name_removal = true;
  options.use_start_timestamps = true;
  return options;
}

Result<ScriptReport> RunScript(std::string_view script, const StoreFactory& stores,
                               const ScriptOptions& options) {
  return Script(script, stores, options).Run();
}

}  // namespace skep::promqltest
