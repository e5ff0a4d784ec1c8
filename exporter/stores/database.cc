#include "exporter/stores/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/file_stamp.h"
#include "common/base/number.h"
#include "exporter/stores/store_bytes.h"
#include "exporter/stores/unlinked_copy.h"

namespace skep::stores {
namespace {

constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kHeaderBytes = 100;
// Waiting for files to stand still.
constexpr std::chrono::milliseconds kPause{10};
constexpr int kPauses = 20;
constexpr int kCopies = 3;

// Stamps behind which no further change can hide: files that were written just now are waited for.
// Where they never stand still, no stamps are the same as these.
FileStamps StillStamps(const std::vector<std::string>& paths) {
  FileStamps stamps(paths);
  for (int i = 0; i < kPauses && !FileStamps(paths).SameAs(stamps); ++i) {
    std::this_thread::sleep_for(kPause);
    stamps = FileStamps(paths);
  }
  return stamps;
}

struct Header {
  bool uses_log = false;  // write-ahead log instead of a rollback journal
};

// Bytes that are no database: those of a key look like noise, those of a mishap mostly like the
// database that they were.
ReadFailure Foreign(std::string_view bytes) {
  if (bytes.starts_with("RFE1")) return ReadFailure::kEncrypted;
  if (bytes.starts_with("redb")) return ReadFailure::kSchema;
  std::size_t equal = 0;
  std::size_t zeros = 0;
  std::size_t outside_ascii = 0;
  for (std::size_t i = 0; i < kMagic.size() && i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    equal += bytes[i] == kMagic[i] ? 1 : 0;
    zeros += byte == 0 ? 1 : 0;
    outside_ascii += byte < 0x20 || byte > 0x7e ? 1 : 0;
  }
  if (equal >= 8 || zeros >= 8) return ReadFailure::kCorrupt;
  return outside_ascii >= 4 ? ReadFailure::kEncrypted : ReadFailure::kSchema;
}

Reading<Header> ReadHeader(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return FailureOfErrno(errno);
  struct stat info {};
  std::array<char, kHeaderBytes> bytes{};
  const bool is_file = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t size = is_file ? ::pread(descriptor, bytes.data(), bytes.size(), 0) : 0;
  ::close(descriptor);
  if (!is_file) return ReadFailure::kSchema;
  if (size < 0) return ReadFailure::kIo;
  if (size == 0) return ReadFailure::kEmpty;
  const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
  if (!text.starts_with(kMagic)) return Foreign(text);
  if (text.size() < kHeaderBytes) return ReadFailure::kTruncated;
  return Header{.uses_log = text[18] == 2 || text[19] == 2};
}

bool Exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

ReadFailure FailureOfSqlite(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return ReadFailure::kLocked;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return ReadFailure::kPermission;
    case SQLITE_NOTADB:
      return ReadFailure::kEncrypted;
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
      return ReadFailure::kCorrupt;
    case SQLITE_INTERRUPT:
      return ReadFailure::kTimeout;
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return ReadFailure::kTooLarge;
    case SQLITE_ERROR:
      return ReadFailure::kSchema;
    default:
      return ReadFailure::kIo;
  }
}

// As a file: URI; everything but plain characters as %XX.
std::string UriOf(const std::string& path, std::string_view parameters) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    if (plain) {
      uri += c;
    } else {
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return uri.append("?").append(parameters);
}

struct StatementEnd {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementEnd>;

class RowOf final : public DatabaseRow {
 public:
  explicit RowOf(sqlite3_stmt* statement) : statement_(statement) {}
  std::string_view Text(int column) const override {
    const int type = sqlite3_column_type(statement_, column);
    if (type == SQLITE_NULL || type == SQLITE_BLOB) return {};
    const unsigned char* text = sqlite3_column_text(statement_, column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::optional<double> Number(int column) const override {
    std::optional<double> number;
    const int type = sqlite3_column_type(statement_, column);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
      number = sqlite3_column_double(statement_, column);
    } else if (type == SQLITE_TEXT) {
      number = ParseDouble(Text(column));
    }
    if (number && !std::isfinite(*number)) return {};
    return number;
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

struct Database::Impl {
  Impl(const DatabaseOptions& options, const Clock& time)
      : clock(time),
        deadline(time.SteadyNow() + options.query_timeout),
        rows_left(options.max_rows) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { Close(); }

  void Close() {
    if (handle != nullptr) sqlite3_close_v2(handle);
    handle = nullptr;
  }

  std::optional<ReadFailure> OpenInPlace(const std::string& path, const DatabaseOptions& options);
  std::optional<ReadFailure> OpenCopy(const DatabaseFiles& files, const DatabaseOptions& options);
  std::optional<ReadFailure> Copy(const DatabaseFiles& files, const DatabaseOptions& options);
  std::optional<ReadFailure> Begin(const DatabaseOptions& options);
  void Harden(const DatabaseOptions& options);
  std::optional<ReadFailure> Run(const std::string& sql,
                                 const std::function<void(const DatabaseRow&)>& take);

  bool IsLate() const { return clock.SteadyNow() >= deadline; }

  std::unique_ptr<UnlinkedCopy> copy;  // where it is one
  sqlite3* handle = nullptr;           // closed before the copy goes
  const Clock& clock;
  Clock::Steady deadline;
  std::uint64_t rows_left;
  // Must not change while it is read; none where SQLite's log keeps moments apart.
  std::vector<std::string> watched;
  FileStamps stamps;  // of it, before
};

// What a stranger's file may do to us: no code of its schema runs, cells are checked, texts are
// bounded, and the progress handler ends what takes too long.
void Database::Impl::Harden(const DatabaseOptions& options) {
  sqlite3_busy_timeout(handle, static_cast<int>(options.busy_timeout.count()));
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 64 << 20);
  sqlite3_progress_handler(
      handle, 1000, [](void* impl) { return static_cast<const Impl*>(impl)->IsLate() ? 1 : 0; },
      this);
}

std::optional<ReadFailure> Database::Impl::OpenInPlace(const std::string& path,
                                                       const DatabaseOptions& options) {
  const std::string uri = UriOf(path, "mode=ro&readonly_shm=1");
  constexpr int kFlags =
      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  const int code = sqlite3_open_v2(uri.c_str(), &handle, kFlags, nullptr);
  if (code != SQLITE_OK) return FailureOfSqlite(code);
  return Begin(options);
}

// The first SELECT after BEGIN fixes the moment that all later ones see.
std::optional<ReadFailure> Database::Impl::Begin(const DatabaseOptions& options) {
  Harden(options);
  for (const char* sql : {"PRAGMA query_only=1", "PRAGMA cell_size_check=1", "BEGIN"}) {
    const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return FailureOfSqlite(code);
  }
  return Run("SELECT count(*) FROM sqlite_master", [](const DatabaseRow&) {});
}

std::optional<ReadFailure> Database::Impl::Run(
    const std::string& sql, const std::function<void(const DatabaseRow&)>& take) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(handle, sql.c_str(), static_cast<int>(sql.size()), &raw, nullptr);
  const Statement statement(raw);
  if (code != SQLITE_OK) return FailureOfSqlite(code);
  const RowOf row(raw);
  while ((code = sqlite3_step(raw)) == SQLITE_ROW) {
    if (rows_left == 0) return ReadFailure::kTooLarge;
    --rows_left;
    take(row);
  }
  if (code != SQLITE_DONE) return FailureOfSqlite(code);
  return {};
}

// A copy that nobody wrote into while it was made: the files' stamps before and after are the same,
// and old enough that no further write can hide behind the same stamp.
std::optional<ReadFailure> Database::Impl::Copy(const DatabaseFiles& files,
                                                const DatabaseOptions& options) {
  const std::vector<std::string> sources{files.main, files.log(), files.journal()};
  for (int i = 0; i < kCopies && !IsLate(); ++i) {
    const FileStamps before = StillStamps(sources);
    const std::optional<ReadFailure> failure = copy->Take(files, options.max_copy_bytes);
    if (failure) return failure;
    if (FileStamps(sources).SameAs(before)) return {};
  }
  return ReadFailure::kLocked;
}

std::optional<ReadFailure> Database::Impl::OpenCopy(const DatabaseFiles& files,
                                                    const DatabaseOptions& options) {
  Close();
  Reading<std::unique_ptr<UnlinkedCopy>> made = UnlinkedCopy::Make(options.temporary_folder);
  if (!made) return made.failure();
  copy = std::move(*made);
  if (std::optional<ReadFailure> failure = Copy(files, options)) return failure;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  int code = sqlite3_open_v2(copy->name().c_str(), &handle, kFlags, copy->vfs().c_str());
  if (code != SQLITE_OK) return FailureOfSqlite(code);
  code = sqlite3_exec(handle, "PRAGMA locking_mode=EXCLUSIVE", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return FailureOfSqlite(code);
  return Begin(options);
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;
Database::~Database() = default;

std::optional<ReadFailure> Database::CheckUnchanged() const {
  if (impl_->watched.empty()) return {};
  if (FileStamps(impl_->watched).SameAs(impl_->stamps)) return {};
  return ReadFailure::kLocked;
}

bool Database::is_copy() const { return impl_->copy != nullptr; }

Reading<Database> Database::Open(const std::string& path, const DatabaseOptions& options,
                                 const Clock& clock) {
  const DatabaseFiles files{path};
  Reading<Header> header = ReadHeader(path);
  if (!header) return header.failure();
  auto impl = std::make_unique<Impl>(options, clock);
  // Without -shm SQLite would make one, which is a trace, and as another user a harmful one. A
  // journal that is there is either being written or left by a crash: only a copy may roll back.
  const bool in_place = header->uses_log ? Exists(files.index()) : !Exists(files.journal());
  if (in_place) {
    if (!header->uses_log) {
      impl->watched = {path};
      impl->stamps = StillStamps(impl->watched);
    }
    const std::optional<ReadFailure> failure = impl->OpenInPlace(path, options);
    if (!failure) return Database(std::move(impl));
    const bool may_help = *failure == ReadFailure::kPermission || *failure == ReadFailure::kLocked;
    if (!may_help) return *failure;
  }
  impl->watched.clear();
  if (std::optional<ReadFailure> failure = impl->OpenCopy(files, options)) return *failure;
  return Database(std::move(impl));
}

std::set<std::string, std::less<>> Database::Columns(std::string_view table) {
  std::set<std::string, std::less<>> columns;
  bool is_table = false;
  const std::string name(table);
  (void)Query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '" + name + "'",
              [&](const DatabaseRow&) { is_table = true; });
  if (!is_table) return columns;
  // What cannot be asked has no columns, which the caller reports as kSchema.
  (void)Query("PRAGMA table_info(" + name + ")",
              [&](const DatabaseRow& row) { columns.emplace(row.Text(1)); });
  return columns;
}

std::optional<ReadFailure> Database::Query(
    const std::string& sql, const std::function<void(const DatabaseRow& row)>& take) {
  return impl_->Run(sql, take);
}

}  // namespace skep::stores
