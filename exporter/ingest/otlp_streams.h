// The last value of each OTLP stream: what turns cumulative values into increases, and finds points
// that were sent before. Bounded: the streams that were silent longest are forgotten first.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exporter/ingest/otlp_stream_key.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// What is remembered of one stream.
struct Stream {
  enum class Kind : std::uint8_t {
    kGauge,                // only the time
    kCumulative,           // value: as sent last
    kDelta,                // seen: the intervals added last
    kCumulativeHistogram,  // value: the sum; counts
    kUpDown                // value: what it contributes to the series `target`; seen
  };

  Kind kind = Kind::kGauge;
  UnixNanos time = 0;        // of its newest point
  std::int64_t arrival = 0;  // of any of its points, also repeats: ms since 1970, our clock
  double value = 0;
  // Of delta points: hashes of (start, time), newest first; 0: none. Several processes may share
  // one identity (Claude Code without session ids), so older times alone say nothing.
  std::array<std::uint64_t, 4> seen{};
  std::uint64_t bounds_hash = 0;      // the bounds that `counts` are of
  std::vector<std::uint64_t> counts;  // cumulated over buckets, as given out so far
  std::string target;
};

// A forgotten cumulative stream that comes back would be counted twice if it were taken for a new
// one. So the newest time of what was forgotten is kept in one of 16,384 places by the stream's
// hash, and an unknown stream that began before the time in its place only sets the base line: its
// first point counts nothing, those after it count. A stream that began later is surely new and its
// first point counts in full.
//
// Used inside Store::Update only (the store's lock guards it), in units: Begin, Touch ..., Record,
// then Commit from OnCommitted. A unit that was not committed is undone by the next Begin.
class StreamTable final : public state::Section {
 public:
  // What a series of an up-down sum is after one of its streams has changed; nothing: no stream
  // contributes to it any more.
  using TargetChanged = std::function<void(const std::string& target, std::optional<double> total)>;

  StreamTable();

  // ---- Section ----
  std::string_view name() const override { return "otlp_streams"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

  // ---- units ----
  void Begin(std::size_t max_streams);
  struct Touched {
    Stream& stream;  // as this unit leaves it so far, to be changed in place; until the next call
    bool is_new;     // this call is the first to know it
  };
  Touched Touch(const StreamKey& key, Stream::Kind kind);
  // Sets what a touched up-down stream contributes to `target`, and returns the series' value.
  // Nothing, and nothing has changed: the series' value would not be finite.
  std::optional<double> Contribute(Stream& stream, const std::string& target, double value);
  // Forgets what is over max_streams: those that were silent longest and that this unit did not
  // touch. Requires: the unit has touched at most max_streams.
  void Evict(const TargetChanged& changed);
  // Forgets up-down streams that were silent since `before` (ms since 1970, our clock).
  void Expire(std::int64_t before, const TargetChanged& changed);
  // What the unit changed, for Changes::Record; "" where nothing did. Valid until Begin.
  const std::string& Record();
  void Commit();

  // Whether a stream that is unknown may be one that was forgotten after it began at `start`; 0
  // counts as the beginning of time.
  bool MayHaveBeenForgotten(const StreamKey& key, UnixNanos start) const;

  std::size_t size() const { return size_; }  // committed ones and those of the open unit
  std::uint64_t evictions() const { return evictions_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kHorizons = 16'384;

  struct Slot {
    StreamKey key;
    Stream stream;
    std::uint32_t newer = kNone;  // list in order of the last change
    std::uint32_t older = kNone;
    std::uint32_t plan = kNone;  // of the open unit
    bool is_known = false;       // false: free, or made by the open unit
  };
  struct Plan {
    std::uint32_t slot = kNone;
    Stream stream;
    bool is_forgotten = false;
    bool is_evicted = false;  // forgotten for want of room
  };
  // Of one series of an up-down sum.
  struct Target {
    std::size_t streams = 0;
    double total = 0;
  };

  std::uint32_t Find(const StreamKey& key) const;
  std::uint32_t Create(const StreamKey& key);
  void Erase(std::uint32_t slot);
  std::size_t IndexOf(std::uint32_t slot) const;
  void IndexErase(std::size_t place);
  void GrowIndex();
  void Unlink(std::uint32_t slot);
  void LinkNewest(std::uint32_t slot);
  Plan& PlanOf(std::uint32_t slot);
  Target& Working(const std::string& target);
  void ForgetSlot(std::uint32_t slot, const TargetChanged& changed);
  void Rollback();
  void CommitOne(Plan& plan);
  void RaiseHorizon(const StreamKey& key, const Stream& stream);
  // Of a delta stream, not all_seen: with the intervals that the table has behind it.
  void RestoreStream(const StreamKey& key, Stream stream, bool all_seen);
  void RestoreForgotten(const StreamKey& key);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> index_;  // open addressing; a power of two, at most half full
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
  std::size_t size_ = 0;
  std::vector<UnixNanos> horizons_;
  std::unordered_map<std::string, Target> targets_;
  std::uint64_t evictions_ = 0;

  // The open unit.
  std::size_t max_streams_ = 0;
  std::vector<Plan> plans_;
  std::size_t forgotten_ = 0;
  std::unordered_map<std::string, Target> working_;
  std::string record_;
};

}  // namespace skep::ingest
