// Turns the lines of one source into changes of counters and histograms.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/model/regex.h"
#include "common/model/regex_set.h"
#include "exporter/logs/builtin_patterns.h"
#include "exporter/logs/families.h"
#include "exporter/logs/level.h"
#include "exporter/logs/line_sink.h"
#include "exporter/logs/options.h"
#include "exporter/logs/routes.h"
#include "exporter/logs/tally.h"
#include "exporter/logs/template_miner.h"

namespace skep::logs {

class LineCounter final : public LineSink {
 public:
  // `options` and `source` were checked by ReadOptions, as were their patterns. All references
  // outlive the counter.
  static Result<std::unique_ptr<LineCounter>> Create(const SourceOptions& source,
                                                     const Options& options,
                                                     const Families& families,
                                                     TemplateSection& templates);

  void OnLine(std::string_view line) override;
  void OnProblem(ReadProblem problem) override;
  void OnRotation(Rotation rotation) override;
  bool IsFull() const override;
  bool empty() const override;
  void Write(state::Changes& changes) override;
  void Written() override;
  void Dropped() override;

  // Before the first line, within Store::Update.
  void Restore() { miner_.Reset(); }
  // The time of the lines to come: first sight of templates.
  void SetTime(Timestamp now) { now_ = now; }
  void ApplyDeployment(Timestamp at);
  // Bits of the ReadProblems about lines since the last call, for the log.
  std::uint32_t TakeProblems() { return std::exchange(problem_bits_, 0); }
  const TemplateMiner& miner() const { return miner_; }

 private:
  // What a pattern that matches does.
  struct Action {
    Effect effect = Effect::kMatch;
    Tally::Id counter = 0;
    std::optional<Regex> captures;  // only where a group is needed
    std::size_t value_group = 0;    // 0: none
    double scale = 1;
    std::int32_t metric = -1;  // of the user's own, in metrics_
  };
  struct LabelSource {
    std::string name;
    std::string text;       // fixed; unused with a group
    std::size_t group = 0;  // 0: none
  };
  struct Metric {
    state::FamilyId family = 0;
    MetricKind kind = MetricKind::kCounter;
    std::vector<double> buckets;
    std::vector<LabelSource> labels;
  };
  // The series of one route and method.
  struct HttpCell {
    Tally::Id duration = 0;
    std::vector<std::pair<int, Tally::Id>> codes;
  };
  struct RouteCell {
    bool is_made = false;
    Tally::Id bytes = 0;
    std::array<std::unique_ptr<HttpCell>, 10> methods;
  };

  LineCounter(const SourceOptions& source, const Options& options, const Families& families,
              TemplateSection& templates, RouteTable routes);

  void MakeFixedSeries();
  void AddBuiltin(const BuiltinPattern& pattern, std::vector<std::string>& patterns);
  void AddMatch(const MatchOptions& match, std::vector<std::string>& patterns);
  Status AddMetric(const MetricOptions& metric, std::vector<std::string>& patterns);
  Status AddPatterns();

  void CountRequest();
  HttpCell& CellOf(RouteCell& route, std::uint32_t route_number, std::size_t method);
  Tally::Id CodeOf(HttpCell& cell, std::uint32_t route_number, std::size_t method, int code);
  void CountPatterns(std::string_view line, Level level);
  void Run(const Action& action, std::string_view line);
  void RunMetric(const Action& action, const Metric& metric);
  void CountQuery(double seconds);
  void MineError(std::string_view line);

  const SourceOptions source_;
  const Families& families_;
  const AnonymizeOptions anonymize_;
  const std::vector<double> request_buckets_;
  const std::vector<double> query_buckets_;
  const double slow_query_seconds_;

  Tally tally_;
  RouteTable routes_;
  TemplateMiner miner_;
  Timestamp now_{};
  std::uint32_t problem_bits_ = 0;
  bool has_other_changes_ = false;
  bool counts_unauthorized_ = false;
  bool counts_other_errors_ = false;

  std::array<Tally::Id, kLevels> levels_{};
  std::array<Tally::Id, kReadProblems> problems_{};
  std::array<Tally::Id, kRotations> rotations_{};
  std::vector<RouteCell> cells_;
  Tally::Id upstream_ = 0;
  Tally::Id unauthorized_ = 0;
  Tally::Id other_errors_ = 0;
  Tally::Id query_duration_ = 0;
  Tally::Id slow_queries_ = 0;
  Tally::Id new_patterns_ = 0;

  RegexSet patterns_;
  std::vector<Action> actions_;  // by the patterns' numbers
  std::vector<Metric> metrics_;

  ParsedLine parsed_;
  RegexSet::Scratch scratch_;
  std::vector<std::string_view> groups_;
};

}  // namespace skep::logs
