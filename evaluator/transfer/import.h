// History from elsewhere into a store: OpenMetrics, Prometheus's text with time stamps (both also
// pressed with gzip), blocks of a real Prometheus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/exposition/format.h"
#include "evaluator/transfer/day_blocks.h"

namespace skep::transfer {

// What is done with a line that is none, or a chunk that is damaged.
enum class OnDamage : std::uint8_t {
  kStop,  // nothing comes in
  kSkip,  // it is told and counted, all else comes in
};

struct ImportProgress {
  std::string input;          // the file or block
  double done = 0;            // of this input, 0 to 1
  std::uint64_t samples = 0;  // read so far, of all inputs
};

struct ImportOptions {
  OnDamage on_damage = OnDamage::kStop;
  // Samples after it are counted. No more than that: who imports a forecast knows what he does.
  Timestamp now = kMaxTimestamp;
  // Of text files; empty: OpenMetrics where the text ends with # EOF, as it must, else
  // Prometheus's.
  std::optional<exposition::Format> format;
  std::size_t sorter_bytes = 192UL << 20;                  // of samples that wait to be sorted
  std::function<void(const ImportProgress&)> progress;     // may be null; often
  std::function<void(const std::string& message)> remark;  // may be null: what the user should know
  // May be null: the import ends with an error that kSkip would have passed over.
  std::function<void()> stopped_by_damage;
};

struct ImportSummary {
  ImportedBlocks imported;
  std::uint64_t inputs = 0;   // files and blocks
  std::uint64_t damaged = 0;  // what was skipped
  std::uint64_t future = 0;   // samples after ImportOptions::now, of all that were read
  std::uint64_t samples = 0;  // that were read
};

// Imports all of `inputs` (files; folders with a block or with several) into the store in the
// folder `store`, which an evaluator may be using. On an error nothing has come in. Memory: the
// sorter's and a megabyte or so for each block that is open, however long the inputs are.
Result<ImportSummary> Import(const std::string& store, const std::vector<std::string>& inputs,
                             const ImportOptions& options);

// What the parts of an import share. Thread-compatible.
class ImportRun {
 public:
  // Both must outlive it.
  ImportRun(DayBlocks& blocks, const ImportOptions& options) : blocks_(blocks), options_(options) {}

  DayBlocks& blocks() const { return blocks_; }
  const ImportOptions& options() const { return options_; }
  std::uint64_t damaged() const { return damaged_.size(); }

  // Gives `error` back where it stops the import; else tells it, once.
  Status Damaged(const Error& error);
  void Remark(const std::string& message) const;
  // Of the present input.
  void Tell(const std::string& input, double done) const;
  // By their times.
  void AddSamples(std::span<const Timestamp> times) {
    for (const Timestamp time : times) AddSample(time);
  }
  void AddSample(Timestamp time) {
    ++samples_;
    future_ += time > options_.now ? 1 : 0;
  }
  std::uint64_t future() const { return future_; }
  std::uint64_t samples() const { return samples_; }

 private:
  DayBlocks& blocks_;
  const ImportOptions& options_;
  std::uint64_t samples_ = 0;
  std::uint64_t future_ = 0;
  std::set<std::string> damaged_;
};

}  // namespace skep::transfer
