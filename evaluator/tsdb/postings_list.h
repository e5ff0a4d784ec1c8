// The series that have a pair of name and value, as bytes of a block's index.
//
//   list    number of series (varint), runs
//   run     2 * (its first ordinal less the end of the run before) + is longer than one (varint),
//           then its length - 2, if it is longer (varint)
//
// Series stand in the order of their labels, so those of a metric are one run, and a target's are
// as far apart as there are targets: a byte each, or two.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "evaluator/tsdb/bytes.h"
#include "evaluator/tsdb/label_index.h"

namespace skep::tsdb {

// Appends the list. Requires: `series` rise strictly.
void EncodePostings(std::span<const std::uint32_t> series, ByteWriter& out);

// Walks the runs of a list, safely on any bytes. A value.
class PostingsRuns {
 public:
  // Of a block of `limit` series.
  PostingsRuns(std::string_view list, std::uint32_t limit) : in_(list), limit_(limit) {
    left_ = in_.Varint();
  }

  // As the list says; known to be true only once it was walked.
  std::uint64_t left() const { return left_; }
  // Moves to the first or next run. False at the end.
  bool Next();
  std::uint32_t begin() const { return begin_; }
  std::uint32_t end() const { return end_; }  // not included
  // After Next gave false: whether the bytes were a list.
  bool ok() const { return in_.ok() && left_ == 0; }

 private:
  ByteReader in_;
  std::uint64_t left_ = 0;
  std::uint32_t limit_;
  std::uint32_t begin_ = 0, end_ = 0;
};

// These three are false where the bytes are no list; then the postings are of no use.
// Appends the series.
bool AppendPostings(PostingsRuns list, Postings& out);
// Keeps of `candidates` what is in the list, or what is not.
bool IntersectPostings(PostingsRuns list, Postings& candidates);
bool SubtractPostings(PostingsRuns list, Postings& candidates);

}  // namespace skep::tsdb
