// The plain way to read a series of a block without what is deleted: the oracle of BlockCursor.
#pragma once

#include <cstdint>
#include <vector>

#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/tombstones.h"

namespace skep::tsdb {

// As Block::ReadSamples.
inline Status ReadSamples(const Block& block, const Tombstones& tombstones, std::uint32_t series,
                          storage::TimeRange range, storage::SampleColumns& out) {
  std::vector<storage::TimeRange> left;
  Subtract(range, tombstones.Of(series), left);
  for (const storage::TimeRange& part : left) {
    RETURN_IF_ERROR(block.ReadSamples(series, part, out));
  }
  return {};
}

}  // namespace skep::tsdb
