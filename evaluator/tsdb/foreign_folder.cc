#include "evaluator/tsdb/foreign_folder.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/wal_files.h"

namespace skep::tsdb {
namespace {

using Entries = std::vector<DiskEntry>;

constexpr std::string_view kUlidCharacters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kUlidSize = 26;
constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kSegmentNameSize = 8;

// Of a record of Prometheus's log: kind, length, sum.
constexpr std::size_t kRecordHeaderBytes = 1 + 2 + 4;

bool IsOf(std::string_view name, std::size_t size, std::string_view characters) {
  return name.size() == size && name.find_first_not_of(characters) == std::string_view::npos;
}

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<std::uint8_t>(byte);
  return number;
}

// Whether these bytes begin with a whole record of Prometheus's log. Its sum decides: a segment of
// ours that is damaged, or was not written to its end, must not look like one.
bool BeginsAsPrometheus(std::string_view segment) {
  if (segment.size() < kRecordHeaderBytes) return false;
  const std::string_view content =
      segment.substr(kRecordHeaderBytes, BigEndian(segment.substr(1, 2)));
  const bool empty = content.empty() && segment[0] == 0;  // the rest of a page
  return !empty && content.size() == BigEndian(segment.substr(1, 2)) &&
         Crc32c(content) == BigEndian(segment.substr(3, 4));
}

// No error where there is no such folder; it may go while we look.
Result<Entries> List(const Disk& disk, const std::string& folder) {
  Result<Entries> entries = disk.List(folder);
  if (!entries && entries.error().kind() == ErrorKind::kNotFound) return Entries();
  return entries;
}

Result<bool> IsBlockOfPrometheus(const Disk& disk, const DiskEntry& entry) {
  if (entry.kind != DiskEntry::Kind::kFolder || !IsOf(entry.name, kUlidSize, kUlidCharacters)) {
    return false;
  }
  const Result<Entries> files = List(disk, entry.name);
  if (!files) return files.error();
  return std::any_of(files->begin(), files->end(),
                     [](const DiskEntry& file) { return file.name == "meta.json"; });
}

// What shows that it is one.
Result<std::optional<std::string>> FindInRoot(const Disk& disk) {
  const Result<Entries> entries = List(disk, "");
  if (!entries) return entries.error();
  for (const DiskEntry& entry : *entries) {
    const bool is_folder = entry.kind == DiskEntry::Kind::kFolder;
    if (is_folder && entry.name == "chunks_head") return {"chunks_head/"};
    if (!is_folder && entry.name == "queries.active") return {"queries.active"};
    const Result<bool> is_block = IsBlockOfPrometheus(disk, entry);
    if (!is_block) return is_block.error();
    if (*is_block) return {entry.name + "/meta.json"};
  }
  return std::optional<std::string>();
}

bool IsLogOfPrometheus(Disk& disk, const DiskEntry& entry, const std::string& path) {
  if (entry.kind == DiskEntry::Kind::kFolder) return entry.name.starts_with("checkpoint.");
  if (!IsOf(entry.name, kSegmentNameSize, kDigits)) return false;
  const Result<MappedFilePtr> file = disk.Map(path);
  return file && BeginsAsPrometheus((*file)->bytes());  // who reads the log tells the error
}

Result<std::optional<std::string>> FindInLog(Disk& disk) {
  const Result<Entries> entries = List(disk, std::string(kWalFolder));
  if (!entries) return entries.error();
  for (const DiskEntry& entry : *entries) {
    const std::string path = std::string(kWalFolder) + "/" + entry.name;
    if (IsLogOfPrometheus(disk, entry, path)) return {path};
  }
  return std::optional<std::string>();
}

}  // namespace

Status CheckNotForeign(Disk& disk) {
  Result<std::optional<std::string>> sign = FindInRoot(disk);
  if (sign && !sign->has_value()) sign = FindInLog(disk);
  if (!sign) return sign.error();
  if (!sign->has_value()) return {};
  return Invalid("this is the data folder of a Prometheus, as " + **sign +
                 " in it shows: give skep a folder of its own; `skep tsdb import PATH` brings the "
                 "samples of this one");
}

}  // namespace skep::tsdb
