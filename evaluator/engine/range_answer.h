// The answer to a range query, a series at a time.
#pragma once

#include <cstddef>
#include <memory>

#include "evaluator/promql/value.h"

namespace skep::engine {

// Holds the values as the engine has them: 8 bytes a step, where a Matrix takes 16 and text 30. So
// whoever writes an answer out makes each series when it is its turn. Thread-compatible. Needs
// nothing of the store that was queried; its engine has to live on.
class RangeAnswer {
 public:
  struct Content;

  explicit RangeAnswer(std::unique_ptr<const Content> content);
  RangeAnswer(RangeAnswer&&) noexcept;
  RangeAnswer& operator=(RangeAnswer&&) noexcept;
  ~RangeAnswer();

  std::size_t size() const;    // series
  std::size_t values() const;  // at most; a histogram counts for 20
  // Leaves the first `count` series.
  void Truncate(std::size_t count);
  // The i-th series in the order of label sets; none is empty. Overwrites `out`, whose memory is
  // used again.
  void Read(std::size_t i, promql::MatrixSeries& out) const;

 private:
  std::unique_ptr<const Content> content_;
  std::size_t size_;
};

}  // namespace skep::engine
