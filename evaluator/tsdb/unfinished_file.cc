#include "evaluator/tsdb/unfinished_file.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kBufferBytes = 1UL << 20;

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace

Result<UnfinishedFile> UnfinishedFile::Create(Disk& disk, std::string path) {
  UnfinishedFile file(disk, std::move(path));
  const Status removed = disk.Remove(file.unfinished());
  if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed.error();
  Result<std::unique_ptr<AppendFile>> created = disk.Create(file.unfinished());
  if (!created) return created.error();
  file.file_ = std::move(*created);
  return file;
}

UnfinishedFile::~UnfinishedFile() {
  if (file_) (void)Discard();  // one that stays is removed by the next attempt
}

Status UnfinishedFile::Discard() {
  file_.reset();
  return disk_->Remove(unfinished());
}

Status UnfinishedFile::Append(std::string_view bytes) {
  if (!failed_) return failed_;
  buffer_.Bytes(bytes);
  size_ += bytes.size();
  return buffer_.size() < kBufferBytes ? Status() : Flush();
}

Status UnfinishedFile::Flush() {
  failed_ = file_->Append(buffer_.view());
  buffer_.Clear();
  return failed_;
}

Status UnfinishedFile::WriteAll() {
  if (!failed_) return failed_;
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(file_->Sync());
  return disk_->Rename(unfinished(), path_);
}

Status UnfinishedFile::Finish() {
  failed_ = WriteAll();
  if (!failed_) return failed_;
  file_.reset();
  failed_ = disk_->SyncFolder(FolderOf(path_));
  return failed_;
}

}  // namespace skep::tsdb
