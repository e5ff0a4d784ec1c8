#include "evaluator/tsdb/read_only_disk.h"

#include "evaluator/tsdb/posix_disk.h"

namespace skep::tsdb {
namespace {

Error Refused(const std::string& path) { return Invalid(path + " is open for reading only"); }

}  // namespace

std::string ReadOnlyDisk::Whole(const std::string& path) const {
  return path.empty() ? root_ : root_ + "/" + path;
}

Result<MappedFilePtr> ReadOnlyDisk::Map(const std::string& path) { return MapFile(Whole(path)); }

Result<std::vector<DiskEntry>> ReadOnlyDisk::List(const std::string& folder) const {
  return ListFolder(Whole(folder));
}

Result<std::unique_ptr<AppendFile>> ReadOnlyDisk::Create(const std::string& path) {
  return Refused(Whole(path));
}
Result<std::unique_ptr<AppendFile>> ReadOnlyDisk::Reopen(const std::string& path) {
  return Refused(Whole(path));
}
Status ReadOnlyDisk::Rename(const std::string& from, const std::string& /*to*/) {
  return Refused(Whole(from));
}
Status ReadOnlyDisk::Link(const std::string& from, const std::string& /*to*/) {
  return Refused(Whole(from));
}
Status ReadOnlyDisk::Remove(const std::string& path) { return Refused(Whole(path)); }
Status ReadOnlyDisk::RemoveFolder(const std::string& path) { return Refused(Whole(path)); }
Status ReadOnlyDisk::MakeFolder(const std::string& path) { return Refused(Whole(path)); }
Status ReadOnlyDisk::SyncFolder(const std::string& path) { return Refused(Whole(path)); }
Result<std::uint64_t> ReadOnlyDisk::FreeBytes() const { return std::uint64_t{0}; }

}  // namespace skep::tsdb
