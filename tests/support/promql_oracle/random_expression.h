// Random expressions over the series of RandomData.
#pragma once

#include <string>

#include "tests/support/promql_oracle/random.h"

namespace skep::oracle {

// Every text parses with ParseOptions::All(), unless a label is named twice where it must not be;
// whoever uses them passes those over. Where an answer would depend on an order that nobody defines
// (topk of equal values, limitk), the argument is one whose order is that of the labels.
class RandomExpression {
 public:
  explicit RandomExpression(Random& random) : random_(random) {}

  // An instant vector, now and then a scalar.
  std::string Any(int depth);
  // A selector with a range, or a subquery.
  std::string Range(int depth);

 private:
  std::string Vector(int depth);
  std::string Ordered(int depth);
  std::string Scalar(int depth);
  std::string Selector();
  std::string Modifier();
  std::string Span();
  std::string Extended();
  std::string OverTime(int depth);
  std::string OfValue(int depth);
  std::string Aggregation(int depth);
  std::string Choice(int depth);
  std::string Between(int depth);
  std::string SetOperation(int depth);
  std::string WithScalar(int depth);
  std::string Native(int depth);
  std::string NativeRange(int depth);
  std::string OfNative(int depth);
  std::string Histogram(int depth);
  std::string Relabelled(int depth);
  std::string Other(int depth);
  std::string Comparison();
  std::string Arithmetic();
  // Up to three labels in parentheses.
  std::string Labels();
  std::string Grouping();
  std::string Matching();

  Random& random_;
};

}  // namespace skep::oracle
