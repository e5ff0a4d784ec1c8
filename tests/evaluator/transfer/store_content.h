// What an import left in a store's inbox.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "evaluator/storage/querier.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/posix_disk.h"

namespace skep::test {

struct StoreContent {
  std::map<std::string, storage::SampleColumns> series;
  std::vector<tsdb::BlockMeta> blocks;  // in the order of time
};

// Fails where something is there that is no block, or two blocks are of one day.
inline StoreContent ReadInbox(const std::string& store) {
  StoreContent content;
  auto disk = tsdb::PosixDisk::Open(store + "/inbox");
  REQUIRE(disk);
  std::map<std::int64_t, std::shared_ptr<const tsdb::Block>> blocks;
  const auto entries = (*disk)->List("");
  REQUIRE(entries);
  for (const tsdb::DiskEntry& entry : *entries) {
    if (entry.name == "lock") continue;
    CAPTURE(entry.name);
    CHECK(entry.name.ends_with(".block"));
    auto block = tsdb::Block::Open(**disk, entry.name);
    REQUIRE(block);
    const std::int64_t day = ToMillis((*block)->meta().min_time) / 86'400'000;
    CHECK(ToMillis((*block)->meta().max_time) / 86'400'000 == day);
    CHECK(blocks.emplace(day, *block).second);
  }
  for (const auto& [day, block] : blocks) {
    content.blocks.push_back(block->meta());
    for (std::uint32_t i = 0; i < block->series_count(); ++i) {
      REQUIRE(block->ReadSamples(i, {}, content.series[block->LabelsOf(i)->ToString()]));
    }
  }
  return content;
}

}  // namespace skep::test
