// Brings samples that come in any order into the order of a block: series by labels, samples by
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/model/labels.h"
#include "common/model/sample.h"
#include "evaluator/transfer/day_blocks.h"

namespace skep::transfer {

// Thread-compatible. Holds up to `limit_bytes` of samples, then writes them to parts of their days
// and forgets them, with their series. Of samples with equal times the last one stays.
class SampleSorter {
 public:
  // `blocks` must outlive the sorter.
  SampleSorter(DayBlocks& blocks, std::size_t limit_bytes)
      : blocks_(blocks), limit_bytes_(limit_bytes) {}

  using Series = std::pair<const Labels, std::vector<Sample>>;
  // Good until generation() changes.
  Series& Find(const Labels& labels);
  std::uint64_t generation() const { return generation_; }

  Status Add(Series& series, Sample sample);
  // Writes what is left. Nothing may be added afterwards.
  Status Finish() { return Write(); }

 private:
  Status Write();
  Status WriteDay(std::int64_t day, const std::vector<Series*>& series);

  DayBlocks& blocks_;
  const std::size_t limit_bytes_;
  std::unordered_map<Labels, std::vector<Sample>> series_;
  std::size_t bytes_ = 0;
  std::uint64_t generation_ = 0;
  std::vector<std::size_t> written_;  // while writing: of each series, how many samples are
};

}  // namespace skep::transfer
