#include "exporter/stores/unlinked_copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "exporter/stores/store_bytes.h"

namespace skep::stores {
namespace {

constexpr std::size_t kStep = 256UL << 10;

// Owns a descriptor; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  int Release() { return std::exchange(number_, -1); }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

// Not every file system has O_TMPFILE; there a name is given up before anything is written.
Descriptor MakeUnnamed(const std::string& folder) {
  Descriptor unnamed(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600));
  if (unnamed.is_open() || (errno != EOPNOTSUPP && errno != EISDIR)) {
    return unnamed;
  }
  std::string pattern = folder + "/skep-copy-XXXXXX";
  Descriptor named(::mkostemp(pattern.data(), O_CLOEXEC));  // 0600
  if (named.is_open()) ::unlink(pattern.c_str());
  return named;
}

bool WriteAt(int descriptor, std::span<const char> bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
  return true;
}

// How many bytes there were to read, or nothing.
std::optional<std::size_t> ReadAt(int descriptor, std::span<char> bytes, std::int64_t offset) {
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t size = ::pread(descriptor, bytes.data() + filled, bytes.size() - filled,
                                 offset + static_cast<std::int64_t>(filled));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    if (size == 0) break;
    filled += static_cast<std::size_t>(size);
  }
  return filled;
}

// One of the copy's files. It is there or not, as a file with a name would be.
struct Part {
  Descriptor descriptor;
  bool exists = false;
};

// What SQLite knows as a file.
struct OpenFile {
  sqlite3_file base;
  int descriptor;
  bool is_owned;  // a temporary file of SQLite's own
};

int DescriptorOf(sqlite3_file* file) { return reinterpret_cast<OpenFile*>(file)->descriptor; }

int CloseFile(sqlite3_file* file) {
  auto* open = reinterpret_cast<OpenFile*>(file);
  if (open->is_owned) ::close(open->descriptor);
  return SQLITE_OK;
}

// A short answer is filled with zeros, as SQLite wants it.
int ReadBytes(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  const std::span<char> bytes(static_cast<char*>(into), static_cast<std::size_t>(size));
  const std::optional<std::size_t> filled = ReadAt(DescriptorOf(file), bytes, offset);
  if (!filled) return SQLITE_IOERR_READ;
  if (*filled == bytes.size()) return SQLITE_OK;
  std::ranges::fill(bytes.subspan(*filled), '\0');
  return SQLITE_IOERR_SHORT_READ;
}

int WriteBytes(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const std::span<const char> bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
  return WriteAt(DescriptorOf(file), bytes, offset) ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

int TruncateFile(sqlite3_file* file, sqlite3_int64 size) {
  return ::ftruncate(DescriptorOf(file), size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int SizeOfFile(sqlite3_file* file, sqlite3_int64* size) {
  struct stat info {};
  if (::fstat(DescriptorOf(file), &info) != 0) return SQLITE_IOERR_FSTAT;
  *size = info.st_size;
  return SQLITE_OK;
}

// Nobody else has the files: there is nothing to lock, and nothing that must survive.
int DoNothing(sqlite3_file* /*file*/, int /*level*/) { return SQLITE_OK; }

int IsReserved(sqlite3_file* /*file*/, int* result) {
  *result = 0;
  return SQLITE_OK;
}

// Version 1: no shared memory and no mapping.
const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = CloseFile,
    .xRead = ReadBytes,
    .xWrite = WriteBytes,
    .xTruncate = TruncateFile,
    .xSync = DoNothing,
    .xFileSize = SizeOfFile,
    .xLock = DoNothing,
    .xUnlock = DoNothing,
    .xCheckReservedLock = IsReserved,
    .xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; },
    .xSectorSize = [](sqlite3_file*) { return 4096; },
    .xDeviceCharacteristics = [](sqlite3_file*) { return 0; },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

std::string FreshVfsName() {
  static std::atomic<std::uint64_t> next{0};
  return "skep-copy-" + std::to_string(next.fetch_add(1));
}

}  // namespace

struct UnlinkedCopy::Impl {
  Impl(std::string place, Part main, Part log, Part journal);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Null: none of ours.
  Part* Find(const char* path);
  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                  int* out_flags);
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder);
  static int Access(sqlite3_vfs* vfs, const char* path, int flags, int* result);
  static int FullPath(sqlite3_vfs* vfs, const char* path, int size, char* full);

  const DatabaseFiles names{"/copy.db"};
  const std::string vfs_name = FreshVfsName();
  const std::string folder;
  std::array<Part, 3> parts;  // main, log, journal
  std::vector<char> buffer;
  sqlite3_vfs vfs{};
};

// The clock, sleeping and random numbers are those of the default.
UnlinkedCopy::Impl::Impl(std::string place, Part main, Part log, Part journal)
    : folder(std::move(place)), parts{std::move(main), std::move(log), std::move(journal)} {
  vfs = *sqlite3_vfs_find(nullptr);
  vfs.iVersion = 2;  // version 3 is replaceable system calls
  vfs.szOsFile = sizeof(OpenFile);
  vfs.zName = vfs_name.c_str();
  vfs.pNext = nullptr;
  vfs.pAppData = this;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPath;
  sqlite3_vfs_register(&vfs, 0);
}

UnlinkedCopy::Impl::~Impl() { sqlite3_vfs_unregister(&vfs); }

Part* UnlinkedCopy::Impl::Find(const char* path) {
  if (path == nullptr) return nullptr;
  if (names.main == path) return &parts[0];
  if (names.log() == path) return &parts[1];
  if (names.journal() == path) return &parts[2];
  return nullptr;
}

// What is none of the copy's (SQLite's own temporary files, the journal of several databases) is an
// empty file without a name.
int UnlinkedCopy::Impl::Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                             int* out_flags) {
  auto& self = *static_cast<Impl*>(vfs->pAppData);
  auto* open = new (file) OpenFile{};  // without methods: SQLite does not close it
  if (Part* part = self.Find(path)) {
    if (!part->exists && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    part->exists = true;
    open->descriptor = part->descriptor.number();
  } else {
    open->descriptor = MakeUnnamed(self.folder).Release();
    if (open->descriptor < 0) return SQLITE_CANTOPEN;
    open->is_owned = true;
  }
  if (out_flags != nullptr) *out_flags = flags;
  open->base.pMethods = &kMethods;
  return SQLITE_OK;
}

// Files of others stay, whatever their journal says.
int UnlinkedCopy::Impl::Delete(sqlite3_vfs* vfs, const char* path, int /*sync_folder*/) {
  Part* part = static_cast<Impl*>(vfs->pAppData)->Find(path);
  if (part == nullptr || !std::exchange(part->exists, false)) return SQLITE_OK;
  return ::ftruncate(part->descriptor.number(), 0) == 0 ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

// Of others it is asked whether they are there: the journal of several databases is gone once its
// transaction is done.
int UnlinkedCopy::Impl::Access(sqlite3_vfs* vfs, const char* path, int /*flags*/, int* result) {
  const Part* part = static_cast<Impl*>(vfs->pAppData)->Find(path);
  *result = (part != nullptr ? part->exists : ::access(path, F_OK) == 0) ? 1 : 0;
  return SQLITE_OK;
}

int UnlinkedCopy::Impl::FullPath(sqlite3_vfs* /*vfs*/, const char* path, int size, char* full) {
  const std::size_t bytes = std::strlen(path) + 1;
  if (bytes > static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(full, path, bytes);
  return SQLITE_OK;
}

namespace {

// Nothing: done, also where there is no such file. `left` is what may still be copied.
std::optional<ReadFailure> CopyInto(Part& part, const std::string& from, std::uint64_t& left,
                                    std::vector<char>& buffer) {
  part.exists = false;
  if (::ftruncate(part.descriptor.number(), 0) != 0) return FailureOfErrno(errno);
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!source.is_open()) {
    return errno == ENOENT ? std::nullopt : std::optional(FailureOfErrno(errno));
  }
  struct stat info {};
  if (::fstat(source.number(), &info) != 0) return ReadFailure::kIo;
  if (!S_ISREG(info.st_mode)) return ReadFailure::kSchema;
  buffer.resize(kStep);
  for (std::int64_t offset = 0;;) {
    const std::optional<std::size_t> size = ReadAt(source.number(), buffer, offset);
    if (!size) return ReadFailure::kIo;
    if (*size > left) return ReadFailure::kTooLarge;
    if (!WriteAt(part.descriptor.number(), std::span(buffer).first(*size), offset)) {
      return ReadFailure::kIo;  // of ours: a full disk
    }
    left -= *size;
    offset += static_cast<std::int64_t>(*size);
    if (*size < buffer.size()) break;
  }
  part.exists = true;
  return {};
}

}  // namespace

UnlinkedCopy::UnlinkedCopy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UnlinkedCopy::~UnlinkedCopy() = default;

Reading<std::unique_ptr<UnlinkedCopy>> UnlinkedCopy::Make(const std::string& folder) {
  std::error_code ignored;
  std::string place = folder;
  if (place.empty()) place = std::filesystem::temp_directory_path(ignored).string();
  if (sqlite3_initialize() != SQLITE_OK) return ReadFailure::kIo;
  std::array<Descriptor, 3> made{MakeUnnamed(place), MakeUnnamed(place), MakeUnnamed(place)};
  for (const Descriptor& descriptor : made) {
    if (!descriptor.is_open()) return ReadFailure::kIo;
  }
  return std::unique_ptr<UnlinkedCopy>(
      new UnlinkedCopy(std::make_unique<Impl>(std::move(place), Part{std::move(made[0])},
                                              Part{std::move(made[1])}, Part{std::move(made[2])})));
}

std::optional<ReadFailure> UnlinkedCopy::Take(const DatabaseFiles& from, std::uint64_t max_bytes) {
  const std::array<std::string, 3> sources{from.main, from.log(), from.journal()};
  std::uint64_t left = max_bytes;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (auto failure = CopyInto(impl_->parts[i], sources[i], left, impl_->buffer)) return failure;
  }
  return {};
}

const std::string& UnlinkedCopy::name() const { return impl_->names.main; }
const std::string& UnlinkedCopy::vfs() const { return impl_->vfs_name; }

}  // namespace skep::stores
