// Records about series that end: forgotten by retention, or deleted by a person for a span of time.
//
//   forget   = numbers                                       (s: signed varint)
//   deletion = first time s | last time s | numbers          (both included, milliseconds)
//   numbers  = each as its distance from the one before s, to the end of the payload
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

struct Deletion {
  storage::TimeRange range;
  std::vector<std::uint32_t> numbers;
};

// Append to `out`. In rising order the numbers cost least.
void WriteForgotten(std::span<const std::uint32_t> numbers, ByteWriter& out);
void WriteDeletion(const Deletion& deletion, ByteWriter& out);

// kCorrupt: no such payload.
Result<std::vector<std::uint32_t>> ReadForgotten(std::string_view payload);
Result<Deletion> ReadDeletion(std::string_view payload);

}  // namespace skep::tsdb
