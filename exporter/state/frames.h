// A file of checksummed frames. The picture is in README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace skep::state {

inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kFileHeaderBytes = 28;
inline constexpr std::size_t kFrameHeaderBytes = 12;
// A longer frame is not believed.
inline constexpr std::size_t kMaxFrameBytes = 1UL << 30;

enum class FileKind : std::uint32_t { kJournal = 1, kSnapshot = 2 };

std::string FileHeader(FileKind kind, std::uint64_t sequence);
// Appends one frame.
void AppendFrame(std::string_view payload, std::string& out);

// Reads a file's bytes, which must outlive it.
class FrameReader {
 public:
  enum class Entry {
    kFrame,
    kEnd,
    kTorn,     // the file ends within a frame, or with zeros: as a crash leaves it
    kDamaged,  // other bytes than were written
    kVersion,  // of a version that we do not know; only before the first frame
  };

  FrameReader(FileKind kind, std::uint64_t sequence, std::string_view bytes);

  // After anything but kFrame it stays there.
  Entry Next();

  std::string_view payload() const { return payload_; }
  // Where the entry begins; of kEnd: the size.
  std::size_t offset() const { return offset_; }
  // As the file has it.
  std::uint32_t version() const { return version_; }

 private:
  Entry ReadHeader();
  Entry ReadFrame();

  FileKind kind_;
  std::uint64_t sequence_;
  std::string_view bytes_;
  std::string_view payload_;
  std::size_t offset_ = 0;
  std::size_t next_ = 0;
  std::uint32_t version_ = 0;
};

}  // namespace skep::state
