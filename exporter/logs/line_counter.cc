#include "exporter/logs/line_counter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/number.h"
#include "exporter/logs/request_line.h"
#include "exporter/logs/text_number.h"

namespace skep::logs {
namespace {

constexpr std::string_view kMethods[] = {"other",  "GET",     "HEAD",    "POST",  "PUT",
                                         "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH"};
constexpr std::size_t kMaxLabelBytes = 128;
// Beyond it further routes are "other": what one source's tables may hold.
constexpr std::size_t kMaxTallySeries = 20'000;
constexpr std::size_t kMaxLoose = 1'000;

std::size_t MethodNumber(std::string_view method) {
  for (std::size_t i = 1; i < std::size(kMethods); ++i) {
    if (method == kMethods[i]) return i;
  }
  return 0;
}

std::string CodeName(int code) { return code == kStatusUnknown ? "other" : std::to_string(code); }

// Cut at a whole character; what is no UTF-8 becomes '?'.
std::string LabelText(std::string_view text) {
  std::string out(text.substr(0, kMaxLabelBytes));
  std::size_t at = 0;
  while (at < out.size()) {
    const auto c = static_cast<unsigned char>(out[at]);
    const std::size_t length = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : 2;
    bool good = c < 0x80 || (c >= 0xc2 && c < 0xf5);
    for (std::size_t i = 1; good && i < length; ++i) {
      good = at + i < out.size() && (static_cast<unsigned char>(out[at + i]) & 0xc0) == 0x80;
    }
    if (!good) out[at] = '?';
    at += good ? length : 1;
  }
  return out;
}

std::size_t GroupNumber(const std::vector<std::string>& names, std::string_view name) {
  const auto found = std::find(names.begin() + 1, names.end(), name);
  return found == names.end() || name.empty() ? 0 : static_cast<std::size_t>(found - names.begin());
}

bool IsErrorLevel(Level level) { return level == Level::kFatal || level == Level::kError; }

}  // namespace

std::string_view ReadProblemName(ReadProblem problem) {
  switch (problem) {
    case ReadProblem::kMissing:
      return "missing";
    case ReadProblem::kPermission:
      return "permission";
    case ReadProblem::kIo:
      return "io";
    case ReadProblem::kNotRegular:
      return "not_regular";
    case ReadProblem::kTooManyFiles:
      return "too_many_files";
    case ReadProblem::kVanished:
      return "vanished";
    case ReadProblem::kInternal:
      return "internal";
    case ReadProblem::kLineTooLong:
      return "line_too_long";
    case ReadProblem::kRecordTooLong:
      return "record_too_long";
    case ReadProblem::kFormat:
      return "format";
    case ReadProblem::kTemplatesFull:
      return "templates_full";
  }
  return "other";
}

std::string_view RotationName(Rotation rotation) {
  switch (rotation) {
    case Rotation::kRenamed:
      return "renamed";
    case Rotation::kTruncated:
      return "truncated";
    case Rotation::kDeleted:
      return "deleted";
  }
  return "other";
}

LineCounter::LineCounter(const SourceOptions& source, const Options& options,
                         const Families& families, TemplateSection& templates, RouteTable routes)
    : source_(source),
      families_(families),
      anonymize_(options.anonymize),
      request_buckets_(options.request_buckets),
      query_buckets_(options.query_buckets),
      slow_query_seconds_(options.slow_query_seconds),
      routes_(std::move(routes)),
      miner_(source.templates, source.name, templates) {
  MakeFixedSeries();
}

Result<std::unique_ptr<LineCounter>> LineCounter::Create(const SourceOptions& source,
                                                         const Options& options,
                                                         const Families& families,
                                                         TemplateSection& templates) {
  Result<RouteTable> routes = RouteTable::Create(source.routes);
  if (!routes) return routes.error();
  std::unique_ptr<LineCounter> counter(
      new LineCounter(source, options, families, templates, std::move(*routes)));
  RETURN_IF_ERROR(counter->AddPatterns());
  return counter;
}

void LineCounter::MakeFixedSeries() {
  const std::string& name = source_.name;
  for (std::size_t i = 0; i < kLevels; ++i) {
    const std::string level(LevelName(static_cast<Level>(i)));
    levels_[i] = tally_.MakeCounter(families_.lines, {{"source", name}, {"level", level}});
  }
  for (std::size_t i = 0; i < kReadProblems; ++i) {
    const std::string reason(ReadProblemName(static_cast<ReadProblem>(i)));
    problems_[i] =
        tally_.MakeCounter(families_.read_errors, {{"source", name}, {"reason", reason}});
  }
  for (std::size_t i = 0; i < kRotations; ++i) {
    const std::string kind(RotationName(static_cast<Rotation>(i)));
    rotations_[i] = tally_.MakeCounter(families_.rotations, {{"source", name}, {"kind", kind}});
  }
  upstream_ = tally_.MakeHistogram(families_.http_upstream, {{"service", source_.service}},
                                   request_buckets_);
  unauthorized_ = tally_.MakeCounter(families_.auth_failures, {{"source", name}, {"kind", "http"}});
  other_errors_ = tally_.MakeCounter(
      families_.errors,
      {{"component", source_.service}, {"class", "other"}, {"retryable", "false"}});
  query_duration_ =
      tally_.MakeHistogram(families_.query_duration, {{"db", source_.database}}, query_buckets_);
  slow_queries_ = tally_.MakeCounter(families_.slow_queries, {{"db", source_.database}});
  new_patterns_ = tally_.MakeCounter(families_.new_patterns, {{"source", name}});
}

void LineCounter::AddBuiltin(const BuiltinPattern& pattern, std::vector<std::string>& patterns) {
  Action action;
  action.effect = pattern.effect;
  const std::string label(pattern.name);
  const std::string& name = source_.name;
  switch (pattern.effect) {
    case Effect::kMatch:
      action.counter =
          tally_.MakeCounter(families_.matches, {{"source", name}, {"pattern", label}});
      break;
    case Effect::kErrorClass:
      action.counter = tally_.MakeCounter(
          families_.errors,
          {{"component", source_.service}, {"class", label}, {"retryable", "true"}});
      counts_other_errors_ = true;
      break;
    case Effect::kAuthFailure:
      action.counter =
          tally_.MakeCounter(families_.auth_failures, {{"source", name}, {"kind", label}});
      counts_unauthorized_ = true;
      break;
    case Effect::kSecurityEvent:
      action.counter =
          tally_.MakeCounter(families_.security_events, {{"source", name}, {"event", label}});
      break;
    case Effect::kJob:
      action.counter =
          tally_.MakeCounter(families_.jobs, {{"service", source_.service}, {"outcome", label}});
      break;
    case Effect::kQuery:
      break;
  }
  Result<Regex> regex = Regex::Create(pattern.regex);
  const std::vector<std::string> groups =
      regex ? regex->GroupNames() : std::vector<std::string>{""};
  for (const auto& [group, scale] : {std::pair("times", 1.0), {"ms", 1e-3}, {"s", 1.0}}) {
    const std::size_t number = GroupNumber(groups, group);
    if (number == 0) continue;
    action.value_group = number;
    action.scale = scale;
    action.captures = *regex;
  }
  actions_.push_back(std::move(action));
  patterns.emplace_back(pattern.regex);
}

void LineCounter::AddMatch(const MatchOptions& match, std::vector<std::string>& patterns) {
  Action action;
  action.counter =
      tally_.MakeCounter(families_.matches, {{"source", source_.name}, {"pattern", match.name}});
  actions_.push_back(std::move(action));
  patterns.push_back(match.pattern);
}

Status LineCounter::AddMetric(const MetricOptions& options, std::vector<std::string>& patterns) {
  const auto family = families_.custom.find(options.name);
  if (family == families_.custom.end()) return {};  // refused by the store, which was logged
  Result<Regex> regex = Regex::Create(options.pattern);
  if (!regex) return regex.error();
  const std::vector<std::string> groups = regex->GroupNames();
  Metric metric{family->second, options.kind, options.buckets, {}};
  for (const auto& [name, value] : options.labels) {
    const bool is_group = value.starts_with('$');
    metric.labels.push_back(
        {name, value, is_group ? GroupNumber(groups, std::string_view(value).substr(1)) : 0});
  }
  Action action;
  action.value_group = GroupNumber(groups, options.value);
  action.scale = options.scale;
  action.captures = std::move(*regex);
  action.metric = static_cast<std::int32_t>(metrics_.size());
  metrics_.push_back(std::move(metric));
  actions_.push_back(std::move(action));
  patterns.push_back(options.pattern);
  return {};
}

Status LineCounter::AddPatterns() {
  std::vector<std::string> patterns;
  const std::vector<std::string>& sets = source_.pattern_sets;
  for (const BuiltinPattern& pattern : BuiltinPatterns()) {
    if (std::find(sets.begin(), sets.end(), pattern.set) != sets.end())
      AddBuiltin(pattern, patterns);
  }
  for (const MatchOptions& match : source_.matches) AddMatch(match, patterns);
  for (const MetricOptions& metric : source_.metrics) RETURN_IF_ERROR(AddMetric(metric, patterns));
  if (source_.format->IsAccessLog()) counts_unauthorized_ = true;
  Result<RegexSet> set = RegexSet::Create(patterns);
  if (!set) return set.error();
  patterns_ = std::move(*set);
  return {};
}

void LineCounter::OnLine(std::string_view line) {
  const bool is_access = source_.format->IsAccessLog();
  Level level = Level::kNone;
  if (source_.format->Parse(line, parsed_)) {
    if (parsed_.IsRequest()) CountRequest();
    if (!is_access) level = ParseLevel(parsed_.level).value_or(Level::kNone);
  } else {
    OnProblem(ReadProblem::kFormat);
    parsed_.Clear();
  }
  if (level == Level::kNone && !is_access && parsed_.level.empty()) level = FindLevel(line);
  tally_.Count(levels_[static_cast<std::size_t>(level)]);
  if (patterns_.size() > 0) CountPatterns(line, level);
  if (IsErrorLevel(level)) MineError(line);
}

LineCounter::HttpCell& LineCounter::CellOf(RouteCell& route, std::uint32_t route_number,
                                           std::size_t method) {
  const std::string& name = routes_.name(route_number);
  if (!route.is_made) {
    route.is_made = true;
    route.bytes =
        tally_.MakeCounter(families_.http_bytes, {{"service", source_.service}, {"route", name}});
  }
  std::unique_ptr<HttpCell>& cell = route.methods[method];
  if (cell == nullptr) {
    cell = std::make_unique<HttpCell>();
    cell->duration = tally_.MakeHistogram(
        families_.http_duration,
        {{"service", source_.service}, {"method", std::string(kMethods[method])}, {"route", name}},
        request_buckets_);
  }
  return *cell;
}

Tally::Id LineCounter::CodeOf(HttpCell& cell, std::uint32_t route_number, std::size_t method,
                              int code) {
  for (const auto& [known, id] : cell.codes) {
    if (known == code) return id;
  }
  const Tally::Id id =
      tally_.MakeCounter(families_.http_requests, {{"service", source_.service},
                                                   {"method", std::string(kMethods[method])},
                                                   {"code", CodeName(code)},
                                                   {"route", routes_.name(route_number)}});
  cell.codes.emplace_back(code, id);
  return id;
}

void LineCounter::CountRequest() {
  std::uint32_t route = routes_.Find(parsed_.path, parsed_.status);
  if (route >= cells_.size() && tally_.size() >= kMaxTallySeries) route = 0;
  if (route >= cells_.size()) cells_.resize(routes_.size());
  const std::size_t method = MethodNumber(parsed_.method);
  HttpCell& cell = CellOf(cells_[route], route, method);
  tally_.Count(CodeOf(cell, route, method, parsed_.status));
  if (parsed_.duration_seconds >= 0) tally_.Observe(cell.duration, parsed_.duration_seconds);
  if (parsed_.upstream_seconds >= 0) tally_.Observe(upstream_, parsed_.upstream_seconds);
  if (parsed_.bytes > 0) tally_.Count(cells_[route].bytes, parsed_.bytes);
  if (parsed_.status == 401 && counts_unauthorized_) tally_.Count(unauthorized_);
}

void LineCounter::CountPatterns(std::string_view line, Level level) {
  // Of these effects a line has one at most.
  std::uint32_t done = 0;
  const auto is_first = [&](Effect effect) {
    const std::uint32_t bit = 1U << static_cast<unsigned>(effect);
    return (std::exchange(done, done | bit) & bit) == 0;
  };
  for (const std::uint32_t number : patterns_.PartialMatches(line, scratch_)) {
    const Action& action = actions_[number];
    switch (action.effect) {
      case Effect::kMatch:
      case Effect::kSecurityEvent:
        Run(action, line);
        break;
      case Effect::kErrorClass:
        // "timeout set to 30 s" at level info is no error.
        if (level == Level::kInfo || level == Level::kDebug || level == Level::kTrace) break;
        [[fallthrough]];
      case Effect::kAuthFailure:
      case Effect::kJob:
      case Effect::kQuery:
        if (is_first(action.effect)) Run(action, line);
        break;
    }
  }
  const bool has_class = (done & (1U << static_cast<unsigned>(Effect::kErrorClass))) != 0;
  if (counts_other_errors_ && !has_class && IsErrorLevel(level)) tally_.Count(other_errors_);
}

void LineCounter::Run(const Action& action, std::string_view line) {
  if (!action.captures) {
    tally_.Count(action.counter);
    return;
  }
  if (!action.captures->PartialMatch(line, groups_)) return;
  if (action.metric >= 0) {
    RunMetric(action, metrics_[static_cast<std::size_t>(action.metric)]);
    return;
  }
  const std::optional<double> value = ParseDecimal(groups_[action.value_group]);
  if (action.effect == Effect::kQuery) {
    if (value) CountQuery(*value * action.scale);
  } else {
    tally_.Count(action.counter, value.value_or(1));
  }
}

void LineCounter::RunMetric(const Action& action, const Metric& metric) {
  std::optional<double> value = 1;
  if (action.value_group > 0) value = ParseDouble(groups_[action.value_group]);
  if (value) *value *= action.scale;
  const bool is_counter = metric.kind == MetricKind::kCounter;
  if (!value || !std::isfinite(*value) || (is_counter && *value < 0)) {
    OnProblem(ReadProblem::kFormat);
    return;
  }
  OwnedLabels labels;
  for (const LabelSource& label : metric.labels) {
    if (label.group == 0) {
      labels.emplace_back(label.name, label.text);
      continue;
    }
    // Cut afterwards: half an address is none that could be found.
    std::string text;
    AppendAnonymized(groups_[label.group], anonymize_, text);
    if (!text.empty()) labels.emplace_back(label.name, LabelText(text));
  }
  if (is_counter) {
    tally_.CountLoose(metric.family, std::move(labels), *value);
  } else {
    tally_.ObserveLoose(metric.family, std::move(labels), metric.buckets, *value);
  }
}

void LineCounter::CountQuery(double seconds) {
  tally_.Observe(query_duration_, seconds);
  if (seconds >= slow_query_seconds_) tally_.Count(slow_queries_);
}

void LineCounter::MineError(std::string_view line) {
  const std::string_view text = parsed_.message.empty() ? line : parsed_.message;
  if (miner_.Learn(text, now_)) tally_.Count(new_patterns_);
  if (const std::uint64_t overflow = miner_.TakeOverflow(); overflow > 0) {
    tally_.Count(problems_[static_cast<std::size_t>(ReadProblem::kTemplatesFull)],
                 static_cast<double>(overflow));
  }
}

void LineCounter::OnProblem(ReadProblem problem) {
  // What is about files is logged by who reads them.
  if (problem >= ReadProblem::kLineTooLong) problem_bits_ |= 1U << static_cast<unsigned>(problem);
  tally_.Count(problems_[static_cast<std::size_t>(problem)]);
}

void LineCounter::OnRotation(Rotation rotation) {
  tally_.Count(rotations_[static_cast<std::size_t>(rotation)]);
}

bool LineCounter::IsFull() const { return tally_.loose() >= kMaxLoose; }
bool LineCounter::empty() const { return tally_.empty() && !has_other_changes_; }

void LineCounter::Write(state::Changes& changes) {
  tally_.Write(changes);
  miner_.Write(changes);
}

void LineCounter::Written() {
  tally_.Clear();
  miner_.Written();
  has_other_changes_ = false;
}

void LineCounter::Dropped() {
  tally_.Clear();
  has_other_changes_ = false;
  miner_.Reset();
}

void LineCounter::ApplyDeployment(Timestamp at) {
  tally_.Count(new_patterns_, static_cast<double>(miner_.ApplyDeployment(at)));
  has_other_changes_ = true;
}

}  // namespace skep::logs
