#include "exporter/logs/line_splitter.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace skep::logs {
namespace {

void Emit(std::string_view line, LineSink& sink) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.empty()) sink.OnLine(line);
}

// One step over the bytes: what stands at the front.
struct Piece {
  enum Kind : std::uint8_t { kLine, kTooLong, kNothing, kHalf } kind;
  std::string_view line;  // of kLine and kHalf
  std::size_t length;     // with the end of line
};

class Cutter {
 public:
  Cutter(std::size_t max_line_bytes, SplitState& state, LineSink& sink)
      : max_line_bytes_(max_line_bytes), state_(state), sink_(sink) {}

  Piece Next(std::string_view rest) {
    const auto* end = static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size()));
    if (state_.skips_line) {
      state_.skips_line = end == nullptr;
      return {Piece::kNothing, {}, LengthTo(rest, end)};
    }
    if (rest[0] == '\0') {
      const std::size_t zeros = std::min(rest.find_first_not_of('\0'), rest.size());
      return {Piece::kNothing, {}, zeros};
    }
    const std::size_t length = LengthTo(rest, end);
    if (length - (end != nullptr ? 1 : 0) > max_line_bytes_) {
      sink_.OnProblem(ReadProblem::kLineTooLong);
      state_.skips_line = end == nullptr;
      return {Piece::kTooLong, {}, length};
    }
    if (end == nullptr) return {Piece::kHalf, rest, length};
    return {Piece::kLine, rest.substr(0, length - 1), length};
  }

 private:
  static std::size_t LengthTo(std::string_view rest, const char* end) {
    return end == nullptr ? rest.size() : static_cast<std::size_t>(end - rest.data()) + 1;
  }

  std::size_t max_line_bytes_;
  SplitState& state_;
  LineSink& sink_;
};

}  // namespace

LineSplitter::LineSplitter(std::size_t max_line_bytes, std::optional<MultilineOptions> multiline)
    : max_line_bytes_(max_line_bytes), multiline_(std::move(multiline)) {}

std::size_t LineSplitter::buffer_bytes() const {
  const std::size_t record = multiline_ ? multiline_->max_bytes + max_line_bytes_ : 0;
  return std::max<std::size_t>(256UL << 10, max_line_bytes_ + record + 4096);
}

std::size_t LineSplitter::Split(std::string_view data, AtEnd at_end, SplitState& state,
                                LineSink& sink) const {
  return multiline_ ? SplitRecords(data, at_end, state, sink)
                    : SplitLines(data, at_end, state, sink);
}

std::size_t LineSplitter::SplitLines(std::string_view data, AtEnd at_end, SplitState& state,
                                     LineSink& sink) const {
  Cutter cutter(max_line_bytes_, state, sink);
  std::size_t done = 0;
  while (done < data.size() && !sink.IsFull()) {
    const Piece piece = cutter.Next(data.substr(done));
    if (piece.kind == Piece::kHalf && at_end != AtEnd::kAll) break;
    if (piece.kind == Piece::kLine || piece.kind == Piece::kHalf) Emit(piece.line, sink);
    done += piece.length;
  }
  return done;
}

bool LineSplitter::Continues(std::string_view line) const {
  if (multiline_->start) return !multiline_->start->PartialMatch(line);
  return multiline_->continuation->PartialMatch(line);
}

std::size_t LineSplitter::SplitRecords(std::string_view data, AtEnd at_end, SplitState& state,
                                       LineSink& sink) const {
  Cutter cutter(max_line_bytes_, state, sink);
  std::size_t done = 0;  // behind the last record that was handed over
  std::size_t at = 0;
  std::size_t record_end = 0;
  bool has_record = false;  // from `done` to `record_end`
  const auto finish_record = [&] {
    if (std::exchange(has_record, false)) Emit(data.substr(done, record_end - done), sink);
  };
  while (at < data.size() && !sink.IsFull()) {
    const Piece piece = cutter.Next(data.substr(at));
    if (piece.kind == Piece::kHalf && at_end != AtEnd::kAll) break;
    const std::size_t begin = std::exchange(at, at + piece.length);
    if (piece.kind == Piece::kNothing || piece.kind == Piece::kTooLong) {
      finish_record();
      done = at;
      continue;
    }
    const bool continues = Continues(piece.line);
    if (state.skips_record && continues) {
      done = at;
    } else if (has_record && continues) {
      if (at - done > multiline_->max_bytes) {
        finish_record();
        sink.OnProblem(ReadProblem::kRecordTooLong);
        state.skips_record = true;
        done = at;
      } else {
        record_end = begin + piece.line.size();
      }
    } else {
      finish_record();
      state.skips_record = false;
      done = begin;
      has_record = true;
      record_end = begin + piece.line.size();
    }
  }
  // A full sink ended the loop before the end was seen.
  if (has_record && at_end != AtEnd::kWait && !sink.IsFull()) {
    finish_record();
    done = at;
  }
  return done;
}

}  // namespace skep::logs
