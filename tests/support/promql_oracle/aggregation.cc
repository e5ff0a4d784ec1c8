#include "tests/support/promql_oracle/aggregation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "tests/support/promql_oracle/arithmetic.h"

namespace skep::oracle {
namespace {

using promql::Aggregate;
using promql::AggregateOp;

Labels GroupOf(const Labels& labels, const Aggregate& aggregate) {
  LabelsBuilder group;
  for (const LabelView& label : labels) {
    const bool listed = std::find(aggregate.grouping.begin(), aggregate.grouping.end(),
                                  label.name) != aggregate.grouping.end();
    const bool kept = aggregate.without ? !listed && label.name != kMetricName : listed;
    if (kept) group.Set(label.name, label.value);
  }
  return group.Build();
}

struct Group {
  Labels labels;
  Elements members;
};

std::vector<Group> GroupsOf(const Aggregate& aggregate, const Elements& elements) {
  std::vector<Group> groups;
  std::map<Labels, std::size_t> numbers;
  for (const Element& element : elements) {
    const Labels labels = GroupOf(element.labels, aggregate);
    const auto [at, is_new] = numbers.emplace(labels, groups.size());
    if (is_new) groups.push_back({labels, {}});
    groups[at->second].members.push_back(element);
  }
  return groups;
}

// --- one value per group ---

double Variance(const std::vector<double>& values) {
  double mean = values[0];
  double squares = std::isfinite(values[0]) ? 0 : std::numeric_limits<double>::quiet_NaN();
  double count = 1;
  for (std::size_t i = 1; i < values.size(); ++i) {
    count += 1;
    const double off = values[i] - mean;
    mean += off / count;
    squares += off * (values[i] - mean);
  }
  return squares / count;
}

// NaN only where there is nothing else.
template <typename Beats>
double Extreme(const std::vector<double>& values, Beats beats) {
  double best = values[0];
  for (const double value : values) {
    if (std::isnan(best) || beats(value, best)) best = value;
  }
  return best;
}

double Fold(AggregateOp op, double q, const std::vector<double>& values) {
  if (op == AggregateOp::kSum) return Sum(values);
  if (op == AggregateOp::kAvg) return Mean(values);
  if (op == AggregateOp::kCount) return static_cast<double>(values.size());
  if (op == AggregateOp::kMin) return Extreme(values, [](double x, double b) { return x < b; });
  if (op == AggregateOp::kMax) return Extreme(values, [](double x, double b) { return x > b; });
  if (op == AggregateOp::kStdvar) return Variance(values);
  if (op == AggregateOp::kStddev) return std::sqrt(Variance(values));
  if (op == AggregateOp::kQuantile) return Quantile(q, values);
  return 1;  // group
}

// Of a group that has histograms. Empty: nothing.
std::optional<Quantity> FoldNatives(AggregateOp op, double q, const std::vector<double>& values,
                                    const std::vector<NativePtr>& natives) {
  if (op == AggregateOp::kGroup) return Quantity{1, nullptr};
  if (op == AggregateOp::kCount) {
    return Quantity{static_cast<double>(values.size() + natives.size()), nullptr};
  }
  if (op != AggregateOp::kSum && op != AggregateOp::kAvg) {  // of floats alone
    if (values.empty()) return std::nullopt;
    return Quantity{Fold(op, q, values), nullptr};
  }
  if (!values.empty()) return std::nullopt;
  const auto total = op == AggregateOp::kSum ? SumOfAll(natives) : MeanOfAll(natives);
  if (!total) return std::nullopt;
  return Quantity{0, std::make_shared<const Native>(Compacted(*total))};
}

Elements Folded(const Aggregate& aggregate, double q, const std::vector<Group>& groups,
                AdditionOrder order) {
  Elements out;
  for (const Group& group : groups) {
    std::vector<double> values;
    std::vector<NativePtr> natives;
    for (const Element& member : group.members) {
      if (member.native != nullptr) natives.push_back(member.native);
      if (member.native == nullptr) values.push_back(member.value);
    }
    if (order == AdditionOrder::kReversed) {
      std::reverse(values.begin(), values.end());
      std::reverse(natives.begin(), natives.end());
    }
    const auto folded = natives.empty() ? Quantity{Fold(aggregate.op, q, values), nullptr}
                                        : FoldNatives(aggregate.op, q, values, natives);
    if (folded) out.push_back(Element::Of(group.labels, *folded));
  }
  return out;
}

// --- some elements of each group ---

Status CheckCount(double k) {
  if (std::isnan(k)) return Invalid("the number of elements is NaN");
  if (k >= 9223372036854774784.0) return Invalid("the number of elements is too large");
  return {};
}

Elements Kept(AggregateOp op, double k, Elements members) {
  if (op != AggregateOp::kLimitk) {
    std::erase_if(members, [](const Element& member) { return member.native != nullptr; });
    std::stable_sort(members.begin(), members.end(), [op](const Element& a, const Element& b) {
      if (std::isnan(a.value) || std::isnan(b.value))
        return std::isnan(b.value) && !std::isnan(a.value);
      return op == AggregateOp::kTopk ? a.value > b.value : a.value < b.value;
    });
  }
  if (k < 1) return {};
  if (k < static_cast<double>(members.size())) members.resize(static_cast<std::size_t>(k));
  return members;
}

// --- count_values ---

// All digits that tell the value, no exponent.
std::string Digits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value),
                                 std::chars_format::scientific);
  const std::string text(buffer.data(), end.ptr);
  const std::size_t e = text.find('e');
  std::string digits = text.substr(0, 1);
  if (e > 2) digits += text.substr(2, e - 2);
  const int exponent = std::stoi(text.substr(e + 1));
  const auto whole = static_cast<std::size_t>(std::max(exponent + 1, 0));
  if (exponent < 0) digits.insert(0, static_cast<std::size_t>(-exponent - 1), '0');
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  std::string out = std::signbit(value) ? "-" : "";
  out += whole == 0 ? "0" : digits.substr(0, whole);
  if (digits.size() > whole) out += "." + digits.substr(whole);
  return out;
}

// The value becomes a label; where the grouping is by labels, it is one of them.
Result<Elements> CountValues(Aggregate const& aggregate, const std::string& label,
                             const Elements& elements) {
  if (!IsUtf8Name(label)) return Invalid("no name for a label");
  std::map<Labels, double> counts;
  for (const Element& element : elements) {
    const std::string value = element.native == nullptr ? Digits(element.value)
                                                        : FormatHistogram(ToModel(*element.native));
    LabelsBuilder with_value(element.labels);
    with_value.Set(label, value);
    LabelsBuilder group(GroupOf(with_value.Build(), aggregate));
    if (!aggregate.without) group.Set(label, value);
    counts[group.Build()] += 1;
  }
  Elements out;
  for (const auto& [labels, count] : counts) out.push_back({labels, count});
  return out;
}

}  // namespace

Result<Elements> OfAggregate(const Aggregate& aggregate, const AggregateParameter& parameter,
                             const Elements& elements, AdditionOrder order) {
  if (aggregate.op == AggregateOp::kCountValues) {
    return CountValues(aggregate, parameter.text, elements);
  }
  const std::vector<Group> groups = GroupsOf(aggregate, elements);
  const bool keeps = aggregate.op == AggregateOp::kTopk || aggregate.op == AggregateOp::kBottomk ||
                     aggregate.op == AggregateOp::kLimitk;
  if (!keeps) return Folded(aggregate, parameter.number, groups, order);
  RETURN_IF_ERROR(CheckCount(parameter.number));
  Elements out;
  for (const Group& group : groups) {
    for (Element& element : Kept(aggregate.op, parameter.number, group.members)) {
      out.push_back(std::move(element));
    }
  }
  return out;
}

}  // namespace skep::oracle
