// What of the logs stands in the state file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "exporter/logs/template_set.h"
#include "exporter/state/store.h"

namespace skep::logs {

// A file, whatever its name is now.
struct FileKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): what the compiler makes of it
  auto operator<=>(const FileKey&) const = default;
};

// Bytes by length and checksum (FNV-1a, 64 bits: stable on disk).
struct Fingerprint {
  std::uint32_t length = 0;
  std::uint64_t hash = 0;
  bool operator==(const Fingerprint&) const = default;

  static Fingerprint Of(std::string_view bytes);
};

// How far a file was read. With the first bytes and those just before the offset a file is known
// again where its inode says nothing: after copying, restoring, or when the number is used again.
struct Bookmark {
  FileKey file;
  std::uint64_t offset = 0;
  Fingerprint head;  // of the first bytes
  Fingerprint tail;  // of those just before the offset
  // The offset lies within a line that is too long: nothing counts up to its end.
  bool skips_line = false;
  // The same within a record of several lines that became too long.
  bool skips_record = false;
  Timestamp modified{};  // the file's time when it was last read
  std::string path;      // where it was seen last
  std::string origin;    // where a pattern found it first: what rotation makes names of
};

// "log_offsets". Records are text: what, then fields between blanks, the path last.
class BookmarkSection final : public state::Section {
 public:
  static constexpr std::string_view kName = "log_offsets";

  std::string_view name() const override { return kName; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

  // Within Store::Update only.
  std::map<FileKey, Bookmark> Of(std::string_view source) const;
  bool HasSeen(std::string_view source, std::string_view pattern) const;

  // Put what is to happen into the unit.
  void Put(state::Changes& changes, const std::string& source, Bookmark bookmark);
  void Remove(state::Changes& changes, const std::string& source, FileKey file);
  // The pattern of paths was looked at once: files that come later are new.
  void MarkSeen(state::Changes& changes, const std::string& source, const std::string& pattern);

  // Sources but for those in `configured` of which no file was written to since `since`. Within
  // Store::Update only.
  std::vector<std::string> Stale(const std::set<std::string>& configured, Timestamp since) const;
  // All of the source.
  void Forget(state::Changes& changes, const std::string& source);

 private:
  std::map<std::string, std::map<FileKey, Bookmark>, std::less<>> bookmarks_;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> seen_;
};

// What is known of one source's templates.
struct KnownTemplates {
  // When the first line came; not set: none yet.
  std::optional<Timestamp> begin;
  // What is first seen from here on is new.
  Timestamp learned = kMaxTimestamp;
  // The last deployment that was taken into account.
  Timestamp deployment = kMinTimestamp;
  std::map<std::uint32_t, Template> templates;
};

// "log_templates".
class TemplateSection final : public state::Section {
 public:
  static constexpr std::string_view kName = "log_templates";

  std::string_view name() const override { return kName; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

  // Within Store::Update only.
  KnownTemplates Of(std::string_view source) const;
  Timestamp deployment() const { return deployment_; }

  void Put(state::Changes& changes, const std::string& source, std::uint32_t number,
           Template value);
  void Remove(state::Changes& changes, const std::string& source, std::uint32_t number);
  // All but the templates.
  void PutTimes(state::Changes& changes, const std::string& source, const KnownTemplates& times);
  void PutDeployment(state::Changes& changes, Timestamp at);
  // All of the source.
  void Forget(state::Changes& changes, const std::string& source);

 private:
  std::map<std::string, KnownTemplates, std::less<>> sources_;
  Timestamp deployment_ = kMinTimestamp;
};

}  // namespace skep::logs
