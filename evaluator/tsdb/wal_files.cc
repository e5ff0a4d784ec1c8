#include "evaluator/tsdb/wal_files.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace skep::tsdb {
namespace {

constexpr std::string_view kCheckpoint = "checkpoint.";
constexpr std::string_view kUnfinished = ".tmp";

// Eight digits or more.
std::string Digits(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return digits.size() < 8 ? std::string(8 - digits.size(), '0') + digits : digits;
}

// Only as we write it.
std::optional<std::uint64_t> NumberOf(std::string_view name) {
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || stop != end || number == 0) return std::nullopt;
  if (name != Digits(number)) return std::nullopt;
  return number;
}

void Sort(std::string_view name, WalFiles& files) {
  std::vector<std::uint64_t>* list = &files.segments;
  if (name.starts_with(kCheckpoint)) {
    name.remove_prefix(kCheckpoint.size());
    list = &files.checkpoints;
    if (name.ends_with(kUnfinished)) {
      name.remove_suffix(kUnfinished.size());
      list = &files.unfinished;
    }
  }
  if (const auto number = NumberOf(name)) list->push_back(*number);
}

}  // namespace

std::string SegmentPath(std::string_view folder, std::uint64_t number) {
  return std::string(folder) + "/" + Digits(number);
}

std::string CheckpointPath(std::string_view folder, std::uint64_t number) {
  return std::string(folder) + "/" + std::string(kCheckpoint) + Digits(number);
}

std::string UnfinishedPath(std::string_view folder, std::uint64_t number) {
  return CheckpointPath(folder, number).append(kUnfinished);
}

std::uint64_t WalFiles::highest() const {
  std::uint64_t highest = 0;
  for (const auto* list : {&segments, &checkpoints, &unfinished}) {
    if (!list->empty()) highest = std::max(highest, list->back());
  }
  return highest;
}

Result<WalFiles> ListWal(const Disk& disk, std::string_view folder) {
  WalFiles files;
  const Result<std::vector<DiskEntry>> entries = disk.List(std::string(folder));
  if (!entries) {
    if (entries.error().kind() == ErrorKind::kNotFound) return files;
    return entries.error();
  }
  for (const DiskEntry& entry : *entries) {
    if (entry.kind == DiskEntry::Kind::kFile) Sort(entry.name, files);
  }
  for (auto* list : {&files.segments, &files.checkpoints, &files.unfinished}) {
    std::sort(list->begin(), list->end());
  }
  return files;
}

Status RemoveCovered(Disk& disk, std::string_view folder, std::uint64_t number) {
  const Result<WalFiles> files = ListWal(disk, folder);
  if (!files) return files.error();
  for (const std::uint64_t unfinished : files->unfinished) {
    RETURN_IF_ERROR(disk.Remove(UnfinishedPath(folder, unfinished)));
  }
  for (const std::uint64_t segment : files->segments) {
    if (segment <= number) RETURN_IF_ERROR(disk.Remove(SegmentPath(folder, segment)));
  }
  for (const std::uint64_t checkpoint : files->checkpoints) {
    if (checkpoint < number) RETURN_IF_ERROR(disk.Remove(CheckpointPath(folder, checkpoint)));
  }
  return {};
}

}  // namespace skep::tsdb
