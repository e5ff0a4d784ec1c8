#include "exporter/stores/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "common/base/number.h"
#include "exporter/stores/store_bytes.h"
#include "exporter/swarm/words.h"

namespace skep::stores {
namespace {

constexpr std::size_t kHashedEnd = 256;

// Of a line's end: as much of it is read again to find it.
std::uint64_t HashLine(std::string_view line) {
  return swarm::StableHash(line.substr(line.size() - std::min(line.size(), kHashedEnd)));
}

// One open file. Closes itself.
class LineSource {
 public:
  static Reading<LineSource> Open(const std::string& path) {
    int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return FailureOfErrno(errno);
    LineSource source(descriptor);
    if (::fstat(descriptor, &source.info_) != 0) return FailureOfErrno(errno);
    if (!S_ISREG(source.info_.st_mode)) return ReadFailure::kSchema;
    return source;
  }
  LineSource(LineSource&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), info_(other.info_) {}
  LineSource& operator=(LineSource&&) = delete;
  ~LineSource() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  std::uint64_t device() const { return info_.st_dev; }
  std::uint64_t inode() const { return info_.st_ino; }
  std::uint64_t size() const { return static_cast<std::uint64_t>(info_.st_size); }
  bool Is(const LineCursor& cursor) const {
    return cursor.device == device() && cursor.inode == inode();
  }

  // At most `max` bytes from `offset`.
  Reading<std::string> ReadAt(std::uint64_t offset, std::size_t max) const {
    std::string bytes(max, '\0');
    std::size_t size = 0;
    while (size < max) {
      const ssize_t got =
          ::pread(descriptor_, bytes.data() + size, max - size, static_cast<off_t>(offset + size));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FailureOfErrno(errno);
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    bytes.resize(size);
    return bytes;
  }

 private:
  explicit LineSource(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  struct stat info_ {};
};

class BatchReader {
 public:
  explicit BatchReader(const LineFileOptions& options) : options_(options) {}

  // The line that ends just before `offset`, or as much of its end as is hashed; "" where none can
  // be told.
  Reading<std::string> LineBefore(const LineSource& source, std::uint64_t offset) const {
    const std::uint64_t begin = offset - std::min<std::uint64_t>(offset, 2 * kHashedEnd);
    Reading<std::string> bytes = source.ReadAt(begin, static_cast<std::size_t>(offset - begin));
    if (!bytes) return bytes.failure();
    if (bytes->size() != offset - begin || !bytes->ends_with('\n')) return std::string();
    bytes->pop_back();
    const std::size_t start = bytes->rfind('\n');
    return start == std::string::npos ? *bytes : bytes->substr(start + 1);
  }

  // Whether the file still has the cursor's last line where the cursor says.
  Reading<bool> Continues(const LineSource& source, const LineCursor& cursor) const {
    if (cursor.offset > source.size()) return false;
    if (cursor.offset == 0 || cursor.last_line_hash == 0) return true;
    Reading<std::string> line = LineBefore(source, cursor.offset);
    if (!line) return line.failure();
    return HashLine(*line) == cursor.last_line_hash;
  }

  // Puts the cursor at the end of the last whole line.
  Reading<LineCursor> AtEnd(const LineSource& source) const {
    LineCursor cursor{.device = source.device(), .inode = source.inode()};
    std::uint64_t end = source.size();
    while (end > 0) {
      const std::uint64_t begin = end - std::min<std::uint64_t>(end, options_.max_line_bytes);
      Reading<std::string> bytes = source.ReadAt(begin, static_cast<std::size_t>(end - begin));
      if (!bytes) return bytes.failure();
      const std::size_t newline = bytes->rfind('\n');
      if (newline != std::string::npos) {
        cursor.offset = begin + newline + 1;
        break;
      }
      end = begin;
    }
    if (cursor.offset == 0) return cursor;
    Reading<std::string> line = LineBefore(source, cursor.offset);
    if (!line) return line.failure();
    Note(*line, cursor);
    return cursor;
  }

  // Appends whole lines from `batch.next` on, as far as the bound goes.
  std::optional<ReadFailure> Take(const LineSource& source, LineBatch& batch) {
    Reading<std::string> bytes = source.ReadAt(batch.next.offset, options_.max_bytes);
    if (!bytes) return bytes.failure();
    const std::size_t end = bytes->rfind('\n');
    if (end == std::string::npos) return PassOver(*bytes, batch);
    std::size_t at = 0;
    // Behind what was passed over stands the end of a line, not a line.
    if (batch.next.offset > 0 && batch.next.last_line_hash == 0) at = bytes->find('\n') + 1;
    while (at <= end) {
      const std::size_t newline = bytes->find('\n', at);
      AddLine(std::string_view(*bytes).substr(at, newline - at), batch);
      at = newline + 1;
    }
    batch.next.offset += end + 1;
    batch.complete = bytes->size() < options_.max_bytes;
    if (batch.next.last_line_hash != 0) return {};
    Reading<std::string> line = LineBefore(source, batch.next.offset);
    if (!line) return line.failure();
    Note(*line, batch.next);
    return {};
  }

  // Another file stands at `path` than that of the cursor: the rest of the old one where rotation
  // put it, then the new one.
  std::optional<ReadFailure> TakeOther(const std::string& path, const LineSource& source,
                                       const LineCursor& cursor, LineBatch& batch) {
    Reading<LineSource> old = LineSource::Open(path + options_.rotated_suffix);
    const bool is_rotated = old && old->Is(cursor);
    if (is_rotated) {
      if (std::optional<ReadFailure> failure = Take(*old, batch)) return failure;
      if (!batch.complete) return {};
    }
    if (!is_rotated && cursor.inode != 0) return TakeRewritten(source, cursor, batch);
    batch.next.device = source.device();
    batch.next.inode = source.inode();
    batch.next.offset = 0;
    return Take(source, batch);
  }

  // It is another file than that of the cursor, or was rewritten in place: its lines behind the
  // cursor's last one, or where that is gone, those that are newer. A rewrite is seen half done
  // now and then (it begins with truncation); so as long as neither is there, nothing is taken and
  // the cursor stays.
  std::optional<ReadFailure> TakeRewritten(const LineSource& source, const LineCursor& cursor,
                                           LineBatch& batch) {
    batch.next = {.device = source.device(), .inode = source.inode()};
    batch.next.last_millis = cursor.last_millis;
    if (std::optional<ReadFailure> failure = Take(source, batch)) return failure;
    KeepUnseen(cursor, batch);
    if (!found_ && batch.lines.empty()) batch.next = cursor;
    // More than fits one batch cannot be told apart from what was counted: it is passed over.
    if (batch.complete) return {};
    Reading<LineCursor> end = AtEnd(source);
    if (!end) return end.failure();
    batch = {.lines = {}, .next = *end, .complete = true};
    return {};
  }

 private:
  void Note(std::string_view line, LineCursor& cursor) const {
    cursor.last_line_hash = HashLine(line);
    if (std::optional<Timestamp> time = options_.time_of(line)) {
      cursor.last_millis = std::max(cursor.last_millis, ToMillis(*time));
    }
  }

  void AddLine(std::string_view line, LineBatch& batch) {
    Note(line, batch.next);
    if (!line.empty() && line.size() <= options_.max_line_bytes) batch.lines.emplace_back(line);
  }

  void KeepUnseen(const LineCursor& cursor, LineBatch& batch) {
    auto last = std::find_if(batch.lines.rbegin(), batch.lines.rend(), [&](const auto& line) {
      return HashLine(line) == cursor.last_line_hash;
    });
    found_ = last != batch.lines.rend();
    if (found_) {
      batch.lines.erase(batch.lines.begin(), last.base());
      return;
    }
    std::erase_if(batch.lines, [&](const std::string& line) {
      std::optional<Timestamp> time = options_.time_of(line);
      return !time || ToMillis(*time) <= cursor.last_millis;
    });
  }

  // No line ends within the bound: half a line waits for its end, an endless one is passed over.
  std::optional<ReadFailure> PassOver(std::string_view bytes, LineBatch& batch) const {
    if (bytes.size() < options_.max_bytes) return {};
    batch.next.offset += bytes.size();
    batch.next.last_line_hash = 0;
    batch.complete = false;
    return {};
  }

  const LineFileOptions& options_;
  bool found_ = false;
};

}  // namespace

std::string LineCursor::Format() const {
  std::string text;
  for (std::uint64_t number : {device, inode, offset, last_line_hash}) {
    text += std::to_string(number) + ' ';
  }
  return text + std::to_string(last_millis);
}

Result<LineCursor> LineCursor::Parse(std::string_view text) {
  LineCursor cursor;
  for (std::uint64_t* field :
       {&cursor.device, &cursor.inode, &cursor.offset, &cursor.last_line_hash}) {
    const std::size_t blank = text.find(' ');
    std::optional<std::uint64_t> number = ParseUint(text.substr(0, blank));
    if (blank == std::string_view::npos || !number) return Corrupt("no line cursor");
    *field = *number;
    text.remove_prefix(blank + 1);
  }
  std::optional<std::int64_t> millis = ParseInt(text);
  if (!millis) return Corrupt("no line cursor");
  cursor.last_millis = *millis;
  return cursor;
}

Reading<LineBatch> ReadNewLines(const std::string& path, const std::optional<LineCursor>& cursor,
                                const LineFileOptions& options) {
  BatchReader reader(options);
  Reading<LineSource> source = LineSource::Open(path);
  if (!source) return source.failure();
  LineBatch batch;
  if (!cursor) {
    Reading<LineCursor> end = reader.AtEnd(*source);
    if (!end) return end.failure();
    batch.next = *end;
    return batch;
  }
  batch.next = *cursor;
  if (!source->Is(*cursor)) {
    if (std::optional<ReadFailure> failure = reader.TakeOther(path, *source, *cursor, batch)) {
      return *failure;
    }
    return batch;
  }
  Reading<bool> continues = reader.Continues(*source, *cursor);
  if (!continues) return continues.failure();
  std::optional<ReadFailure> failure =
      *continues ? reader.Take(*source, batch) : reader.TakeRewritten(*source, *cursor, batch);
  if (failure) return *failure;
  return batch;
}

}  // namespace skep::stores
