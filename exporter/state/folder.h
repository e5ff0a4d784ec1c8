// The files of the state: which there are, adding units, replacing them by a snapshot. Knows
// frames, not what they mean.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log.h"
#include "common/base/result.h"

namespace skep::state {

// Thread-compatible, but for WriteSnapshot and SyncFiles, which one further thread may run beside
// the others. The lock on the folder ends with it.
class Folder {
 public:
  // What Read hands over.
  struct Reader {
    std::function<void(std::string_view payload)> use;
    // Asked behind the snapshot: whether its end was among the payloads.
    std::function<bool()> is_whole;
  };

  // Makes the folder if it is missing. kUnavailable: another process has it.
  static Result<std::unique_ptr<Folder>> Open(const std::string& path, Logger log);
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  // The payloads of the newest snapshot and of the journals after it, in order. What cannot be read
  // is set aside, counted and logged, and so are the journals behind it. Once, before all else.
  Status Read(const Reader& reader);

  // Adds one unit to the journal. kIo: the journal is as before. Where somebody has removed the
  // journal, what is written to it would be lost: kIo until a snapshot has made all anew, which
  // wants_snapshot() then asks for.
  Status Append(std::string_view payload);

  // Begins a checkpoint: units from now on are in a new journal, whose number is returned.
  std::uint64_t SwitchJournal();
  // Ends it: the snapshot, header included, is written, synced, and replaces all before that
  // number.
  Status WriteSnapshot(std::uint64_t number, std::string_view content);

  // What is to be synced, so that what was appended survives a power cut. SyncFiles closes `left`.
  struct Unsynced {
    int journal = -1;
    std::vector<int> left;  // journals that were left by SwitchJournal
    bool names = false;     // a file was made
    bool empty() const { return journal < 0 && left.empty() && !names; }
  };
  Unsynced TakeUnsynced();
  Status SyncFiles(const Unsynced& files) const;

  // Of the journals since the last snapshot, and of that one.
  std::size_t journal_bytes() const { return older_bytes_ + journal_end_; }
  std::size_t snapshot_bytes() const { return snapshot_bytes_; }
  std::uint64_t damaged_files() const { return damaged_files_; }
  // Damage was found that a new snapshot mends.
  bool wants_snapshot() const { return wants_snapshot_; }

 private:
  struct File {
    std::uint64_t number = 0;
    bool is_snapshot = false;
  };

  Folder(std::string path, int lock, Logger log);

  std::string PathOf(const File& file) const;
  Result<std::vector<File>> List() const;
  // False: the journals are not to be read.
  Result<bool> ReadSnapshot(const File& file, const Reader& reader);
  Status ReadJournals(const std::vector<File>& journals, const Reader& reader);
  Result<bool> ReadJournal(const File& file, const Reader& reader);
  void CutTail(const File& file, std::string_view content, std::size_t offset);
  void Truncate(const File& file, std::size_t size);
  void SetAside(const File& file, const std::string& suffix);
  void RemoveTemporaries() const;
  std::string FreeName(const std::string& name) const;
  Status OpenJournal();
  // kIo: the folder has lost the journal that we write to.
  Status CheckJournal();
  Error NoteLost();
  // Makes the folder and its lock where they are missing.
  Status Restore();
  void RemoveBefore(std::uint64_t number);

  const std::string path_;
  std::atomic<int> lock_;
  // Set where the journal was found removed; units wait for the snapshot.
  std::atomic<bool> is_lost_{false};
  const Logger log_;
  std::uint64_t journal_ = 1;
  int journal_fd_ = -1;
  bool is_dirty_ = false;
  bool has_new_names_ = false;
  std::vector<int> left_;
  std::atomic<std::size_t> journal_end_{0};  // of the present one; 0: not even a header
  std::atomic<std::size_t> older_bytes_{0};  // of those before it
  std::atomic<std::size_t> snapshot_bytes_{0};
  std::atomic<std::uint64_t> damaged_files_{0};
  std::optional<File> damaged_snapshot_;  // set aside once there is a better one
  std::atomic<bool> wants_snapshot_{false};
};

}  // namespace skep::state
