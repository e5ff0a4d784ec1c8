#include "exporter/state/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "common/base/file.h"
#include "exporter/state/frames.h"

namespace skep::state {
namespace {

constexpr std::string_view kSnapshotPrefix = "snapshot-";
constexpr std::string_view kJournalPrefix = "journal-";
constexpr std::string_view kTemporarySuffix = ".tmp";

Status WriteAt(int fd, std::string_view data, std::size_t at, const std::string& path) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error(ErrorKind::kIo, FromErrno("write " + path, errno).message());
    data.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::size_t>(n);
  }
  return {};
}

Status SyncFolder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FromErrno("open " + path, errno);
  const int failed = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (failed != 0) return FromErrno("sync " + path, failed);
  return {};
}

// The number of "journal-17"; nothing where the name is another.
std::optional<std::uint64_t> NumberOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

Status MakeFolder(const std::string& path) {
  std::error_code error;
  const bool is_new = std::filesystem::create_directories(path, error);
  if (is_new) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error) return Error(ErrorKind::kIo, "make folder " + path + ": " + error.message());
  return {};
}

Result<int> TakeLock(const std::string& path) {
  const std::string name = path + "/lock";
  const int lock = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return Error(ErrorKind::kIo, FromErrno("open " + name, errno).message());
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int errnum = errno;
    ::close(lock);
    if (errnum == EWOULDBLOCK) return Unavailable("another process uses the folder " + path);
    return FromErrno("lock " + name, errnum);
  }
  return lock;
}

}  // namespace

Folder::Folder(std::string path, int lock, Logger log)
    : path_(std::move(path)), lock_(lock), log_(std::move(log)) {}

Folder::~Folder() {
  if (journal_fd_ >= 0) ::close(journal_fd_);
  for (const int fd : left_) ::close(fd);
  ::close(lock_);
}

Result<std::unique_ptr<Folder>> Folder::Open(const std::string& path, Logger log) {
  RETURN_IF_ERROR(MakeFolder(path));
  const Result<int> lock = TakeLock(path);
  if (!lock) return lock.error();
  return std::unique_ptr<Folder>(new Folder(path, *lock, std::move(log)));
}

Status Folder::Restore() {
  RETURN_IF_ERROR(MakeFolder(path_));
  struct ::stat ours {
  }, there{};
  if (::fstat(lock_, &ours) == 0 && ::stat((path_ + "/lock").c_str(), &there) == 0 &&
      ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) {
    return {};
  }
  const Result<int> lock = TakeLock(path_);
  if (!lock) return lock.error();
  ::close(lock_.exchange(*lock));
  return {};
}

std::string Folder::PathOf(const File& file) const {
  return path_ + "/" + std::string(file.is_snapshot ? kSnapshotPrefix : kJournalPrefix) +
         std::to_string(file.number);
}

// By number; a snapshot before the journal of its number.
Result<std::vector<Folder::File>> Folder::List() const {
  std::vector<File> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (const auto journal = NumberOf(name, kJournalPrefix)) files.push_back({*journal, false});
    if (const auto snapshot = NumberOf(name, kSnapshotPrefix)) files.push_back({*snapshot, true});
  }
  if (error) return Error(ErrorKind::kIo, "read folder " + path_ + ": " + error.message());
  std::ranges::sort(files, [](const File& a, const File& b) {
    return a.number != b.number ? a.number < b.number : a.is_snapshot && !b.is_snapshot;
  });
  return files;
}

// What a crash in the middle of WriteSnapshot leaves.
void Folder::RemoveTemporaries() const {
  const Result<std::vector<std::string>> names =
      Glob(path_ + "/" + std::string(kSnapshotPrefix) + "*" + std::string(kTemporarySuffix));
  if (!names) return;
  for (const std::string& name : *names) ::unlink(name.c_str());
}

Status Folder::Read(const Reader& reader) {
  RemoveTemporaries();
  const Result<std::vector<File>> files = List();
  if (!files) return files.error();
  std::vector<File> journals;
  std::optional<File> snapshot;
  for (const File& file : *files) {
    journal_ = file.number;
    if (file.is_snapshot) snapshot = file;
  }
  for (const File& file : *files) {
    if (!file.is_snapshot && (!snapshot || file.number >= snapshot->number)) {
      journals.push_back(file);
    }
  }
  if (snapshot) {
    const Result<bool> usable = ReadSnapshot(*snapshot, reader);
    if (!usable) return usable.error();
    if (!*usable) {
      for (const File& journal : journals) SetAside(journal, ".orphaned");
      damaged_files_ += 1 + journals.size();
      ++journal_;
      return {};
    }
  }
  return ReadJournals(journals, reader);
}

Result<bool> Folder::ReadSnapshot(const File& file, const Reader& reader) {
  const Result<std::string> content = ReadFile(PathOf(file), SIZE_MAX);
  if (!content) return content.error();
  FrameReader frames(FileKind::kSnapshot, file.number, *content);
  FrameReader::Entry entry = frames.Next();
  for (; entry == FrameReader::Entry::kFrame; entry = frames.Next()) reader.use(frames.payload());
  if (entry == FrameReader::Entry::kVersion) {
    SetAside(file, ".version-" + std::to_string(frames.version()));
    log_.Error("the state is of a version that this program does not know; it begins anew",
               {{"file", PathOf(file)}, {"version", frames.version()}});
    return false;
  }
  snapshot_bytes_ = content->size();
  if (entry == FrameReader::Entry::kEnd && reader.is_whole()) {
    RemoveBefore(file.number);
    return true;
  }
  ++damaged_files_;
  damaged_snapshot_ = file;
  wants_snapshot_ = true;
  log_.Error("the snapshot of the state is damaged; what stands before the damage counts",
             {{"file", PathOf(file)}, {"offset", frames.offset()}});
  return true;
}

Status Folder::ReadJournals(const std::vector<File>& journals, const Reader& reader) {
  for (std::size_t i = 0; i < journals.size(); ++i) {
    older_bytes_ += journal_end_;
    journal_ = journals[i].number;
    const Result<bool> usable = ReadJournal(journals[i], reader);
    if (!usable) return usable.error();
    if (*usable) continue;
    for (const File& behind : std::span(journals).subspan(i + 1)) SetAside(behind, ".damaged");
    damaged_files_ += journals.size() - i;
    return {};
  }
  return {};
}

Result<bool> Folder::ReadJournal(const File& file, const Reader& reader) {
  const Result<std::string> content = ReadFile(PathOf(file), SIZE_MAX);
  if (!content) return content.error();
  FrameReader frames(FileKind::kJournal, file.number, *content);
  FrameReader::Entry entry = frames.Next();
  for (; entry == FrameReader::Entry::kFrame; entry = frames.Next()) reader.use(frames.payload());
  journal_end_ = frames.offset();
  switch (entry) {
    case FrameReader::Entry::kFrame:
    case FrameReader::Entry::kEnd:
      return true;
    case FrameReader::Entry::kTorn:
      log_.Info("the end of the journal was torn off by a crash",
                {{"file", PathOf(file)}, {"bytes", content->size() - frames.offset()}});
      Truncate(file, frames.offset());
      return true;
    case FrameReader::Entry::kVersion:
      log_.Error("the journal is of a version that this program does not know",
                 {{"file", PathOf(file)}, {"version", frames.version()}});
      SetAside(file, ".version-" + std::to_string(frames.version()));
      return false;
    case FrameReader::Entry::kDamaged:
      log_.Error("the journal is damaged; what stands before the damage counts",
                 {{"file", PathOf(file)}, {"offset", frames.offset()}});
      CutTail(file, *content, frames.offset());
      return false;
  }
  return false;
}

// The good part stays where it is: on a full disk there is no room for a copy of it.
void Folder::CutTail(const File& file, std::string_view content, std::size_t offset) {
  const std::string name = FreeName(PathOf(file) + ".damaged");
  const Status copied = WriteFileAtomic(name, content.substr(offset));
  if (!copied) log_.Error("the damaged bytes could not be kept", {{"err", copied.error()}});
  Truncate(file, offset);
}

void Folder::Truncate(const File& file, std::size_t size) {
  if (::truncate(PathOf(file).c_str(), static_cast<off_t>(size)) == 0) return;
  log_.Error("the journal could not be cut",
             {{"err", FromErrno("truncate " + PathOf(file), errno)}});
}

void Folder::SetAside(const File& file, const std::string& suffix) {
  const std::string name = FreeName(PathOf(file) + suffix);
  if (::rename(PathOf(file).c_str(), name.c_str()) == 0) {
    log_.Warn("a file of the state is set aside", {{"file", name}});
    return;
  }
  log_.Error("a file of the state could not be set aside",
             {{"err", FromErrno("rename " + PathOf(file), errno)}});
}

std::string Folder::FreeName(const std::string& name) const {
  struct ::stat info {};
  std::string free = name;
  for (int i = 2; ::stat(free.c_str(), &info) == 0; ++i) free = name + "." + std::to_string(i);
  return free;
}

Status Folder::OpenJournal() {
  const std::string path = PathOf({journal_, false});
  journal_fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (journal_fd_ < 0 && errno == ENOENT) return NoteLost();
  if (journal_fd_ < 0) return Error(ErrorKind::kIo, FromErrno("open " + path, errno).message());
  has_new_names_ |= journal_end_ == 0;
  return {};
}

Status Folder::CheckJournal() {
  struct ::stat info {};
  if (!is_lost_ && (::fstat(journal_fd_, &info) != 0 || info.st_nlink > 0)) return {};
  return NoteLost();
}

Error Folder::NoteLost() {
  is_lost_ = true;
  wants_snapshot_ = true;
  return Error(ErrorKind::kIo, PathOf({journal_, false}) + " was removed");
}

Status Folder::Append(std::string_view payload) {
  if (journal_fd_ < 0 && !is_lost_) RETURN_IF_ERROR(OpenJournal());
  RETURN_IF_ERROR(CheckJournal());
  std::string bytes;
  bytes.reserve(kFileHeaderBytes + kFrameHeaderBytes + payload.size());
  if (journal_end_ == 0) bytes = FileHeader(FileKind::kJournal, journal_);
  AppendFrame(payload, bytes);
  const Status written = WriteAt(journal_fd_, bytes, journal_end_, PathOf({journal_, false}));
  if (!written) {
    // Where this fails as well the next unit is written over the rest, and a reader takes the rest
    // for torn.
    (void)!::ftruncate(journal_fd_, static_cast<off_t>(journal_end_.load()));
    return written;
  }
  journal_end_ += bytes.size();
  is_dirty_ = true;
  return {};
}

std::uint64_t Folder::SwitchJournal() {
  if (journal_fd_ >= 0) left_.push_back(journal_fd_);
  journal_fd_ = -1;
  is_dirty_ = false;
  older_bytes_ += journal_end_;
  journal_end_ = 0;
  return ++journal_;
}

Status Folder::WriteSnapshot(std::uint64_t number, std::string_view content) {
  const std::size_t replaced = older_bytes_;
  if (is_lost_) RETURN_IF_ERROR(Restore());
  RETURN_IF_ERROR(WriteFileAtomic(PathOf({number, true}), content));
  if (damaged_snapshot_) SetAside(*damaged_snapshot_, ".damaged");
  damaged_snapshot_.reset();
  wants_snapshot_ = false;
  is_lost_ = false;
  RemoveBefore(number);
  snapshot_bytes_ = content.size();
  older_bytes_ -= replaced;
  return {};
}

// Failing costs disk only: the next start reads from the newest snapshot and removes again.
void Folder::RemoveBefore(std::uint64_t number) {
  const Result<std::vector<File>> files = List();
  if (!files) return;
  for (const File& file : *files) {
    if (file.number < number) ::unlink(PathOf(file).c_str());
  }
}

Folder::Unsynced Folder::TakeUnsynced() {
  Unsynced taken{is_dirty_ ? journal_fd_ : -1, std::exchange(left_, {}),
                 std::exchange(has_new_names_, false)};
  is_dirty_ = false;
  return taken;
}

Status Folder::SyncFiles(const Unsynced& files) const {
  int failed = 0;
  if (files.journal >= 0 && ::fdatasync(files.journal) != 0) failed = errno;
  for (const int fd : files.left) {
    if (::fdatasync(fd) != 0) failed = errno;
    ::close(fd);
  }
  if (failed != 0) return FromErrno("sync the journal in " + path_, failed);
  if (files.names) return SyncFolder(path_);
  return {};
}

}  // namespace skep::state
