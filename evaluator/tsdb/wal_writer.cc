#include "evaluator/tsdb/wal_writer.h"

#include <utility>
#include <vector>

namespace skep::tsdb {

WalWriter::WalWriter(Disk& disk, WalOptions options, const WalEnd& end)
    : disk_(disk), options_(std::move(options)), end_(end) {}

Status WalWriter::Append(RecordKind kind, std::span<const std::string_view> payload) {
  const std::lock_guard lock(mutex_);
  Status done;
  if (open_ && end_.bytes >= 2 * options_.segment_bytes) done = EndSegment();
  if (done && !open_) done = BeginSegment();
  if (done) done = Write(kind, payload);
  if (!done) {
    ++counters_.failed_appends;
    append_error_ = done.error().message();
  }
  return done;
}

Status WalWriter::Write(RecordKind kind, std::span<const std::string_view> payload) {
  const Result<RecordHead> head = MakeRecordHead({end_.segment, end_.bytes}, kind, payload);
  if (!head) return head.error();
  std::vector<std::string_view> parts = {{head->data(), head->size()}};
  parts.insert(parts.end(), payload.begin(), payload.end());
  if (Status written = file_->Append(parts); !written) {
    CutBack();
    return written;
  }
  counters_.bytes += file_->size() - end_.bytes;
  ++counters_.records;
  end_.bytes = file_->size();
  return {};
}

// What is left of a record that could not be written must not stand before the next one.
void WalWriter::CutBack() {
  if (file_->size() == end_.bytes || file_->Truncate(end_.bytes)) return;
  // The next segment's header tells readers where this one ends.
  open_ = false;
}

Status WalWriter::WriteHeader(AppendFile& file) const {
  const RecordFileHeader header{
      .number = end_.highest, .previous = end_.segment, .previous_end = end_.bytes};
  RETURN_IF_ERROR(file.Append(EncodeHeader(kSegmentMagic, header)));
  return disk_.SyncFolder(options_.folder);
}

Status WalWriter::BeginSegment() {
  RETURN_IF_ERROR(EndSegment());
  RETURN_IF_ERROR(disk_.MakeFolder(options_.folder));
  if (!has_folder_) RETURN_IF_ERROR(disk_.SyncFolder(""));
  has_folder_ = true;
  // A number is used once, even if what comes fails: what then lies there cannot be mistaken.
  const std::string path = SegmentPath(options_.folder, ++end_.highest);
  Result<std::unique_ptr<AppendFile>> file = disk_.Create(path);
  if (!file) return file.error();
  if (Status begun = WriteHeader(**file); !begun) {
    (void)disk_.Remove(path);  // without a header that others point to it is not read
    return begun;
  }
  file_ = std::move(*file);
  end_.segment = end_.highest;
  end_.bytes = file_->size();
  synced_ = 0;
  open_ = true;
  ++counters_.segments;
  counters_.bytes += end_.bytes;
  return {};
}

// Tries to sync once: after a failure the kernel would say yes to what it has dropped.
Status WalWriter::EndSegment() {
  open_ = false;
  if (synced_ == end_.bytes) return {};
  if (file_ == nullptr) {  // of an earlier process, which may have left it in the kernel's memory
    Result<std::unique_ptr<AppendFile>> file =
        disk_.Reopen(SegmentPath(options_.folder, end_.segment));
    if (!file && file.error().kind() != ErrorKind::kNotFound) return file.error();
    if (file) file_ = std::move(*file);
  }
  const Status synced = file_ == nullptr ? Status() : file_->Sync();
  file_.reset();
  synced_ = end_.bytes;
  ++counters_.syncs;
  if (!synced) ++counters_.failed_syncs;
  return synced;
}

Status WalWriter::Sync() {
  const std::lock_guard one_at_a_time(sync_mutex_);
  std::shared_ptr<AppendFile> file;
  WalEnd end;
  {
    const std::lock_guard lock(mutex_);
    if (synced_ == end_.bytes) return {};
    if (file_ == nullptr) return EndSegment();
    file = file_;
    end = end_;
  }
  const Status synced = file->Sync();
  const std::lock_guard lock(mutex_);
  ++counters_.syncs;
  if (!synced) ++counters_.failed_syncs;
  // An Append that began a new segment meanwhile has synced this one.
  if (end.segment != end_.segment || file_ == nullptr) return synced;
  synced_ = synced ? end.bytes : end_.bytes;
  if (!synced) {
    open_ = false;
    file_.reset();
    return synced;
  }
  if (!open_ || end_.bytes < options_.segment_bytes) return {};
  RETURN_IF_ERROR(EndSegment());
  (void)BeginSegment();  // here, so that no Append waits for it; if it fails, that one tries again
  return {};
}

Result<std::uint64_t> WalWriter::Cut() {
  RETURN_IF_ERROR(Sync());
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(EndSegment());
  return end_.segment;
}

WalEnd WalWriter::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

std::uint64_t WalWriter::unsynced_bytes() const {
  const std::lock_guard lock(mutex_);
  return end_.bytes - synced_;
}

std::string WalWriter::append_error() const {
  const std::lock_guard lock(mutex_);
  return append_error_;
}

WalCounters WalWriter::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace skep::tsdb
