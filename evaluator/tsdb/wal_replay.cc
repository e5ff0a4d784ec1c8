#include "evaluator/tsdb/wal_replay.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

std::string WalProblem::ToString() const {
  std::string text = path;
  if (kind != Kind::kMissing) text += " at byte " + std::to_string(offset);
  text += ": " + what;
  if (lost_bytes > 0) text += ": " + std::to_string(lost_bytes) + " bytes are lost";
  return text;
}

namespace {

constexpr std::size_t kMostProblems = 100;

struct Segment {
  std::uint64_t number = 0;
  MappedFilePtr file;  // until it has been read
  std::optional<RecordFileHeader> header;
  std::string problem;  // where there is no header
  // What the next segment says of this one: how many bytes of it count.
  std::optional<std::uint64_t> end;
  // Nobody follows it, or those that do say that it never counted.
  bool is_last = false;
  bool is_stray = false;
};

class Replay {
 public:
  Replay(Disk& disk, std::string_view folder, const RecordVisitor& visitor)
      : disk_(disk), folder_(folder), visitor_(visitor) {}

  Result<WalReplay> Run() {
    const Result<WalFiles> files = ListWal(disk_, folder_);
    if (!files) return files.error();
    for (const std::uint64_t number : files->segments) RETURN_IF_ERROR(OpenSegment(number));
    for (const std::uint64_t number : files->checkpoints) RETURN_IF_ERROR(OpenCheckpoint(number));
    done_.end.highest = files->highest();
    ReadCheckpoint();
    done_.end.segment = done_.checkpoint;
    std::erase_if(segments_, [this](const Segment& s) { return s.number <= done_.checkpoint; });
    Link();
    for (Segment& segment : segments_) {
      ReadSegment(segment);
      segment.file.reset();
    }
    return std::move(done_);
  }

 private:
  struct Checkpoint {
    std::uint64_t number = 0;
    MappedFilePtr file;
  };

  void Tell(WalProblem problem) {
    ++done_.problem_count;
    if (done_.problems.size() < kMostProblems) done_.problems.push_back(std::move(problem));
  }

  void TellDamage(const std::string& path, std::uint64_t offset, std::uint64_t end,
                  std::string_view what) {
    Tell({.kind = WalProblem::Kind::kDamage,
          .path = path,
          .offset = offset,
          .lost_bytes = end - offset,
          .what = std::string(what)});
  }

  // An error: it cannot be read, or is of another version.
  Status OpenSegment(std::uint64_t number) {
    const std::string path = SegmentPath(folder_, number);
    Result<MappedFilePtr> file = disk_.Map(path);
    if (!file) return file.error();
    const Result<RecordFileHeader> header = DecodeHeader(kSegmentMagic, (*file)->bytes(), path);
    if (!header && header.error().kind() == ErrorKind::kInvalid) return header.error();
    Segment& segment = segments_.emplace_back();
    segment.number = number;
    segment.file = std::move(*file);
    if (!header) {
      segment.problem = header.error().message();
    } else if (header->number != number) {
      segment.problem = "it is segment " + std::to_string(header->number) + ", renamed";
    } else {
      segment.header = *header;
    }
    return {};
  }

  // The same.
  Status OpenCheckpoint(std::uint64_t number) {
    const std::string path = CheckpointPath(folder_, number);
    Result<MappedFilePtr> file = disk_.Map(path);
    if (!file) return file.error();
    const Status good = CheckMagic(kCheckpointMagic, (*file)->bytes(), path);
    if (!good && good.error().kind() == ErrorKind::kInvalid) return good;
    checkpoints_.push_back({number, std::move(*file)});
    return {};
  }

  // --- checkpoint ---

  void ReadCheckpoint() {
    for (auto checkpoint = checkpoints_.rbegin(); checkpoint != checkpoints_.rend(); ++checkpoint) {
      if (!IsWhole(*checkpoint)) continue;
      done_.checkpoint = checkpoint->number;
      Deliver(*checkpoint);
      break;
    }
    if (done_.checkpoint == 0 && !checkpoints_.empty()) Deliver(checkpoints_.back());
    checkpoints_.clear();
  }

  // Otherwise it is told what is wrong.
  bool IsWhole(const Checkpoint& checkpoint) {
    const std::string path = CheckpointPath(folder_, checkpoint.number);
    const std::string_view content = checkpoint.file->bytes();
    if (!HasHeader(checkpoint)) {
      TellDamage(path, 0, content.size(), "a checkpoint whose header is damaged");
      return false;
    }
    RecordScanner scanner(checkpoint.number, content);
    Record last;
    while (scanner.Next()) last = scanner.record();
    const bool whole = scanner.problem().empty() && last.kind == RecordKind::kEnd;
    if (whole) return true;
    TellDamage(path, scanner.offset(), content.size(),
               scanner.problem().empty() ? "a checkpoint without its end" : scanner.problem());
    return false;
  }

  bool HasHeader(const Checkpoint& checkpoint) const {
    const Result<RecordFileHeader> header =
        DecodeHeader(kCheckpointMagic, checkpoint.file->bytes(), "");
    return header && header->number == checkpoint.number;
  }

  void Deliver(const Checkpoint& checkpoint) {
    if (!HasHeader(checkpoint)) return;
    const std::string path = CheckpointPath(folder_, checkpoint.number);
    RecordScanner scanner(checkpoint.number, checkpoint.file->bytes());
    while (scanner.Next()) {
      if (scanner.record().kind != RecordKind::kEnd) Deliver(scanner, path);
    }
  }

  // --- segments ---

  // What each segment's follower says of it; what is missing.
  void Link() {
    std::map<std::uint64_t, Segment*> present;
    for (Segment& segment : segments_) present.emplace(segment.number, &segment);
    std::uint64_t follower_of = 0;  // what the next segment with a header says it follows
    bool is_last = true;
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
      segment->is_last = is_last;
      segment->is_stray = !is_last && segment->number > follower_of;
      if (!segment->header || segment->is_stray) continue;
      is_last = false;
      follower_of = segment->header->previous;
      const auto before = present.find(follower_of);
      // 0: a checkpoint covered it, so the writer did not look.
      const std::uint64_t end = segment->header->previous_end;
      if (before != present.end() && end > 0) before->second->end = end;
      if (before == present.end() && follower_of > done_.checkpoint) {
        missing_before_[segment->number] = follower_of;
      }
    }
  }

  void TellMissing(std::uint64_t segment) {
    const auto missing = missing_before_.find(segment);
    if (missing == missing_before_.end()) return;
    Tell({.kind = WalProblem::Kind::kMissing,
          .path = SegmentPath(folder_, missing->second),
          .what = "the segment before " + SegmentPath(folder_, segment) + " is not there"});
  }

  void ReadSegment(const Segment& segment) {
    if (segment.is_stray) return;
    TellMissing(segment.number);
    const std::string path = SegmentPath(folder_, segment.number);
    const std::string_view content = segment.file->bytes();
    if (!segment.header) return SkipSegment(segment, path);
    ++done_.segments;
    const std::uint64_t end = segment.end.value_or(content.size());
    RecordScanner scanner(segment.number, content.substr(0, static_cast<std::size_t>(end)));
    while (scanner.Next()) Deliver(scanner, path);
    done_.end.segment = segment.number;
    done_.end.bytes = segment.is_last ? scanner.offset() : end;
    if (scanner.offset() >= end) return;
    const std::string_view what =
        scanner.problem().empty() ? "the end of the file is missing" : scanner.problem();
    Tell({.kind = segment.is_last ? WalProblem::Kind::kTornTail : WalProblem::Kind::kDamage,
          .path = path,
          .offset = scanner.offset(),
          .lost_bytes = end - scanner.offset(),
          .what = std::string(what)});
  }

  void SkipSegment(const Segment& segment, const std::string& path) {
    const std::string_view content = segment.file->bytes();
    const std::string_view header = content.substr(0, kRecordFileHeaderBytes);
    // The power went before the first block of a new file was written, whatever stands behind it.
    const bool torn = segment.is_last && (header.size() < kRecordFileHeaderBytes ||
                                          header.find_first_not_of('\0') == header.npos);
    Tell({.kind = torn ? WalProblem::Kind::kTornTail : WalProblem::Kind::kDamage,
          .path = path,
          .lost_bytes = std::max<std::uint64_t>(content.size(), segment.end.value_or(0)),
          .what = torn ? "a segment without its header" : segment.problem});
    // It stays a part of the log, and the damage is told again until a checkpoint covers it.
    if (!torn) done_.end = {segment.number, 0, done_.end.highest};
  }

  void Deliver(const RecordScanner& scanner, const std::string& path) {
    const Record& record = scanner.record();
    const std::size_t size = kRecordHeadBytes + record.payload.size();
    if (Status taken = visitor_(record); !taken) {
      return Tell({.kind = WalProblem::Kind::kRefused,
                   .path = path,
                   .offset = scanner.offset(),
                   .lost_bytes = size,
                   .what = taken.error().message()});
    }
    ++done_.records;
    done_.bytes += size;
  }

  Disk& disk_;
  const std::string folder_;
  const RecordVisitor& visitor_;
  std::vector<Checkpoint> checkpoints_;
  std::vector<Segment> segments_;                          // by number
  std::map<std::uint64_t, std::uint64_t> missing_before_;  // segment to the one that is missing
  WalReplay done_;
};

}  // namespace

Result<WalReplay> ReplayWal(Disk& disk, std::string_view folder, const RecordVisitor& visitor) {
  return Replay(disk, folder, visitor).Run();
}

}  // namespace skep::tsdb
