// A disk in memory that can lose its power, be full, be read-only, fail to sync, and rot.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "evaluator/tsdb/disk.h"

namespace skep::test {

// What is wrong with the disk from now on.
struct DiskFaults {
  // All files together. An append beyond it writes what fits and fails: the disk is full.
  std::uint64_t capacity_bytes = std::numeric_limits<std::uint64_t>::max();
  bool read_only = false;
  bool syncs_fail = false;
  bool cuts_fail = false;  // AppendFile::Truncate
  bool maps_fail = false;
};

// Thread-safe. Files outlive it no more than those of a real one.
class MemoryDisk final : public tsdb::Disk {
 public:
  using Random = std::mt19937_64;

  Result<std::unique_ptr<tsdb::AppendFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<tsdb::AppendFile>> Reopen(const std::string& path) override;
  Result<tsdb::MappedFilePtr> Map(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveFolder(const std::string& path) override;
  Status MakeFolder(const std::string& path) override;
  Status SyncFolder(const std::string& path) override;
  Result<std::vector<tsdb::DiskEntry>> List(const std::string& folder) const override;
  Result<std::uint64_t> FreeBytes() const override;

  void set_faults(DiskFaults faults);

  // The power goes and comes back. Of what was not synced a random part is there: of each file all,
  // nothing, or any of its blocks (512 bytes, as before or as written) up to a random byte; of
  // creations, renames and removals any, or the first of them. What was synced is there. Files that
  // were open are not part of the disk any more.
  void PowerCut(Random& random);

  // Tests look at files and spoil them; durable at once. Requires of the first two: it is there.
  std::string Content(const std::string& path) const;
  void FlipBit(const std::string& path, std::uint64_t bit);
  void SetContent(const std::string& path, std::string content);
  std::uint64_t used_bytes() const;

 private:
  class File;
  struct Node {
    bool is_folder = false;
    std::string bytes;
    std::string synced;
  };
  using Tree = std::map<std::string, std::shared_ptr<Node>>;
  // A change of names that is not on the disk yet.
  struct Change {
    enum class Kind { kAdd, kMove, kDrop };
    Kind kind;
    std::string path;
    std::string to;              // of kMove
    std::shared_ptr<Node> node;  // of kAdd
  };

  static void Apply(const Change& change, Tree& tree);
  static bool IsIn(const Change& change, const std::string& folder);
  static std::string AfterPowerCut(const Node& node, Random& random);
  Status Do(Change change);
  Status CheckWritable(const std::string& path) const;
  std::uint64_t UsedBytes() const;
  Result<std::shared_ptr<Node>> Find(const std::string& path) const;

  mutable std::mutex mutex_;
  DiskFaults faults_;            // guarded by mutex_
  Tree tree_;                    // guarded by mutex_; paths without the root
  Tree durable_;                 // guarded by mutex_
  std::vector<Change> changes_;  // guarded by mutex_; between the two
};

}  // namespace skep::test
