#include "tests/support/promql_oracle/matching.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
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

// The result of a comparison without bool is `kept`, or nothing.
struct Outcome {
  double value = 0;
  bool present = true;
};
Outcome Apply(const Binary& binary, double left, double right, double kept) {
  if (!promql::IsComparison(binary.op) || binary.return_bool) {
    return {OfNumbers(binary.op, left, right), true};
  }
  return {kept, Holds(binary.op, left, right)};
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
    const double left = swapped_ ? one.value : many.value;
    const double right = swapped_ ? many.value : one.value;
    const Outcome outcome = Apply(binary_, left, right, left);
    Labels labels = ResultLabels(many.labels, one.labels);
    std::set<Labels>& results = matched_[key];
    if (matching_.cardinality == Cardinality::kOneToOne && !results.empty()) {
      return Invalid("many-to-one matching must be explicit");
    }
    if (!results.insert(labels).second) {
      return Invalid("grouping labels must ensure unique matches");
    }
    if (outcome.present) out_.push_back({std::move(labels), outcome.value});
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
    const Outcome outcome = Apply(binary, first ? scalar : element.value,
                                  first ? element.value : scalar, element.value);
    if (!outcome.present) continue;
    out.push_back(
        {DropsName(binary) ? WithoutName(element.labels) : element.labels, outcome.value});
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
