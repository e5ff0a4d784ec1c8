// What units and snapshots look like as bytes; the picture is in README.md.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "exporter/state/tables.h"
#include "exporter/state/unit.h"

namespace skep::state {

// The wall clock and the steady clock at one moment: the file keeps wall times, memory steady ones.
struct Moment {
  Timestamp wall;
  std::int64_t steady_ms = 0;
};

// Appends the unit to `out`; nothing where it changes nothing. `families` gets those that the file
// learns by it: their is_in_file was set and is to be taken back if the unit is not written.
void EncodeUnit(Tables& tables, const Unit& unit, const std::vector<std::string>& section_names,
                const Moment& now, std::string& out, std::vector<FamilyId>& families);

// Cuts what a snapshot holds into payloads of frames.
class SnapshotEncoder {
 public:
  using Write = std::function<void(std::string_view payload)>;

  SnapshotEncoder(const Moment& now, Write write) : now_(now), write_(std::move(write)) {}

  void AddFamily(FamilyId id, const Family& family);
  void AddRecord(std::string_view section, std::string_view record);
  // The last payload; a snapshot without it is not whole.
  void Finish();

 private:
  void AddSeries(FamilyId id, const Family& family, SeriesId series);
  void FlushAt(std::size_t size);

  const Moment now_;
  const Write write_;
  std::string payload_;
};

// Reads payloads back into memory.
class Decoder {
 public:
  // Gets the records of sections. An error is for that record only.
  using OnRecord = std::function<Status(std::string_view section, std::string_view record)>;

  // `tables` must outlive it.
  Decoder(Tables& tables, const Moment& now, OnRecord on_record);

  void Read(std::string_view payload);

  bool saw_end() const { return saw_end_; }
  // Entries that meant nothing to us, and why the first of them.
  std::uint64_t refused() const { return refused_; }
  const std::string& first_error() const { return first_error_; }

 private:
  class Input;

  // kInvalid: the bytes are none of ours, the rest of the payload cannot be read. kCorrupt: this
  // entry only is of no use.
  Status ReadEntry(Input& in);
  Status ReadFamily(Input& in);
  Status ReadSeries(Input& in);
  Status ReadValue(Input& in);
  Status ReadHistogram(Input& in);
  Status ReadRemoval(Input& in);
  Status ReadSectionRecord(Input& in);
  void Refuse(const Error& error);

  Tables& tables_;
  const Moment now_;
  const OnRecord on_record_;
  std::int64_t changed_;  // steady time of what follows
  bool saw_end_ = false;
  std::uint64_t refused_ = 0;
  std::string first_error_;
};

}  // namespace skep::state
