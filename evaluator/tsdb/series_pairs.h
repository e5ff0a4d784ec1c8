// The labels of a block's series as numbers of pairs, each series by what differs from the one
// before, in groups that begin anew.
//
//   series   how many first pairs are those of the series before (varint; 0 at the begin of a
//   group)
//            4 * number of own pairs + number of last pairs that are those of the series before
//              (varint)
//            own pairs (varints): the first less one more than the pair at its place in the series
//              before (0 where there is none and it is the first of all), others less one more than
//              the pair before
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

// The numbers of a series' pairs, rising.
using PairList = std::vector<std::uint32_t>;

// Appends a series. `before` is empty at the begin of a group. Requires: `pairs` rise, and come
// after `before` in the order of lists.
void EncodeSeriesPairs(std::span<const std::uint32_t> before, std::span<const std::uint32_t> pairs,
                       ByteWriter& out);

// Turns the pairs of the series before into those of the next one. False where the bytes are none;
// then `pairs` are of no use. `limit`: all are below it.
bool DecodeSeriesPairs(ByteReader& in, std::uint32_t limit, PairList& pairs);

// The groups in a mapped file. Immutable, thread-safe; a view.
struct SeriesPairs {
  const BlockBytes* file = nullptr;
  std::string_view groups;
  PackedArray directory;
  std::uint32_t series = 0;
  std::uint32_t pair_limit = 0;
};

// Walks series: going on to a later one of the same group is a step, else the group is begun.
// Thread-compatible.
class SeriesPairsWalk {
 public:
  explicit SeriesPairsWalk(const SeriesPairs& from) : from_(&from), in_({}) {}

  // Requires: `series` is one of the block. After an error the next call begins anew.
  Status Go(std::uint32_t series);
  // Of the series that Go went to.
  const PairList& pairs() const { return pairs_; }

 private:
  const SeriesPairs* from_;
  ByteReader in_;
  PairList pairs_;
  std::uint32_t next_ = 0;     // the series that `in_` stands at
  std::uint32_t begun_ = ~0U;  // the group of it; none
};

}  // namespace skep::tsdb
