#include "evaluator/engine/info.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "evaluator/engine/plan.h"
#include "evaluator/engine/selector.h"

namespace skep::engine {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
constexpr std::string_view kIdentifying[] = {"instance", "job"};

std::string QuoteForRegex(std::string_view text) {
  constexpr std::string_view kSpecial = R"(\.+*?()|[]{}^$)";
  std::string out;
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

bool IsPositive(const Matcher& matcher) {
  return matcher.type() == MatchType::kEqual || matcher.type() == MatchType::kRegex;
}

// What the second argument asks for.
struct Request {
  explicit Request(const promql::Call& call) {
    if (call.arguments.size() > 1) {
      const auto* selector =
          promql::As<promql::VectorSelector>(promql::StripParens(*call.arguments[1]));
      for (const Matcher& matcher : selector->matchers) {
        (matcher.name() == kMetricName ? names : data).push_back(matcher);
      }
    }
    CompleteNames();
  }

  // target_info where no name is asked for; info metrics in general where some are only excluded.
  void CompleteNames() {
    if (names.empty()) names.push_back(Matcher::Equal(kMetricName, "target_info"));
    if (std::any_of(names.begin(), names.end(), IsPositive)) return;
    Result<Matcher> any_info = Matcher::Create(MatchType::kRegex, kMetricName, ".+_info");
    if (any_info) names.push_back(std::move(*any_info));
  }

  bool Wants(std::string_view label) const {
    return data.empty() || std::any_of(data.begin(), data.end(), [label](const Matcher& matcher) {
             return matcher.name() == label;
           });
  }
  // Whether a series without any info series stays.
  bool AllowsNothing() const {
    return std::all_of(data.begin(), data.end(),
                       [](const Matcher& matcher) { return matcher.MatchesEmpty(); });
  }

  std::vector<Matcher> names;
  std::vector<Matcher> data;
};

// Series that are info metrics themselves are left alone.
bool IsInfoSeries(const Request& request, const Labels& labels) {
  return std::all_of(request.names.begin(), request.names.end(), [&labels](const Matcher& matcher) {
    return matcher.Matches(labels.metric_name());
  });
}

// Matchers for the info series of the targets that `base` has. Empty where it has no target.
Result<std::vector<Matcher>> InfoMatchers(const Request& request, const Table& base,
                                          const std::vector<char>& untouched) {
  std::vector<Matcher> matchers;
  for (const std::string_view name : kIdentifying) {
    std::set<std::string_view> values;
    for (std::size_t i = 0; i < base.size(); ++i) {
      const std::string_view value = base.row(i).labels->Get(name);
      if (untouched[i] == 0 && !value.empty()) values.insert(value);
    }
    if (values.empty()) continue;
    std::string regex;
    for (const std::string_view value : values) {
      if (!regex.empty()) regex += '|';
      regex += QuoteForRegex(value);
    }
    Result<Matcher> matcher = Matcher::Create(MatchType::kRegex, name, regex);
    if (!matcher) return matcher.error();
    matchers.push_back(std::move(*matcher));
  }
  if (matchers.empty()) return matchers;
  matchers.insert(matchers.end(), request.names.begin(), request.names.end());
  matchers.insert(matchers.end(), request.data.begin(), request.data.end());
  return matchers;
}

// The info series of each (name, target): at each step the one with the newest sample.
class InfoSeries {
 public:
  explicit InfoSeries(const Table& table) : table_(table) {}

  Status Index() {
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const Labels& labels = *table_.row(i).labels;
      std::vector<std::size_t>& newest =
          by_target_[Target(labels)]
              .try_emplace(std::string(labels.metric_name()), table_.steps(), kNone)
              .first->second;
      for (std::size_t s = 0; s < table_.steps(); ++s) RETURN_IF_ERROR(Note(newest[s], i, s));
    }
    return {};
  }

  // Per info metric the row at `step`; rows are appended to `out`.
  void At(const Labels& base, std::size_t step, std::vector<std::size_t>& out) const {
    out.clear();
    const auto at = by_target_.find(Target(base));
    if (at == by_target_.end()) return;
    for (const auto& [name, newest] : at->second) {
      if (newest[step] != kNone) out.push_back(newest[step]);
    }
  }

  const Labels& labels(std::size_t row) const { return *table_.row(row).labels; }

 private:
  using TargetKey = std::pair<std::string, std::string>;

  static TargetKey Target(const Labels& labels) {
    return {std::string(labels.Get(kIdentifying[0])), std::string(labels.Get(kIdentifying[1]))};
  }

  Status Note(std::size_t& newest, std::size_t row, std::size_t step) {
    if (table_.histogram(row, step) != nullptr) {
      return Invalid("info metric " + labels(row).ToString() + " is a histogram, expected floats");
    }
    const double time = table_.values(row)[step];
    if (!IsPresent(time)) return {};
    if (newest == kNone || table_.values(newest)[step] < time) {
      newest = row;
      return {};
    }
    if (table_.values(newest)[step] > time) return {};
    const std::string at = std::to_string(static_cast<std::int64_t>(time));
    return Invalid("found duplicate series for info metric: existing " + labels(newest).ToString() +
                   " @ " + at + ", new " + labels(row).ToString() + " @ " + at);
  }

  const Table& table_;
  std::map<TargetKey, std::map<std::string, std::vector<std::size_t>>> by_target_;
};

// `base` with what the info rows add. kInvalid where two of them disagree.
Result<Labels> Join(const Request& request, const InfoSeries& info, const Labels& base,
                    const std::vector<std::size_t>& rows) {
  LabelsBuilder added;
  for (const std::size_t row : rows) {
    for (const LabelView& label : info.labels(row)) {
      if (label.name == kMetricName || !request.Wants(label.name)) continue;
      const std::string_view before = added.Get(label.name);
      if (!before.empty() && before != label.value) {
        return Invalid("conflicting label: " + std::string(label.name));
      }
      if (!base.Has(label.name)) added.Set(label.name, label.value);
    }
  }
  LabelsBuilder joined(base);
  for (const auto& [name, value] : added.pairs()) joined.Set(name, value);
  return joined.Build();
}

// One base series: a result row for each set of info rows that it meets over time.
Status JoinRow(QueryContext& context, const Request& request, const InfoSeries& info,
               const Table& base, std::size_t base_row, Table& out) {
  const Row& row = base.row(base_row);
  std::map<std::vector<std::size_t>, std::size_t> out_rows;
  std::vector<std::size_t> partners;
  for (std::size_t s = 0; s < out.steps(); ++s) {
    if (!base.PresentAt(base_row, s)) continue;
    info.At(*row.labels, s, partners);
    if (partners.empty() && !request.AllowsNothing()) continue;
    auto at = out_rows.find(partners);
    if (at == out_rows.end()) {
      Result<Labels> labels = Join(request, info, *row.labels, partners);
      if (!labels) return labels.error();
      out.Add({context.Own(std::move(*labels)), row.drop_name});
      at = out_rows.emplace(partners, out.size() - 1).first;
    }
    out.values(at->second)[s] = base.values(base_row)[s];
    if (HistogramPtr histogram = base.SharedHistogram(base_row, s)) {
      out.SetHistogram(at->second, s, std::move(histogram));
    }
  }
  return {};
}

}  // namespace

Result<Table> EvalInfo(QueryContext& context, const promql::Call& call, const Steps& steps,
                       Table base) {
  const Request request(call);
  context.Settle(base);
  std::vector<char> untouched(base.size(), 0);
  for (std::size_t i = 0; i < base.size(); ++i) {
    untouched[i] = IsInfoSeries(request, *base.row(i).labels) ? 1 : 0;
  }
  const Result<std::vector<Matcher>> matchers = InfoMatchers(request, base, untouched);
  if (!matchers) return matchers.error();
  Table info_table(context.budget, steps.count);
  if (!matchers->empty()) {
    Result<Table> selected =
        SelectTimes(context, *matchers, steps, ReferenceTime(*call.arguments[0], context.when()));
    if (!selected) return selected;
    info_table = std::move(*selected);
  }
  InfoSeries info(info_table);
  RETURN_IF_ERROR(info.Index());
  Table out(context.budget, steps.count);
  for (std::size_t i = 0; i < base.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    if (untouched[i] != 0) {
      out.AddCopy(base, i);
      continue;
    }
    RETURN_IF_ERROR(JoinRow(context, request, info, base, i, out));
  }
  RETURN_IF_ERROR(context.MergeEqual(out));
  return out;
}

}  // namespace skep::engine
