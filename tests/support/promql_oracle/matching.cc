#include "tests/support/promql_oracle/matching.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace skep::oracle {
namespace {

using promql::Binary;
using promql::BinaryOp;
using promql::Cardinality;
using promql::VectorMatching;

bool Holds(BinaryOp op, double left, double right) {
  if (op == BinaryOp::kEqual) return left == right;
  if (op == BinaryOp::kNotEqual) return left != right;
  if (op == BinaryOp::kLess) return left < right;
  if (op == BinaryOp::kLessEqual) return left <= right;
  if (op == BinaryOp::kGreater) return left > right;
  return left >= right;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The labels by which partners find each other.
Labels KeyOf(const Labels& labels, const VectorMatching& matching) {
  LabelsBuilder key;
  for (const LabelView& label : labels) {
    const bool listed = Contains(matching.labels, label.name);
    const bool counts = matching.on ? listed : !listed && label.name != kMetricName;
    if (counts) key.Set(label.name, label.value);
  }
  return key.Build();
}

bool DropsName(const Binary& binary) {
  return !promql::IsComparison(binary.op) || binary.return_bool;
}

// What becomes of a pair. Where the operator is not defined for the two they are no pair at all; a
// comparison that does not hold gives nothing.
struct Outcome {
  bool is_pair = true;
  std::optional<Quantity> result = {};
};
const Outcome kNoPair{false};

Outcome Given(const std::optional<Native>& native) {
  if (!native) return kNoPair;
  return {true, Quantity{0, std::make_shared<const Native>(Compacted(*native))}};
}

// Where one side at least is a histogram.
Outcome NativeArithmetic(BinaryOp op, const Quantity& left, const Quantity& right) {
  if (left.native != nullptr && right.native != nullptr) {
    if (op == BinaryOp::kAdd) return Given(Plus(*left.native, *right.native));
    if (op != BinaryOp::kSub) return kNoPair;
    std::optional<Native> difference = Minus(*left.native, *right.native);
    if (difference) difference->gauge = true;
    return Given(difference);
  }
  if (left.native == nullptr) {
    return op == BinaryOp::kMul ? Given(Times(*right.native, left.number)) : kNoPair;
  }
  if (op == BinaryOp::kMul) return Given(Times(*left.native, right.number));
  return op == BinaryOp::kDiv ? Given(Over(*left.native, right.number)) : kNoPair;
}

// Whether a comparison holds; empty where the two cannot be compared so.
std::optional<bool> Compare(BinaryOp op, const Quantity& left, const Quantity& right) {
  if (left.native == nullptr && right.native == nullptr) {
    return Holds(op, left.number, right.number);
  }
  const bool equality = op == BinaryOp::kEqual || op == BinaryOp::kNotEqual;
  if (left.native == nullptr || right.native == nullptr || !equality) return std::nullopt;
  return Identical(*left.native, *right.native) == (op == BinaryOp::kEqual);
}

// The result of a comparison without bool is `kept`, or nothing.
Outcome Apply(const Binary& binary, const Quantity& left, const Quantity& right,
              const Quantity& kept) {
  if (promql::IsComparison(binary.op)) {
    const std::optional<bool> holds = Compare(binary.op, left, right);
    if (!holds) return kNoPair;
    if (binary.return_bool) return {true, Quantity{*holds ? 1.0 : 0.0, nullptr}};
    return *holds ? Outcome{true, kept} : Outcome{};
  }
  if (left.native != nullptr || right.native != nullptr) {
    return NativeArithmetic(binary.op, left, right);
  }
  return {true, Quantity{OfNumbers(binary.op, left.number, right.number), nullptr}};
}

// --- and, or, unless ---

std::set<Labels> KeysOf(const Elements& elements, const VectorMatching& matching) {
  std::set<Labels> keys;
  for (const Element& element : elements) keys.insert(KeyOf(element.labels, matching));
  return keys;
}

enum class Membership { kInside, kOutside };
Elements Filter(const Elements& elements, const std::set<Labels>& keys,
                const VectorMatching& matching, Membership wanted) {
  Elements out;
  for (const Element& element : elements) {
    const bool inside = keys.contains(KeyOf(element.labels, matching));
    if (inside == (wanted == Membership::kInside)) out.push_back(element);
  }
  return out;
}

Elements OfSets(const Binary& binary, const Elements& left, const Elements& right) {
  const VectorMatching& matching = *binary.matching;
  if (binary.op == BinaryOp::kAnd) {
    return Filter(left, KeysOf(right, matching), matching, Membership::kInside);
  }
  if (binary.op == BinaryOp::kUnless) {
    return Filter(left, KeysOf(right, matching), matching, Membership::kOutside);
  }
  Elements out = left;
  for (Element& element : Filter(right, KeysOf(left, matching), matching, Membership::kOutside)) {
    out.push_back(std::move(element));
  }
  return out;
}

// --- one to one, many to one ---

class Join {
 public:
  // `many` is the side that may have several elements per key; of one-to-one, the left.
  Join(const Binary& binary, const Elements& left, const Elements& right)
      : binary_(binary),
        matching_(*binary.matching),
        swapped_(matching_.cardinality == Cardinality::kOneToMany),
        many_(swapped_ ? right : left),
        one_(swapped_ ? left : right) {}

  Result<Elements> Run() {
    const bool fills = matching_.fill_left.has_value() || matching_.fill_right.has_value();
    const bool empty = many_.empty() || one_.empty();
    if (empty && (!fills || (many_.empty() && one_.empty()))) return Elements{};
    std::map<Labels, Element> partners;
    for (const Element& element : one_) {
      if (!partners.emplace(KeyOf(element.labels, matching_), element).second) {
        return Invalid("many-to-many matching not allowed");
      }
    }
    for (const Element& element : many_) RETURN_IF_ERROR(JoinOne(element, partners));
    RETURN_IF_ERROR(FillMany(partners));
    RETURN_IF_ERROR(RefuseDuplicates(out_));
    return std::move(out_);
  }

 private:
  Status JoinOne(const Element& element, const std::map<Labels, Element>& partners) {
    const Labels key = KeyOf(element.labels, matching_);
    const auto partner = partners.find(key);
    if (partner != partners.end()) return Add(key, element, partner->second);
    if (matching_.fill_right) return Add(key, element, {key, *matching_.fill_right});
    return {};
  }

  Status FillMany(const std::map<Labels, Element>& partners) {
    if (!matching_.fill_left) return {};
    for (const auto& [key, partner] : partners) {
      if (matched_.contains(key)) continue;
      RETURN_IF_ERROR(Add(key, {key, *matching_.fill_left}, partner));
    }
    return {};
  }

  // A pair counts as matched also where a comparison drops its result.
  Status Add(const Labels& key, const Element& many, const Element& one) {
    const Quantity left = swapped_ ? one.quantity() : many.quantity();
    const Quantity right = swapped_ ? many.quantity() : one.quantity();
    const Outcome outcome = Apply(binary_, left, right, left);
    if (!outcome.is_pair) return {};
    Labels labels = ResultLabels(many.labels, one.labels);
    std::set<Labels>& results = matched_[key];
    if (matching_.cardinality == Cardinality::kOneToOne && !results.empty()) {
      return Invalid("many-to-one matching must be explicit");
    }
    if (!results.insert(labels).second) {
      return Invalid("grouping labels must ensure unique matches");
    }
    if (outcome.result) out_.push_back(Element::Of(std::move(labels), *outcome.result));
    return {};
  }

  Labels ResultLabels(const Labels& many, const Labels& one) const {
    LabelsBuilder builder(DropsName(binary_) ? WithoutName(many) : many);
    if (matching_.cardinality == Cardinality::kOneToOne) {
      for (const LabelView& label : many) {
        if (Contains(matching_.labels, label.name) != matching_.on) builder.Delete(label.name);
      }
    }
    for (const std::string& name : matching_.include) builder.Set(name, one.Get(name));
    return DropsName(binary_) && binary_.return_bool ? WithoutName(builder.Build())
                                                     : builder.Build();
  }

  const Binary& binary_;
  const VectorMatching& matching_;
  const bool swapped_;
  const Elements& many_;
  const Elements& one_;
  std::map<Labels, std::set<Labels>> matched_;  // by key: the label sets of its results
  Elements out_;
};

}  // namespace

double OfNumbers(BinaryOp op, double left, double right) {
  if (op == BinaryOp::kAdd) return left + right;
  if (op == BinaryOp::kSub) return left - right;
  if (op == BinaryOp::kMul) return left * right;
  if (op == BinaryOp::kDiv) return left / right;
  if (op == BinaryOp::kMod) return std::fmod(left, right);
  if (op == BinaryOp::kPow) return std::pow(left, right);
  if (op == BinaryOp::kAtan2) return std::atan2(left, right);
  return Holds(op, left, right) ? 1 : 0;
}

Elements WithScalar(const Binary& binary, const Elements& vector, double scalar, ScalarSide side) {
  Elements out;
  for (const Element& element : vector) {
    const bool first = side == ScalarSide::kLeft;
    const Quantity number{scalar, nullptr};
    const Quantity own = element.quantity();
    const Outcome outcome = Apply(binary, first ? number : own, first ? own : number, own);
    if (!outcome.result) continue;
    out.push_back(Element::Of(DropsName(binary) ? WithoutName(element.labels) : element.labels,
                              *outcome.result));
  }
  return out;
}

Result<Elements> OfVectors(const Binary& binary, const Elements& left, const Elements& right) {
  if (!promql::IsSetOperator(binary.op)) return Join(binary, left, right).Run();
  Elements out = OfSets(binary, left, right);
  RETURN_IF_ERROR(RefuseDuplicates(out));
  return out;
}

}  // namespace skep::oracle
