// Claude Code's transcripts: tokens by model and agent type where nobody has set up OpenTelemetry.
// Of each line only ids, types, the model and the numbers of `usage` are looked at.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/yaml/node.h"
#include "exporter/registry/collector.h"
#include "exporter/state/store.h"
#include "exporter/swarm/board.h"
#include "exporter/swarm/flow.h"
#include "exporter/swarm/sessions.h"

namespace skep::stores {

//   swarm:
//     transcripts:
//       folders: [/home/dev/.claude/projects]
//       interval: 10s
//       max_files: 5000
struct TranscriptOptions {
  std::vector<std::string> folders;  // absolute; none: off
  Duration interval{std::chrono::seconds(10)};
  std::size_t max_files = 5'000;                  // followed at a time, the youngest
  Duration max_idle{std::chrono::hours(24 * 7)};  // older files are not followed
  std::size_t max_line_bytes = 16UL << 20;        // a longer line is skipped and counted
  // Beyond so many remembered places in files, those of files that are gone are forgotten.
  std::size_t max_offsets = 20'000;
};

// `transcripts` of the map `swarm`; null means off.
Result<TranscriptOptions> ReadTranscriptOptions(const yaml::Node& node);

// Where each file was read to. Made before the store, given to Store::Open, outlives both.
class TranscriptOffsets : public state::Section {
 public:
  TranscriptOffsets();
  ~TranscriptOffsets() override;

  std::string_view name() const override { return "transcript_offsets"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

 private:
  friend class Transcripts;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where transcripts go.
struct TranscriptSinks {
  swarm::Sessions& sessions;
  const swarm::Flow& flow;
  swarm::Board& board;
  state::Store& store;
};

// Files that are there when a folder is looked at for the first time ever are read from their end:
// history is not counted. Files that come later are read from their begin. Counters and offsets
// change in one unit. A request counts once, by its id within the session, whether a transcript or
// OTLP tells it first; a session whose tokens came from OTLP metrics is passed over. Thread-safe.
class Transcripts {
 public:
  // All but the options outlive it.
  Transcripts(TranscriptOptions options, TranscriptOffsets& offsets, TranscriptSinks sinks,
              const Clock& clock, Logger log);
  ~Transcripts();  // stops

  void Start();
  void Stop();
  void Apply(TranscriptOptions options);

  // One look at all files, in the caller's thread: what the thread does every interval. Not beside
  // a started thread.
  void Poll();

  // skep_exporter_transcript_files, skep_exporter_transcript_lines_total{result}. Must not outlive
  // this. Whether they can be read at all is on the board, as source claude_code_transcripts.
  std::unique_ptr<exporter::Collector> MakeCollector();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skep::stores
