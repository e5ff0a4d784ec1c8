#include "evaluator/engine/vector_join.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/quote.h"
#include "evaluator/engine/match_groups.h"
#include "evaluator/engine/operators.h"

namespace skep::engine {
namespace {

using promql::Cardinality;
using promql::VectorMatching;

// The side that may have several rows per group is "many", the other one "one". For one-to-one,
// many is the left.
class Joiner {
 public:
  Joiner(QueryContext& context, const promql::Binary& binary, Table left, Table right)
      : context_(context),
        binary_(binary),
        matching_(*binary.matching),
        keeps_labels_(KeepsLabels(context, matching_, left, right)),
        groups_(context, binary, left, right),
        swapped_(matching_.cardinality == Cardinality::kOneToMany),
        many_(std::move(left)),
        one_(std::move(right)),
        of_many_(swapped_ ? groups_.of_right : groups_.of_left),
        of_one_(swapped_ ? groups_.of_left : groups_.of_right),
        // Not swapped with the sides: Prometheus fills the many side of group_right by fill_left.
        fill_one_(matching_.fill_right),
        fill_many_(matching_.fill_left),
        tracks_(matching_.cardinality != Cardinality::kOneToOne || fill_many_.has_value() ||
                many_.has_histograms() || one_.has_histograms()),
        out_(context.budget, many_.steps()) {
    if (swapped_) std::swap(many_, one_);
  }

  Result<Table> Run() {
    if (many_.empty() && one_.empty()) return std::move(out_);
    const Members many(of_many_, groups_.index.size());
    const Members one(of_one_, groups_.index.size());
    for (std::size_t g = 0; g < groups_.index.size(); ++g) {
      RETURN_IF_ERROR(context_.Check());
      RETURN_IF_ERROR(RefuseManyOnOneSide(one.Of(g)));
      RETURN_IF_ERROR(JoinGroup(many.Of(g), one.Of(g)));
    }
    if (IsTrim(binary_.op) && floats_met_) NoteTrimOfFloats(context_, binary_);
    out_.RemoveEmpty();
    return Finish();
  }

 private:
  bool HasFill() const { return fill_one_.has_value() || fill_many_.has_value(); }

  // Prometheus looks at a step only where both sides have something, or a fill stands in.
  bool StepCounts(std::size_t step) const { return HasFill() || AnyAt(many_, step); }
  static bool AnyAt(const Table& table, std::size_t step) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table.PresentAt(i, step)) return true;
    }
    return false;
  }

  Status RefuseManyOnOneSide(std::span<const std::size_t> rows) const {
    if (rows.size() < 2) return {};
    constexpr auto kNobody = std::numeric_limits<std::size_t>::max();
    std::vector<std::size_t> holder(one_.steps(), kNobody);
    for (const std::size_t row : rows) {
      for (std::size_t s = 0; s < one_.steps(); ++s) {
        if (!one_.PresentAt(row, s)) continue;
        if (holder[s] != kNobody && StepCounts(s)) return Duplicate(holder[s], row);
        holder[s] = row;
      }
    }
    return {};
  }

  Error Duplicate(std::size_t a, std::size_t b) const {
    return Invalid("found duplicate series for the match group " +
                   groups_.index.choice().Pick(*one_.row(a).labels).ToString() + " on the " +
                   (swapped_ ? "left" : "right") + " hand-side of the operation: [" +
                   WithName(*one_.row(a).labels) + ", " + WithName(*one_.row(b).labels) +
                   "];many-to-many matching not allowed: matching labels must be unique on one "
                   "side");
  }
  static std::string WithName(const Labels& labels);

  Status JoinGroup(std::span<const std::size_t> many, std::span<const std::size_t> one) {
    if (!tracks_) RETURN_IF_ERROR(RefuseSecondMatch(many, one));
    const std::size_t first = out_.size();
    for (const std::size_t m : many) {
      for (const std::size_t o : one) Pair(m, o);
      if (fill_one_) FillFor(m, one);
    }
    RETURN_IF_ERROR(RefuseMatches(first));
    if (fill_many_) {
      const std::vector<char> matched = MatchedSteps();
      for (const std::size_t o : one) FillForOne(o, matched);
    }
    matched_.clear();
    return {};
  }

  // Per step: whether the present group has any pair there.
  std::vector<char> MatchedSteps() const {
    std::vector<char> steps(out_.steps(), 0);
    for (std::size_t i = 0; i < matched_.size(); ++i) {
      if (matched_[i] != 0) steps[i % steps.size()] = 1;
    }
    return steps;
  }

  // One-to-one: two rows of the left may not meet the same partner.
  Status RefuseSecondMatch(std::span<const std::size_t> many,
                           std::span<const std::size_t> one) const {
    if (matching_.cardinality != Cardinality::kOneToOne || many.size() < 2) return {};
    for (std::size_t s = 0; s < many_.steps(); ++s) {
      const auto present = [s](const Table& table) {
        return [s, &table](std::size_t i) { return table.PresentAt(i, s); };
      };
      if (std::count_if(many.begin(), many.end(), present(many_)) < 2) continue;
      if (!fill_one_ && std::none_of(one.begin(), one.end(), present(one_))) continue;
      return SecondMatch();
    }
    return {};
  }

  // Looks at what was matched, also at what a comparison dropped. Rows from `first` on belong to
  // the group.
  Status RefuseMatches(std::size_t first) const {
    if (!tracks_) return {};
    return matching_.cardinality == Cardinality::kOneToOne ? FindSecondMatch()
                                                           : FindEqualResults(first);
  }
  // One-to-one where not every pair is one (a float and a histogram).
  Status FindSecondMatch() const {
    std::vector<char> seen(out_.steps(), 0);
    for (std::size_t i = 0; i < matched_.size(); ++i) {
      if (matched_[i] == 0) continue;
      if (std::exchange(seen[i % seen.size()], 1) != 0) return SecondMatch();
    }
    return {};
  }
  static Error SecondMatch() {
    return Invalid(
        "multiple matches for labels: many-to-one matching must be explicit "
        "(group_left/group_right)");
  }
  // Many-to-one: results of one group must differ in their labels.
  Status FindEqualResults(std::size_t first) const {
    std::vector<std::pair<std::uint64_t, std::size_t>> hashes;
    for (std::size_t i = first; i < out_.size(); ++i) {
      hashes.emplace_back(out_.row(i).labels->Hash(), i);
    }
    std::sort(hashes.begin(), hashes.end());
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      for (std::size_t k = i + 1; k < hashes.size() && hashes[k].first == hashes[i].first; ++k) {
        const auto [a, b] = std::pair(hashes[i].second, hashes[k].second);
        if (*out_.row(a).labels != *out_.row(b).labels) continue;
        for (std::size_t s = 0; s < out_.steps(); ++s) {
          if (!Matched(a - first, s) || !Matched(b - first, s)) continue;
          return Invalid("multiple matches for labels: grouping labels must ensure unique matches");
        }
      }
    }
    return {};
  }
  bool Matched(std::size_t result, std::size_t step) const {
    return matched_[result * out_.steps() + step] != 0;
  }

  void Pair(std::size_t m, std::size_t o) {
    const double* one = one_.values(o);
    const RowLabels labels = keeps_labels_
                                 ? many_.row(m).labels
                                 : RowLabels(ResultLabels(many_.row(m), *one_.row(o).labels));
    if (many_.histograms(m) == nullptr && one_.histograms(o) == nullptr) {
      Emit(labels, many_.row(m), many_.values(m), [one](std::size_t s) { return one[s]; });
      return;
    }
    EmitMixed(
        labels, many_.row(m), [this, m](std::size_t s) { return At(many_, m, s); },
        [this, o](std::size_t s) { return At(one_, o, s); });
  }

  // What a row has at a step; empty if nothing.
  static std::optional<Operand> At(const Table& table, std::size_t row, std::size_t step) {
    if (!table.PresentAt(row, step)) return std::nullopt;
    return Operand{table.values(row)[step], table.SharedHistogram(row, step)};
  }

  // Row `m` where no row of `one` is present.
  void FillFor(std::size_t m, std::span<const std::size_t> one) {
    const Labels partner = groups_.index.choice().Pick(*many_.row(m).labels);
    const auto value = [&](std::size_t s) {
      for (const std::size_t o : one) {
        if (one_.PresentAt(o, s)) return kAbsent;
      }
      return *fill_one_;
    };
    const Labels* const labels = ResultLabels(many_.row(m), partner);
    if (many_.histograms(m) == nullptr) return Emit(labels, many_.row(m), many_.values(m), value);
    EmitMixed(
        labels, many_.row(m), [this, m](std::size_t s) { return At(many_, m, s); },
        [&value](std::size_t s) { return Filled(value(s)); });
  }

  // Row `o` at the steps where its group has no pair.
  void FillForOne(std::size_t o, const std::vector<char>& matched) {
    const Row pretended{context_.Own(groups_.index.choice().Pick(*one_.row(o).labels)), false};
    Column filled(many_.steps(), *fill_many_);
    for (std::size_t s = 0; s < filled.size(); ++s) {
      if (matched[s] != 0) filled[s] = kAbsent;
    }
    const double* one = one_.values(o);
    const Labels* const labels = ResultLabels(pretended, *one_.row(o).labels);
    if (one_.histograms(o) == nullptr) {
      Emit(labels, pretended, filled.data(), [one](std::size_t s) { return one[s]; });
    } else {
      EmitMixed(
          labels, pretended, [&filled](std::size_t s) { return Filled(filled[s]); },
          [this, o](std::size_t s) { return At(one_, o, s); });
    }
  }
  static std::optional<Operand> Filled(double value) {
    return IsPresent(value) ? std::optional(Operand{value, nullptr}) : std::nullopt;
  }

  // A result row: `many` and the partner's value at each step, where both are present.
  template <typename Partner>
  void Emit(RowLabels labels, const Row& source, const double* many, Partner partner) {
    double* out = out_.Add(ResultRow(labels, source));
    floats_met_ = true;
    const std::size_t steps = out_.steps();
    const bool track = tracks_;
    const std::size_t base = matched_.size();
    if (track) matched_.resize(base + steps, 0);
    WithOperator(binary_, [&](auto f) {
      for (std::size_t s = 0; s < steps; ++s) {
        const double p = partner(s);
        if (!IsPresent(many[s]) || !IsPresent(p)) continue;
        if (track) matched_[base + s] = 1;
        out[s] = swapped_ ? f(p, many[s], p) : f(many[s], p, many[s]);
      }
    });
  }

  // Included labels are the partner's, which may be another one at the next run.
  Row ResultRow(RowLabels labels, const Row& source) const {
    if (!matching_.include.empty()) return {labels, DropsName(source)};
    return {labels, DropsName(source), source.selector, source.slot};
  }
  bool DropsName(const Row& source) const {
    const bool filter = promql::IsComparison(binary_.op) || IsTrim(binary_.op);
    if (keeps_labels_ && ChangesMeaning(binary_)) return true;
    return filter && (binary_.return_bool || source.drop_name);  // else ResultLabels has done it
  }

  // The same where histograms take part: `many(step)` and `one(step)` give operands.
  template <typename Many, typename One>
  void EmitMixed(RowLabels labels, const Row& source, Many many, One one) {
    out_.Add(ResultRow(labels, source));
    const std::size_t row = out_.size() - 1;
    const std::size_t base = matched_.size();
    if (tracks_) matched_.resize(base + out_.steps(), 0);
    for (std::size_t s = 0; s < out_.steps(); ++s) {
      const std::optional<Operand> a = many(s);
      const std::optional<Operand> b = one(s);
      if (!a || !b) continue;
      const std::optional<Operand> result = Apply(swapped_ ? *b : *a, swapped_ ? *a : *b);
      if (tracks_ && result) matched_[base + s] = 1;
      PutOperand(result, row, s, out_);
    }
  }

  // The operator on any operands: see ApplyToHistograms. A comparison lets the left one through.
  std::optional<Operand> Apply(const Operand& left, const Operand& right) {
    if (left.histogram != nullptr || right.histogram != nullptr) {
      const HistogramRemarker remarks(context_, "", binary_.position);
      return ApplyToHistograms(binary_, left, right, left, remarks);
    }
    floats_met_ = true;
    double result = kAbsent;
    WithOperator(binary_, [&](auto f) { result = f(left.value, right.value, left.value); });
    return Operand{result, nullptr};
  }

  // The labels of a result, as the modifiers say.
  const Labels* ResultLabels(const Row& many, const Labels& one) {
    if (ChangesMeaning(binary_) && !binary_.return_bool) {
      builder_.Reset(WithoutMetadata(*many.labels));
    } else {
      builder_.Reset(*many.labels);
    }
    if (matching_.cardinality == Cardinality::kOneToOne) RestrictToMatching();
    for (const std::string& name : matching_.include) builder_.Set(name, one.Get(name));
    return context_.Own(builder_.Build());
  }

  void RestrictToMatching() {
    std::vector<std::string> gone;
    for (const auto& [name, value] : builder_.pairs()) {
      const bool listed = std::find(matching_.labels.begin(), matching_.labels.end(), name) !=
                          matching_.labels.end();
      if (listed != matching_.on) gone.push_back(name);
    }
    for (const std::string& name : gone) builder_.Delete(name);
  }

  Result<Table> Finish() {
    if (keeps_labels_) {
      out_.distinct_without_name = true;
      return std::move(out_);
    }
    // Arithmetic took the names away, whatever becomes of delayed removal.
    RETURN_IF_ERROR(context_.MergeEqual(out_));
    out_.distinct_without_name = ChangesMeaning(binary_);
    if (!out_.distinct_without_name) RETURN_IF_ERROR(context_.MergeAfterDrop(out_));
    return std::move(out_);
  }

  QueryContext& context_;
  const promql::Binary& binary_;
  const VectorMatching& matching_;
  const bool keeps_labels_;  // see KeepsLabels(): nobody need look at the labels here
  MatchGroups groups_;
  const bool swapped_;
  Table many_;
  Table one_;
  const std::vector<std::size_t>& of_many_;
  const std::vector<std::size_t>& of_one_;
  const std::optional<double> fill_one_;
  const std::optional<double> fill_many_;
  const bool tracks_;  // whether matched_ is kept
  Table out_;
  bool floats_met_ = false;    // two floats were operands
  std::vector<char> matched_;  // per result row of the present group and step
  LabelsBuilder builder_;
};

// Prometheus prints the label sets of this error with the name among the labels.
std::string Joiner::WithName(const Labels& labels) {
  std::string out = "{";
  for (const LabelView& label : labels) {
    if (out.size() > 1) out += ", ";
    out.append(label.name).append("=").append(Quote(label.value));
  }
  return out + "}";
}

}  // namespace

Result<Table> JoinVectors(QueryContext& context, const promql::Binary& binary, Table left,
                          Table right) {
  return Joiner(context, binary, std::move(left), std::move(right)).Run();
}

}  // namespace skep::engine
