// Where the lines of a source go, and how what they changed gets into the store.
#pragma once

#include <cstdint>
#include <string_view>

#include "exporter/state/store.h"

namespace skep::logs {

// Why something of a log could not be read or understood: label `reason` of log_read_errors_total.
enum class ReadProblem : std::uint8_t {
  kMissing,        // no file matches a pattern of paths
  kPermission,     // opening was refused
  kIo,             // opening or reading failed
  kNotRegular,     // a pipe, socket or device
  kTooManyFiles,   // more files than max_files
  kVanished,       // a file that was not known to be read to its end is gone
  kInternal,       // a mistake of ours: what was read since the last unit is read again
  kLineTooLong,    // a line beyond max_line_bytes
  kRecordTooLong,  // several lines as one beyond multiline.max_bytes
  kFormat,         // a line that is not of the source's format
  kTemplatesFull,  // an error line that fits no template when no more may be kept
};
inline constexpr std::size_t kReadProblems = 11;
std::string_view ReadProblemName(ReadProblem problem);

enum class Rotation : std::uint8_t { kRenamed, kTruncated, kDeleted };
inline constexpr std::size_t kRotations = 3;
std::string_view RotationName(Rotation rotation);

// Thread-compatible: belongs to whoever reads the source.
class LineSink {
 public:
  virtual ~LineSink() = default;

  // One line without its end, or one record of several; not empty.
  virtual void OnLine(std::string_view line) = 0;
  virtual void OnProblem(ReadProblem problem) = 0;
  virtual void OnRotation(Rotation rotation) = 0;

  // So much has come together that it should be written now.
  virtual bool IsFull() const = 0;
  // Whether there is anything to write.
  virtual bool empty() const = 0;
  // Puts all since the last Written or Dropped into a unit of the store. Within Store::Update.
  virtual void Write(state::Changes& changes) = 0;
  // The unit is in the store; or it is not, and its lines come again. Dropped is called within
  // Store::Update.
  virtual void Written() = 0;
  virtual void Dropped() = 0;
};

}  // namespace skep::logs
