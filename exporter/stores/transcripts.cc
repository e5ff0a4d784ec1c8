#include "exporter/stores/transcripts.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "common/base/thread.h"
#include "exporter/stores/line_file.h"
#include "exporter/stores/transcript_lines.h"
#include "exporter/swarm/record.h"
#include "exporter/swarm/words.h"

namespace skep::stores {
namespace {

namespace fs = std::filesystem;

const swarm::SourceKey kSource{"", "claude_code_transcripts"};

// Of one file at one look: further ones come with the next.
constexpr std::size_t kMaxBatches = 16;
constexpr std::size_t kMaxMetaBytes = 64UL << 10;

enum Tag : std::uint8_t { kOffset = 1, kGone = 2, kFolder = 3 };

struct TranscriptFile {
  std::string path;
  fs::file_time_type modified{};
  std::uintmax_t size = 0;
  std::string agent;  // id, of a subagent's
};

// What is in the folders at one look.
struct Found {
  std::vector<TranscriptFile> files;      // those to follow
  std::unordered_set<std::uint64_t> all;  // keys of these and all others
  bool is_whole = true;                   // `all` misses none
  bool is_readable = true;                // each folder could be looked into
};

std::string EncodeOffset(std::uint64_t file, const LineCursor& cursor) {
  return swarm::RecordWriter().Byte(kOffset).Number(file).Text(cursor.Format()).bytes();
}

// "agent-ID.jsonl": ID; "" for others.
std::string AgentOfName(const std::string& name) {
  constexpr std::string_view kPrefix = "agent-";
  constexpr std::string_view kSuffix = ".jsonl";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return {};
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
}

Timestamp WallTime(fs::file_time_type time) {
  return std::chrono::time_point_cast<Duration>(std::chrono::file_clock::to_sys(time));
}

// Regular *.jsonl files: PROJECT/SESSION.jsonl and PROJECT/SESSION/subagents/agent-ID.jsonl.
// Symbolic links are not followed.
class FolderScan {
 public:
  explicit FolderScan(std::size_t max_entries) : left_(max_entries) {}

  // What could not be read is in error(), and files may then be missing, as without is_whole().
  void Scan(const fs::path& folder, int depth) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) {
      if (!error_) error_ = error;
      return;
    }
    for (const fs::directory_entry& entry : entries) {
      if (left_ == 0) {
        is_whole_ = false;
        return;
      }
      --left_;
      Take(entry, depth);
    }
  }

  std::vector<TranscriptFile> files;
  const std::optional<std::error_code>& error() const { return error_; }
  bool is_whole() const { return is_whole_ && !error_; }

 private:
  void Take(const fs::directory_entry& entry, int depth) {
    std::error_code error;
    if (entry.is_symlink(error)) return;
    if (entry.is_directory(error)) {
      if (depth < 3) Scan(entry.path(), depth + 1);
      return;
    }
    if (entry.path().extension() != ".jsonl" || !entry.is_regular_file(error)) return;
    TranscriptFile file;
    file.path = entry.path().string();
    file.modified = entry.last_write_time(error);
    file.size = entry.file_size(error);
    file.agent = AgentOfName(entry.path().filename().string());
    if (!error) files.push_back(std::move(file));
  }

  std::size_t left_;
  bool is_whole_ = true;
  std::optional<std::error_code> error_;
};

// Tokens count once by the request's id, whoever tells it first; a session whose tokens metrics
// tell is none of ours.
void CountRequest(const swarm::Flow& flow, swarm::Sessions::Unit& unit, state::Changes& changes,
                  const TranscriptRequest& request, std::string_view agent_type) {
  using Topic = swarm::Sessions::Topic;
  using Way = swarm::Sessions::Way;
  unit.Claim({}, Topic::kTokens, Way::kEvents);
  if (!unit.Claim(request.session, Topic::kTokens, Way::kEvents)) return;
  if (!unit.IsFirst(request.session, Topic::kTokens, request.id)) return;
  swarm::LlmTokens tokens = request.tokens;
  tokens.model = request.model;
  tokens.agent_type = agent_type;
  flow.Record(changes, tokens);
}

std::string_view ReasonOf(const std::error_code& error) {
  if (error == std::errc::no_such_file_or_directory) return "missing";
  if (error == std::errc::permission_denied) return "permission";
  return "io";
}

}  // namespace

struct TranscriptOffsets::Impl {
  mutable std::mutex mutex;
  std::unordered_map<std::uint64_t, LineCursor> files;  // guarded by mutex
  std::set<std::uint64_t> folders;                      // guarded by mutex; looked at before
};

TranscriptOffsets::TranscriptOffsets() : impl_(std::make_unique<Impl>()) {}
TranscriptOffsets::~TranscriptOffsets() = default;

Status TranscriptOffsets::Restore(std::string_view record) {
  swarm::RecordReader in(record);
  const std::uint8_t tag = in.Byte();
  const std::uint64_t key = in.Number();
  if (!in.ok()) return Corrupt("an offset without its file");
  const std::lock_guard lock(impl_->mutex);
  if (tag == kFolder) {
    impl_->folders.insert(key);
  } else if (tag == kGone) {
    impl_->files.erase(key);
  } else if (tag == kOffset) {
    const Result<LineCursor> cursor = LineCursor::Parse(in.Text());
    if (!cursor) return cursor.error();
    impl_->files[key] = *cursor;
  } else {
    return Corrupt("a record of no known kind");
  }
  return {};
}

void TranscriptOffsets::Save(const std::function<void(std::string_view record)>& write) const {
  const std::lock_guard lock(impl_->mutex);
  for (const std::uint64_t folder : impl_->folders) {
    write(swarm::RecordWriter().Byte(kFolder).Number(folder).bytes());
  }
  for (const auto& [file, cursor] : impl_->files) write(EncodeOffset(file, cursor));
}

struct Transcripts::Impl {
  Impl(TranscriptOptions o, TranscriptOffsets::Impl& f, TranscriptSinks s, const Clock& c, Logger l)
      : options(std::move(o)), offsets(f), sinks(s), clock(c), log(std::move(l)) {}

  TranscriptOptions CurrentOptions() {
    const std::lock_guard lock(mutex);
    return options;
  }
  void Look();
  Found FindFiles(const TranscriptOptions& now);
  void LookAtFolder(const std::string& folder, const TranscriptOptions& now, Found& found);
  Status BeginFolder(const std::string& folder, const std::vector<TranscriptFile>& files);
  void ReadFile(const TranscriptFile& file, const TranscriptOptions& now);
  Status CountBatch(const TranscriptFile& file, std::uint64_t key, const LineBatch& batch);
  Status Keep(const std::vector<std::pair<std::uint64_t, LineCursor>>& cursors,
              std::optional<std::uint64_t> folder);
  void DropGone(const Found& found, std::size_t max_offsets);
  const std::string& AgentTypeOf(const TranscriptFile& file);

  std::mutex mutex;
  TranscriptOptions options;  // guarded by mutex
  double counted = 0;         // guarded by mutex; lines by what became of them
  double other = 0;
  double broken = 0;
  std::size_t followed = 0;  // guarded by mutex

  TranscriptOffsets::Impl& offsets;
  const TranscriptSinks sinks;
  const Clock& clock;
  const Logger log;
  // Of the polling thread.
  std::map<std::string, std::string> agent_types;  // by path; bounded by the files followed

  std::unique_ptr<Wakeup> wakeup;
  std::jthread thread;
};

const std::string& Transcripts::Impl::AgentTypeOf(const TranscriptFile& file) {
  const auto at = agent_types.find(file.path);
  if (at != agent_types.end()) return at->second;
  const std::string meta = file.path.substr(0, file.path.size() - 6) + ".meta.json";
  std::ifstream in(meta, std::ios::binary);
  std::string text(kMaxMetaBytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  const std::string type = TranscriptAgentType(text);
  static const std::string kUnknown = "unknown";
  if (type.empty()) return kUnknown;  // it may not be written yet
  return agent_types[file.path] = type;
}

Status Transcripts::Impl::Keep(const std::vector<std::pair<std::uint64_t, LineCursor>>& cursors,
                               std::optional<std::uint64_t> folder) {
  return sinks.store.Update([&](state::Changes& changes) -> Status {
    for (const auto& [file, cursor] : cursors) {
      changes.Record("transcript_offsets", EncodeOffset(file, cursor));
    }
    if (folder) {
      changes.Record("transcript_offsets",
                     swarm::RecordWriter().Byte(kFolder).Number(*folder).bytes());
    }
    changes.OnCommitted([this, cursors, folder] {
      const std::lock_guard lock(offsets.mutex);
      for (const auto& [file, cursor] : cursors) offsets.files[file] = cursor;
      if (folder) offsets.folders.insert(*folder);
    });
    return {};
  });
}

// What is there already is history: its ends are where reading begins.
Status Transcripts::Impl::BeginFolder(const std::string& folder,
                                      const std::vector<TranscriptFile>& files) {
  std::vector<std::pair<std::uint64_t, LineCursor>> cursors;
  for (const TranscriptFile& file : files) {
    const Reading<LineBatch> batch =
        ReadNewLines(file.path, std::nullopt, {.time_of = TranscriptLineTime});
    if (batch) cursors.emplace_back(swarm::StableHash(file.path), batch->next);
  }
  return Keep(cursors, swarm::StableHash(folder));
}

void Transcripts::Impl::LookAtFolder(const std::string& folder, const TranscriptOptions& now,
                                     Found& found) {
  FolderScan scan(now.max_files * 20);
  scan.Scan(folder, 0);
  if (scan.error() && scan.files.empty()) {
    found.is_readable = false;
    found.is_whole = false;
    sinks.board.Failed(kSource, ReasonOf(*scan.error()), scan.error()->message());
    return;
  }
  bool is_new = false;
  {
    const std::lock_guard lock(offsets.mutex);
    is_new = !offsets.folders.contains(swarm::StableHash(folder));
  }
  found.is_whole = found.is_whole && scan.is_whole();
  for (const TranscriptFile& file : scan.files) found.all.insert(swarm::StableHash(file.path));
  if (is_new && !BeginFolder(folder, scan.files)) return;  // tried again at the next look
  found.files.insert(found.files.end(), scan.files.begin(), scan.files.end());
}

Found Transcripts::Impl::FindFiles(const TranscriptOptions& now) {
  Found found;
  for (const std::string& folder : now.folders) LookAtFolder(folder, now, found);
  std::vector<TranscriptFile>& files = found.files;
  const Timestamp oldest = clock.Now() - now.max_idle;
  std::erase_if(files,
                [&](const TranscriptFile& file) { return WallTime(file.modified) < oldest; });
  std::sort(files.begin(), files.end(), [](const TranscriptFile& a, const TranscriptFile& b) {
    return a.modified > b.modified;
  });
  if (files.size() > now.max_files) files.resize(now.max_files);
  return found;
}

Status Transcripts::Impl::CountBatch(const TranscriptFile& file, std::uint64_t key,
                                     const LineBatch& batch) {
  const TranscriptRead read = ReadTranscriptLines(batch.lines);
  const std::string type = file.agent.empty() ? "main" : AgentTypeOf(file);
  RETURN_IF_ERROR(sinks.store.Update([&](state::Changes& changes) -> Status {
    swarm::Sessions::Unit unit(sinks.sessions, changes, clock.Now());
    for (const TranscriptRequest& request : read.requests) {
      CountRequest(sinks.flow, unit, changes, request, type);
    }
    unit.Finish();
    changes.Record("transcript_offsets", EncodeOffset(key, batch.next));
    changes.OnCommitted([this, key, next = batch.next] {
      const std::lock_guard lock(offsets.mutex);
      offsets.files[key] = next;
    });
    return {};
  }));
  const std::lock_guard lock(mutex);
  counted += static_cast<double>(read.counted);
  other += static_cast<double>(read.other);
  broken += static_cast<double>(read.broken);
  return {};
}

void Transcripts::Impl::ReadFile(const TranscriptFile& file, const TranscriptOptions& now) {
  const std::uint64_t key = swarm::StableHash(file.path);
  LineCursor cursor;  // a file that came after the first look is read from its begin
  {
    const std::lock_guard lock(offsets.mutex);
    const auto at = offsets.files.find(key);
    if (at != offsets.files.end()) cursor = at->second;
  }
  if (cursor.inode != 0 && cursor.offset == file.size) return;
  const LineFileOptions reading{
      .max_line_bytes = now.max_line_bytes, .rotated_suffix = "", .time_of = TranscriptLineTime};
  for (std::size_t i = 0; i < kMaxBatches; ++i) {
    const Reading<LineBatch> batch = ReadNewLines(file.path, cursor, reading);
    if (!batch) {
      sinks.board.PartFailed(kSource, ReadFailureName(batch.failure()), "a transcript");
      return;
    }
    if (batch->next == cursor) return;
    if (!CountBatch(file, key, *batch)) return;  // the same lines again at the next look
    if (batch->complete) return;
    cursor = batch->next;
  }
}

// Files that are gone, when their offsets have become many. Those that are only not followed (idle,
// or too many) keep theirs: a session that is resumed is written to the same file.
void Transcripts::Impl::DropGone(const Found& found, std::size_t max_offsets) {
  if (!found.is_whole) return;
  std::vector<std::uint64_t> gone;
  {
    const std::lock_guard lock(offsets.mutex);
    if (offsets.files.size() <= max_offsets) return;
    for (const auto& [file, cursor] : offsets.files) {
      if (!found.all.contains(file)) gone.push_back(file);
    }
  }
  if (gone.empty()) return;
  // Not written: they are dropped at the next look.
  (void)sinks.store.Update([&](state::Changes& changes) -> Status {
    for (const std::uint64_t file : gone) {
      changes.Record("transcript_offsets", swarm::RecordWriter().Byte(kGone).Number(file).bytes());
    }
    changes.OnCommitted([this, &gone] {
      const std::lock_guard lock(offsets.mutex);
      for (const std::uint64_t file : gone) offsets.files.erase(file);
    });
    return {};
  });
}

void Transcripts::Impl::Look() {
  const TranscriptOptions now = CurrentOptions();
  if (now.folders.empty()) return;
  const Found found = FindFiles(now);
  const std::vector<TranscriptFile>& files = found.files;
  for (const TranscriptFile& file : files) {
    if (wakeup != nullptr && wakeup->stopped()) return;
    ReadFile(file, now);
  }
  if (agent_types.size() > now.max_files) agent_types.clear();
  DropGone(found, now.max_offsets);
  {
    const std::lock_guard lock(mutex);
    followed = files.size();
  }
  if (!found.is_readable) return;
  swarm::Snapshot snapshot{.key = kSource};
  if (!files.empty()) snapshot.data_time = WallTime(files.front().modified);
  // A state file that cannot be written shows as a source that is too old.
  (void)sinks.board.Publish(std::move(snapshot));
}

Transcripts::Transcripts(TranscriptOptions options, TranscriptOffsets& offsets,
                         TranscriptSinks sinks, const Clock& clock, Logger log)
    : impl_(std::make_unique<Impl>(std::move(options), *offsets.impl_, sinks, clock,
                                   std::move(log))) {}

Transcripts::~Transcripts() { Stop(); }

void Transcripts::Start() {
  if (impl_->wakeup != nullptr) return;
  impl_->wakeup = std::make_unique<Wakeup>();
  impl_->thread = StartThread(
      "transcripts",
      [this] {
        do {
          impl_->Look();
        } while (
            impl_->wakeup->WaitUntil(impl_->clock.SteadyNow() + impl_->CurrentOptions().interval));
      },
      [log = impl_->log](const std::string& what) {
        log.Error("reading transcripts has ended", {{"error", what}});
      });
}

void Transcripts::Stop() {
  if (impl_->wakeup == nullptr) return;
  impl_->wakeup->Stop();
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->wakeup.reset();
}

void Transcripts::Apply(TranscriptOptions options) {
  bool is_off = false;
  {
    const std::lock_guard lock(impl_->mutex);
    is_off = options.folders.empty() && !impl_->options.folders.empty();
    impl_->options = std::move(options);
  }
  if (is_off) impl_->sinks.board.Forget(kSource);
  if (impl_->wakeup != nullptr) impl_->wakeup->Notify();
}

void Transcripts::Poll() { impl_->Look(); }

namespace {

class TranscriptCollector final : public exporter::Collector {
 public:
  struct View {
    bool is_on = false;
    double files = 0;
    double counted = 0;
    double other = 0;
    double broken = 0;
  };
  explicit TranscriptCollector(std::function<View()> view) : view_(std::move(view)) {}

  std::string_view name() const override { return "transcripts"; }

  Status Collect(exporter::CollectContext& context) override {
    const View view = view_();
    if (!view.is_on) return {};
    exposition::PageWriter& page = context.page;
    page.Family("skep_exporter_transcript_files", "Transcripts of Claude Code that are followed.",
                exposition::MetricType::kGauge);
    page.Sample(view.files);
    page.Family("skep_exporter_transcript_lines_total",
                "Lines of transcripts that tell of a request, of something else, or of nothing.",
                exposition::MetricType::kCounter);
    page.Sample({{"result", "broken"}}, view.broken);
    page.Sample({{"result", "counted"}}, view.counted);
    page.Sample({{"result", "other"}}, view.other);
    return {};
  }

 private:
  std::function<View()> view_;
};

}  // namespace

std::unique_ptr<exporter::Collector> Transcripts::MakeCollector() {
  return std::make_unique<TranscriptCollector>([impl = impl_.get()] {
    const std::lock_guard lock(impl->mutex);
    return TranscriptCollector::View{!impl->options.folders.empty(),
                                     static_cast<double>(impl->followed), impl->counted,
                                     impl->other, impl->broken};
  });
}

Result<TranscriptOptions> ReadTranscriptOptions(const yaml::Node& node) {
  TranscriptOptions options;
  yaml::MapReader map(node);
  map.Read("folders", options.folders);
  map.Read("interval", options.interval);
  map.Read("max_idle", options.max_idle);
  auto max_files = static_cast<std::int64_t>(options.max_files);
  map.Read("max_files", max_files);
  const yaml::Node folders = map.Take("folders");
  for (const yaml::Node& folder : folders.items()) {
    if (folder.IsScalar() && !folder.text().starts_with('/')) {
      map.Fail(folder.Complain("expected an absolute path, got \"" + folder.text() + "\""));
    }
  }
  if (options.interval < std::chrono::seconds(1)) {
    map.Fail(node.Get("interval").Complain("interval must be at least 1s"));
  }
  if (max_files < 1 || max_files > 1'000'000) {
    map.Fail(node.Get("max_files").Complain("max_files must be between 1 and 1000000"));
  }
  options.max_files = static_cast<std::size_t>(max_files);
  RETURN_IF_ERROR(map.Finish("transcripts"));
  return options;
}

}  // namespace skep::stores
