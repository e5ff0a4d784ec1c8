#include "evaluator/engine/aggregate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/model/histogram_math.h"
#include "evaluator/engine/float_math.h"
#include "evaluator/engine/histogram_remarks.h"
#include "evaluator/engine/label_key.h"
#include "evaluator/engine/row_index.h"
#include "evaluator/engine/series_hash.h"

namespace skep::engine {
namespace {

using promql::AggregateOp;

LabelChoice GroupingOf(const promql::Aggregate& aggregate) {
  std::vector<std::string> names = aggregate.grouping;
  if (!aggregate.without) return LabelChoice::Only(std::move(names));
  names.emplace_back(kMetricName);
  return LabelChoice::AllBut(std::move(names));
}

// Rows to groups, computed once for all steps.
class Groups {
 public:
  Groups(QueryContext& context, const promql::Aggregate& aggregate, Table& input)
      : index_(GroupingOf(aggregate), context.plan(), aggregate) {
    if (index_.choice().TakesMetadata()) context.Settle(input);
    of_row_ = index_.Number(input);
  }

  std::size_t size() const { return index_.size(); }
  std::size_t of(std::size_t row) const { return of_row_[row]; }
  Labels LabelsOf(std::size_t group) const { return index_.choice().Pick(index_.first(group)); }

  // The rows of each group, in order.
  std::vector<std::vector<std::size_t>> Members() const {
    std::vector<std::vector<std::size_t>> members(size());
    for (std::size_t i = 0; i < of_row_.size(); ++i) members[of_row_[i]].push_back(i);
    return members;
  }

 private:
  RowIndex index_;
  std::vector<std::size_t> of_row_;
};

// --- one accumulator per group and step: rows are walked once, in order ---

struct SumCell {
  CompensatedSum sum;
  void Start(double v) { sum = {v, 0}; }
  void Add(double v) { sum.Add(v); }
  double Result() const { return sum.total(); }
};

struct AvgCell {
  CompensatedMean mean{0};
  void Start(double v) { mean = CompensatedMean(v); }
  void Add(double v) { mean.Add(v); }
  double Result() const { return mean.value(); }
};

struct CountCell {
  double count = 0;
  void Start(double) { count = 1; }
  void Add(double) { count += 1; }
  double Result() const { return count; }
};

struct GroupCell {
  void Start(double) {}
  void Add(double) {}
  double Result() const { return 1; }
};

struct MinCell {
  double best = 0;
  void Start(double v) { best = v; }
  void Add(double v) {
    if (best > v || std::isnan(best)) best = v;
  }
  double Result() const { return best; }
};

struct MaxCell {
  double best = 0;
  void Start(double v) { best = v; }
  void Add(double v) {
    if (best < v || std::isnan(best)) best = v;
  }
  double Result() const { return best; }
};

// Welford's running variance.
struct StdvarCell {
  double mean = 0;
  double squares = 0;
  double count = 0;
  void Start(double v) {
    mean = v;
    squares = std::isfinite(v) ? 0 : kNormalNaN;
    count = 1;
  }
  void Add(double v) {
    count += 1;
    const double delta = v - mean;
    mean += delta / count;
    squares += delta * (v - mean);
  }
  double Result() const { return squares / count; }
};

struct StddevCell : StdvarCell {
  double Result() const { return std::sqrt(squares / count); }
};

// Adds the group's row for each group that has any value.
template <typename Cell>
Result<Table> Accumulate(QueryContext& context, const Groups& groups, const Table& input) {
  const std::size_t steps = input.steps();
  std::vector<Cell> cells(groups.size() * steps);
  std::vector<char> started(groups.size() * steps, 0);
  std::vector<char> dropped(groups.size(), 0);
  context.budget.Charge(cells.size(), cells.size() * (sizeof(Cell) + 1));
  for (std::size_t i = 0; i < input.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    const double* values = input.values(i);
    Cell* row = cells.data() + groups.of(i) * steps;
    char* seen = started.data() + groups.of(i) * steps;
    if (input.row(i).drop_name) dropped[groups.of(i)] = 1;
    for (std::size_t s = 0; s < steps; ++s) {
      if (!IsPresent(values[s])) continue;
      if (seen[s] != 0) {
        row[s].Add(values[s]);
      } else {
        row[s].Start(values[s]);
        seen[s] = 1;
      }
    }
  }
  Table out(context.budget, steps);
  out.Reserve(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    double* values = out.Add({context.Own(groups.LabelsOf(g)), dropped[g] != 0});
    for (std::size_t s = 0; s < steps; ++s) {
      if (started[g * steps + s] != 0) values[s] = cells[g * steps + s].Result();
    }
  }
  context.budget.Release(cells.size(), cells.size() * (sizeof(Cell) + 1));
  return out;
}

Result<Table> QuantileOf(QueryContext& context, const Groups& groups, const Table& input,
                         const Column& q) {
  Table out(context.budget, input.steps());
  std::vector<double> values;
  std::vector<double> scratch;
  const auto members = groups.Members();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    RETURN_IF_ERROR(context.Check());
    const bool dropped = std::any_of(members[g].begin(), members[g].end(),
                                     [&](std::size_t i) { return input.row(i).drop_name; });
    double* column = out.Add({context.Own(groups.LabelsOf(g)), dropped});
    for (std::size_t s = 0; s < input.steps(); ++s) {
      values.clear();
      for (const std::size_t i : members[g]) {
        if (IsPresent(input.values(i)[s])) values.push_back(input.values(i)[s]);
      }
      if (!values.empty()) column[s] = Quantile(q[s], values, scratch);
    }
  }
  return out;
}

// --- operators that choose among the rows ---

// A row at one step.
struct Candidate {
  double value = 0;
  std::size_t row = 0;
};

// By value, NaN last; of equal values the earlier row first.
bool Higher(const Candidate& a, const Candidate& b) {
  if (std::isnan(a.value) || std::isnan(b.value)) {
    if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
    return a.row < b.row;
  }
  return a.value != b.value ? a.value > b.value : a.row < b.row;
}
bool Lower(const Candidate& a, const Candidate& b) {
  if (std::isnan(a.value) || std::isnan(b.value)) return Higher(a, b);
  return a.value != b.value ? a.value < b.value : a.row < b.row;
}

// The rows that a group keeps at one step, best first.
class Chooser {
 public:
  Chooser(AggregateOp op, const Table& input) : op_(op), input_(input) {
    if (op != AggregateOp::kLimitRatio) return;
    for (std::size_t i = 0; i < input.size(); ++i) {
      offsets_.push_back(RatioOffset(*input.row(i).labels));
    }
  }

  void Choose(const std::vector<std::size_t>& rows, std::size_t step, double parameter,
              std::vector<Candidate>& out) const {
    out.clear();
    const bool of_floats =
        op_ == AggregateOp::kTopk || op_ == AggregateOp::kBottomk || !input_.has_histograms();
    for (const std::size_t i : rows) {
      const double value = input_.values(i)[step];
      if (of_floats ? !IsPresent(value) : !input_.PresentAt(i, step)) continue;
      if (op_ == AggregateOp::kLimitRatio && !InRatio(parameter, offsets_[i])) continue;
      out.push_back({value, i});
    }
    if (op_ == AggregateOp::kLimitRatio) return;
    const std::size_t k =
        parameter < 1 ? 0 : std::min(out.size(), static_cast<std::size_t>(parameter));
    if (op_ != AggregateOp::kLimitk) {
      const auto middle = out.begin() + static_cast<std::ptrdiff_t>(k);
      std::partial_sort(out.begin(), middle, out.end(), op_ == AggregateOp::kTopk ? Higher : Lower);
    }
    out.resize(k);
  }

 private:
  // A positive ratio takes the low offsets, a negative one those that its complement leaves.
  static bool InRatio(double ratio, double offset) {
    if (ratio == 0) return false;
    ratio = std::clamp(ratio, -1.0, 1.0);
    return ratio >= 0 ? offset < ratio : offset >= 1.0 + ratio;
  }

  const AggregateOp op_;
  const Table& input_;
  std::vector<double> offsets_;
};

Result<Table> ChooseRows(QueryContext& context, const promql::Aggregate& aggregate,
                         const Groups& groups, const Table& input, const Column& parameter) {
  const Chooser chooser(aggregate.op, input);
  Table out(context.budget, input.steps());
  constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> out_row(input.size(), kNone);
  std::vector<Candidate> chosen;
  for (const std::vector<std::size_t>& members : groups.Members()) {
    RETURN_IF_ERROR(context.Check());
    for (std::size_t s = 0; s < input.steps(); ++s) {
      chooser.Choose(members, s, parameter[s], chosen);
      for (const Candidate& candidate : chosen) {
        std::size_t& row = out_row[candidate.row];
        if (row == kNone) {
          row = out.size();
          out.Add(input.row(candidate.row));
        }
        out.values(row)[s] = candidate.value;
        if (input.has_histograms() && input.histogram(candidate.row, s) != nullptr) {
          out.SetHistogram(row, s, input.SharedHistogram(candidate.row, s));
        }
      }
    }
  }
  return out;
}

// --- histograms, beside what the floats came to ---

bool IgnoresHistograms(AggregateOp op) {
  return op == AggregateOp::kMin || op == AggregateOp::kMax || op == AggregateOp::kStddev ||
         op == AggregateOp::kStdvar || op == AggregateOp::kQuantile || op == AggregateOp::kTopk ||
         op == AggregateOp::kBottomk;
}

bool AnyHistogram(const Table& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const HistogramPtr* const row = table.histograms(i);
    const auto there = [](const HistogramPtr& h) { return h != nullptr; };
    if (row != nullptr && std::any_of(row, row + table.steps(), there)) return true;
  }
  return false;
}

// Sum or mean of one group's histograms at one step; nothing where it has floats too.
void FoldHistograms(AggregateOp op, std::span<const Histogram* const> list, std::size_t group,
                    std::size_t step, const HistogramRemarker& remarks, Table& out) {
  if (IsPresent(out.values(group)[step])) {
    remarks.MixOfFloatsInAggregation();
    out.values(group)[step] = kAbsent;
    return;
  }
  auto folded = op == AggregateOp::kSum ? SumOf(list) : MeanOf(list);
  if (!folded) return remarks.MixOfBuckets();
  remarks.Note(folded->remarks, "aggregation");
  Compact(folded->value);
  out.SetHistogram(group, step, std::make_shared<const Histogram>(std::move(folded->value)));
}

Status AddHistograms(QueryContext& context, const promql::Aggregate& aggregate,
                     const Groups& groups, const Table& input, Table& out) {
  std::vector<const Histogram*> list;
  const auto members = groups.Members();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    RETURN_IF_ERROR(context.Check());
    const std::string_view name = input.row(members[g].front()).labels->metric_name();
    const HistogramRemarker remarks(context, name, aggregate.expr->position);
    for (std::size_t s = 0; s < input.steps(); ++s) {
      list.clear();
      for (const std::size_t i : members[g]) {
        if (const Histogram* histogram = input.histogram(i, s)) list.push_back(histogram);
      }
      if (list.empty()) continue;
      double& value = out.values(g)[s];
      if (aggregate.op == AggregateOp::kGroup) {
        value = 1;
      } else if (aggregate.op == AggregateOp::kCount) {
        value = (IsPresent(value) ? value : 0) + static_cast<double>(list.size());
      } else {
        FoldHistograms(aggregate.op, list, g, s, remarks, out);
      }
    }
  }
  return {};
}

// --- parameters ---

struct Extremes {
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  bool nan = false;
};

Extremes ExtremesOf(const Column& column) {
  Extremes extremes;
  for (const double value : column) {
    if (std::isnan(value)) extremes.nan = true;
    if (value < extremes.min) extremes.min = value;
    if (value > extremes.max) extremes.max = value;
  }
  return extremes;
}

Status CheckCount(const Extremes& k) {
  constexpr double kLargest = 9223372036854774784.0;  // that fits into an int64
  constexpr double kSmallest = -9223372036854775808.0;
  if (k.nan) return Invalid("Parameter value is NaN");
  if (k.max < 1) return {};
  if (k.min <= kSmallest) {
    return Invalid("Scalar value " + FormatDouble(k.min) + " underflows int64");
  }
  if (k.max >= kLargest) {
    return Invalid("Scalar value " + FormatDouble(k.max) + " overflows int64");
  }
  return {};
}

Status CheckRatio(QueryContext& context, const Extremes& ratio, promql::PosRange place) {
  if (ratio.nan) return Invalid("Ratio value is NaN");
  const auto warn = [&](double value, std::string_view cap) {
    context.annotations.Warn("ratio value should be between -1 and 1, got " + FormatDouble(value) +
                                 ", capping to " + std::string(cap),
                             place);
  };
  if (ratio.max > 1) warn(ratio.max, "1");
  if (ratio.min < -1) warn(ratio.min, "-1");
  return {};
}

void CheckQuantile(QueryContext& context, const Extremes& q, promql::PosRange place) {
  const auto warn = [&](std::string_view value) {
    context.annotations.Warn("quantile value should be between 0 and 1, got " + std::string(value),
                             place);
  };
  if (q.nan) warn("NaN");
  if (q.max > 1) warn(FormatDouble(q.max));
  if (q.min < 0) warn(FormatDouble(q.min));
}

Status CheckParameter(QueryContext& context, const promql::Aggregate& aggregate,
                      const Column& parameter) {
  const Extremes extremes = ExtremesOf(parameter);
  switch (aggregate.op) {
    case AggregateOp::kTopk:
    case AggregateOp::kBottomk:
    case AggregateOp::kLimitk:
      return CheckCount(extremes);
    case AggregateOp::kLimitRatio:
      return CheckRatio(context, extremes, aggregate.parameter->position);
    case AggregateOp::kQuantile:
      CheckQuantile(context, extremes, aggregate.parameter->position);
      return {};
    case AggregateOp::kSum:
    case AggregateOp::kAvg:
    case AggregateOp::kCount:
    case AggregateOp::kMin:
    case AggregateOp::kMax:
    case AggregateOp::kGroup:
    case AggregateOp::kStddev:
    case AggregateOp::kStdvar:
    case AggregateOp::kCountValues:
      return {};
  }
  return {};
}

Result<Table> Evaluate(QueryContext& context, const promql::Aggregate& aggregate,
                       const Groups& groups, const Table& input, const Column& parameter) {
  switch (aggregate.op) {
    case AggregateOp::kSum:
      return Accumulate<SumCell>(context, groups, input);
    case AggregateOp::kAvg:
      return Accumulate<AvgCell>(context, groups, input);
    case AggregateOp::kCount:
      return Accumulate<CountCell>(context, groups, input);
    case AggregateOp::kMin:
      return Accumulate<MinCell>(context, groups, input);
    case AggregateOp::kMax:
      return Accumulate<MaxCell>(context, groups, input);
    case AggregateOp::kGroup:
      return Accumulate<GroupCell>(context, groups, input);
    case AggregateOp::kStddev:
      return Accumulate<StddevCell>(context, groups, input);
    case AggregateOp::kStdvar:
      return Accumulate<StdvarCell>(context, groups, input);
    case AggregateOp::kQuantile:
      return QuantileOf(context, groups, input, parameter);
    case AggregateOp::kTopk:
    case AggregateOp::kBottomk:
    case AggregateOp::kLimitk:
    case AggregateOp::kLimitRatio:
      return ChooseRows(context, aggregate, groups, input, parameter);
    case AggregateOp::kCountValues:
      break;
  }
  return Internal("count_values has a way of its own");
}

// As Go's strconv 'f' with shortest precision: never an exponent, and zeros behind the digits that
// tell the value (std::to_chars would print all digits of a large one).
std::string ValueAsLabel(double value) {
  if (!std::isfinite(value) || std::fabs(value) < 1e15) {
    std::array<char, 400> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::fixed);
    return std::isfinite(value) ? std::string(buffer.data(), end.ptr) : FormatDouble(value);
  }
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits(text.substr(0, e));
  const std::size_t point = digits.find('.');
  std::size_t behind_point = 0;
  if (point != std::string::npos) {
    behind_point = digits.size() - point - 1;
    digits.erase(point, 1);
  }
  const std::int64_t exponent = ParseInt(text.substr(e + 2)).value_or(0);
  return digits + std::string(static_cast<std::size_t>(exponent) - behind_point, '0');
}

}  // namespace

Result<Table> EvalAggregate(QueryContext& context, const promql::Aggregate& aggregate,
                            const Column& parameter, Table input) {
  RETURN_IF_ERROR(CheckParameter(context, aggregate, parameter));
  input.RemoveEmpty();
  const Groups groups(context, aggregate, input);
  Result<Table> out = Evaluate(context, aggregate, groups, input, parameter);
  if (!out) return out;
  if (IgnoresHistograms(aggregate.op)) {
    if (AnyHistogram(input)) {
      HistogramRemarker(context, "", aggregate.position)
          .IgnoredInAggregation(promql::AggregateOpName(aggregate.op));
    }
  } else if (input.has_histograms() && !promql::TakesParameter(aggregate.op)) {
    RETURN_IF_ERROR(AddHistograms(context, aggregate, groups, input, *out));
  }
  // Groups are equal only where the name was all that told them apart.
  const bool by_name = std::find(aggregate.grouping.begin(), aggregate.grouping.end(),
                                 kMetricName) != aggregate.grouping.end();
  const bool same_rows =
      promql::TakesParameter(aggregate.op) && aggregate.op != AggregateOp::kQuantile;
  out->distinct_without_name =
      same_rows ? input.distinct_without_name
                : !by_name && !(aggregate.without && context.delayed_name_removal());
  return out;
}

Result<Table> EvalCountValues(QueryContext& context, const promql::Aggregate& aggregate,
                              const std::string& label, Table input) {
  if (!IsUtf8Name(label)) return Invalid("invalid label name " + Quote(label));
  const std::size_t steps = input.steps();
  input.RemoveEmpty();
  context.Settle(input);
  LabelChoice choice = GroupingOf(aggregate);
  std::map<Labels, std::size_t> rows;
  Table out(context.budget, steps);
  LabelsBuilder builder;
  for (std::size_t i = 0; i < input.size(); ++i) {
    RETURN_IF_ERROR(context.Check());
    // The value's label counts as one of the grouping, or stays although others go.
    const Labels group = choice.Pick(*input.row(i).labels);
    for (std::size_t s = 0; s < steps; ++s) {
      if (!input.PresentAt(i, s)) continue;
      builder.Reset(group);
      const bool kept = !aggregate.without || choice.Takes(label);
      const Histogram* const histogram = input.histogram(i, s);
      if (kept && histogram != nullptr) builder.Set(label, FormatHistogram(*histogram));
      if (kept && histogram == nullptr) builder.Set(label, ValueAsLabel(input.values(i)[s]));
      Labels labels = builder.Build();
      auto at = rows.find(labels);
      if (at == rows.end()) {
        out.Add({context.Own(labels), false});
        at = rows.emplace(std::move(labels), out.size() - 1).first;
      }
      double& count = out.values(at->second)[s];
      count = IsPresent(count) ? count + 1 : 1;
    }
  }
  return out;
}

}  // namespace skep::engine
