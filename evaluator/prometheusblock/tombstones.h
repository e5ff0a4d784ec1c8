// The file "tombstones" of a Prometheus block: what was deleted and is still in its chunks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/result.h"
#include "evaluator/storage/querier.h"

namespace skep::prometheusblock {

// The number of a series: spans of time, both ends included.
using Tombstones = std::unordered_map<std::uint64_t, std::vector<storage::TimeRange>>;

// `bytes` are those of the file `path`. kCorrupt names file and byte; kInvalid: another version.
Result<Tombstones> ReadTombstones(std::string_view bytes, const std::string& path);

// Takes the samples of these spans away.
void Delete(const std::vector<storage::TimeRange>& spans, storage::SampleColumns& samples);

}  // namespace skep::prometheusblock
