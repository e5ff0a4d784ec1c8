#include "evaluator/tsdb/checkpoint.h"

#include "evaluator/tsdb/wal_files.h"

namespace skep::tsdb {
namespace {

constexpr std::size_t kBufferBytes = 1UL << 20;

}  // namespace

Result<CheckpointWriter> CheckpointWriter::Begin(Disk& disk, std::string_view folder,
                                                 std::uint64_t number) {
  CheckpointWriter writer(disk, std::string(folder), number);
  const std::string path = UnfinishedPath(folder, number);
  const Status removed = disk.Remove(path);  // of an earlier attempt
  if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed.error();
  Result<std::unique_ptr<AppendFile>> file = disk.Create(path);
  if (!file) return file.error();
  writer.file_ = std::move(*file);
  writer.buffer_.Bytes(EncodeHeader(kCheckpointMagic, {.number = number}));
  writer.size_ = writer.buffer_.size();
  return writer;
}

CheckpointWriter::~CheckpointWriter() {
  if (file_) Discard();
}

void CheckpointWriter::Discard() {
  file_.reset();
  // One that stays is removed by the next start.
  static_cast<void>(disk_->Remove(UnfinishedPath(folder_, number_)));
}

Status CheckpointWriter::Append(RecordKind kind, std::span<const std::string_view> payload) {
  if (!failed_) return failed_;
  const Result<RecordHead> head = MakeRecordHead({number_, size_}, kind, payload);
  if (!head) return failed_ = head.error();
  const std::size_t before = buffer_.size();
  buffer_.Bytes({head->data(), head->size()});
  for (const std::string_view part : payload) buffer_.Bytes(part);
  size_ += buffer_.size() - before;
  return buffer_.size() < kBufferBytes ? Status() : Flush();
}

Status CheckpointWriter::Flush() {
  failed_ = file_->Append(buffer_.view());
  buffer_.Clear();
  return failed_;
}

Status CheckpointWriter::WriteEnd() {
  RETURN_IF_ERROR(Append(RecordKind::kEnd, std::string_view()));
  RETURN_IF_ERROR(Flush());
  return file_->Sync();
}

Status CheckpointWriter::Finish() {
  failed_ = WriteEnd();
  if (failed_) {
    failed_ = disk_->Rename(UnfinishedPath(folder_, number_), CheckpointPath(folder_, number_));
  }
  if (!failed_) {
    Discard();
    return failed_;
  }
  file_.reset();
  return disk_->SyncFolder(folder_);
}

}  // namespace skep::tsdb
