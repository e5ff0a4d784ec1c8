#include "exporter/logs/logs.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "common/base/thread.h"
#include "exporter/logs/families.h"
#include "exporter/logs/follower.h"
#include "exporter/logs/line_counter.h"
#include "exporter/logs/sections.h"
#include "exporter/logs/watcher.h"

namespace skep::logs {
namespace {

// Of one source before the next has its turn.
constexpr std::size_t kTurnBytes = 16UL << 20;
// What happens within it is read together: a busy log wakes us at most so often.
constexpr std::chrono::milliseconds kGather{50};
constexpr std::chrono::minutes kLogEvery{1};
// After which a source that is configured no more is forgotten.
constexpr std::chrono::hours kForgetAfter{24 * 30};

// What the page shows of a source.
struct Shown {
  FollowerStatus files;
  std::size_t patterns = 0;
  std::optional<std::size_t> since_deployment;
};

struct Source {
  std::string name;
  bool mines_templates = false;
  std::unique_ptr<LineCounter> counter;
  std::unique_ptr<Follower> follower;
  Timestamp deployment = kMinTimestamp;  // the last that was applied
  bool is_broken = false;                // its last turn has thrown

  // Guarded by Impl::mutex_.
  enum class State : std::uint8_t { kIdle, kQueued, kRunning } state = State::kIdle;
  bool again = false;  // something happened while it ran
  bool rescan = true;
  Clock::Steady poll_at{};
  Clock::Steady scan_at{};
  std::set<std::string> folders;
  Shown shown;
  std::optional<Clock::Steady> failure_logged;
};

}  // namespace

class Logs::Impl {
 public:
  Impl(Options options, Sections& sections, state::Store& store, const Clock& clock,
       const Logger& log);
  ~Impl();

  void Start();
  void Stop();
  void Apply(Options options);
  void OnDeployment(Timestamp at);
  Status Collect(exposition::PageWriter& page);

 private:
  using SourcePtr = std::shared_ptr<Source>;

  void MakeSources();
  void ForgetOldSources();
  SourcePtr MakeSource(const SourceOptions& options);
  void Watch();  // the thread that is told of changes
  void Work();   // a thread that reads
  Follower::Turn RunTurn(Source& source, std::string& buffer);
  void WakeFor(const Watcher::Event& event);
  std::chrono::milliseconds QueueDue();
  void Queue(const SourcePtr& source);
  SourcePtr TakeNext();
  void Finish(Source& source, const Follower::Turn& turn);
  void OnThrow(Source& source, std::string_view what);
  void GiveBack(const SourcePtr& source);
  void WatchFolders();
  template <typename Value>
  void WriteFamily(exposition::PageWriter& page, std::string_view name, std::string_view help,
                   Value&& value);

  Options options_;  // changed by Apply: under mutex_, and while no source is read
  BookmarkSection& bookmarks_;
  TemplateSection& templates_;
  state::Store& store_;
  const Clock& clock_;
  Logger log_;
  Families families_;
  Watcher watcher_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SourcePtr> sources_;        // guarded by mutex_
  std::deque<SourcePtr> queue_;           // guarded by mutex_
  std::size_t running_ = 0;               // guarded by mutex_
  bool paused_ = false;                   // guarded by mutex_; Apply is at work
  bool stopped_ = false;                  // guarded by mutex_
  Timestamp deployment_ = kMinTimestamp;  // guarded by mutex_
  std::vector<std::jthread> threads_;
};

Logs::Impl::Impl(Options options, Sections& sections, state::Store& store, const Clock& clock,
                 const Logger& log)
    : options_(std::move(options)),
      bookmarks_(*sections.bookmarks_),
      templates_(*sections.templates_),
      store_(store),
      clock_(clock),
      log_(log.For("logs")) {
  MakeSources();
}

Logs::Impl::~Impl() {
  Stop();
  sources_.clear();
  ReleaseFamilies(families_, store_);
}

void Logs::Impl::MakeSources() {
  families_ = DefineFamilies(options_, store_, log_);
  ForgetOldSources();
  std::vector<SourcePtr> sources;
  for (const SourceOptions& options : options_.sources) {
    if (SourcePtr source = MakeSource(options)) sources.push_back(std::move(source));
  }
  const std::lock_guard lock(mutex_);
  sources_ = std::move(sources);
}

void Logs::Impl::ForgetOldSources() {
  std::set<std::string> configured;
  for (const SourceOptions& source : options_.sources) configured.insert(source.name);
  const Timestamp since = clock_.Now() - kForgetAfter;
  // Not written: it is tried again at the next start or reload.
  (void)store_.Update([&](state::Changes& changes) -> Status {
    for (const std::string& source : bookmarks_.Stale(configured, since)) {
      bookmarks_.Forget(changes, source);
      templates_.Forget(changes, source);
    }
    return {};
  });
}

// Null: a pattern is bad, which ReadOptions would have refused.
Logs::Impl::SourcePtr Logs::Impl::MakeSource(const SourceOptions& options) {
  auto source = std::make_shared<Source>();
  source->name = options.name;
  source->mines_templates = options.templates.enabled;
  Result<std::unique_ptr<LineCounter>> counter =
      LineCounter::Create(options, options_, families_, templates_);
  if (!counter) {
    log_.Error("source of logs is left out", {{"source", options.name}, {"err", counter.error()}});
    return nullptr;
  }
  source->counter = std::move(*counter);
  source->follower =
      std::make_unique<Follower>(options, *source->counter, bookmarks_, store_, log_);
  (void)store_.Update([&](state::Changes&) -> Status {  // reads only
    source->follower->Restore();
    source->counter->Restore();
    const std::lock_guard lock(mutex_);
    deployment_ = std::max(deployment_, templates_.deployment());
    return {};
  });
  return source;
}

void Logs::Impl::Start() {
  if (!threads_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = false;
    for (const SourcePtr& source : sources_) Queue(source);
  }
  const auto fatal = [log = log_](const std::string& what) {
    log.Error("thread of logs ended", {{"err", what}});
  };
  threads_.push_back(StartThread(
      "logs-watch", [this] { Watch(); }, fatal));
  for (int i = 0; i < options_.threads; ++i) {
    threads_.push_back(StartThread(
        "logs-read", [this] { Work(); }, fatal));
  }
}

void Logs::Impl::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  watcher_.Interrupt();
  threads_.clear();
}

void Logs::Impl::Apply(Options options) {
  const bool was_started = !threads_.empty();
  {
    std::unique_lock lock(mutex_);
    paused_ = true;
    changed_.wait(lock, [&] { return running_ == 0; });
    queue_.clear();
    sources_.clear();
  }
  const bool same_threads = options.threads == options_.threads;
  {
    const std::lock_guard lock(mutex_);  // the watching thread goes on
    options_ = std::move(options);
  }
  ReleaseFamilies(families_, store_);  // buckets may be others now
  MakeSources();
  {
    const std::lock_guard lock(mutex_);
    paused_ = false;
    for (const SourcePtr& source : sources_) Queue(source);
  }
  if (was_started && !same_threads) {
    Stop();
    Start();
  }
}

void Logs::Impl::OnDeployment(Timestamp at) {
  const Status status = store_.Update([&](state::Changes& changes) -> Status {
    if (at > templates_.deployment()) templates_.PutDeployment(changes, at);
    return {};
  });
  if (!status) log_.Warn("deployment is not in the state", {{"err", status.error()}});
  const std::lock_guard lock(mutex_);
  deployment_ = std::max(deployment_, at);
  for (const SourcePtr& source : sources_) Queue(source);
}

// Requires: mutex_ is held.
void Logs::Impl::Queue(const SourcePtr& source) {
  if (source->state == Source::State::kRunning) {
    source->again = true;
  } else if (source->state == Source::State::kIdle) {
    source->state = Source::State::kQueued;
    queue_.push_back(source);
    changed_.notify_one();
  }
}

void Logs::Impl::WakeFor(const Watcher::Event& event) {
  const std::lock_guard lock(mutex_);
  for (const SourcePtr& source : sources_) {
    if (!source->folders.contains(event.folder)) continue;
    source->rescan = source->rescan || event.has_new_names;
    Queue(source);
  }
}

// Queues what nobody told us about for long enough; returns how long until the next one.
std::chrono::milliseconds Logs::Impl::QueueDue() {
  const std::lock_guard lock(mutex_);
  const Clock::Steady now = clock_.SteadyNow();
  Clock::Steady next = now + options_.poll_interval;
  for (const SourcePtr& source : sources_) {
    if (source->state != Source::State::kIdle) continue;
    if (source->poll_at <= now) {
      Queue(source);
    } else {
      next = std::min(next, source->poll_at);
    }
  }
  return std::chrono::ceil<std::chrono::milliseconds>(next - now);
}

void Logs::Impl::Watch() {
  const auto is_stopped = [&] {
    const std::lock_guard lock(mutex_);
    return stopped_;
  };
  while (!is_stopped()) {
    const std::vector<Watcher::Event> events = watcher_.Wait(QueueDue());
    for (const Watcher::Event& event : events) WakeFor(event);
    if (events.empty()) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kGather, [&] { return stopped_; });
  }
}

Logs::Impl::SourcePtr Logs::Impl::TakeNext() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || (!paused_ && !queue_.empty()); });
  if (stopped_) return nullptr;
  SourcePtr source = std::move(queue_.front());
  queue_.pop_front();
  source->state = Source::State::kRunning;
  ++running_;
  return source;
}

void Logs::Impl::Work() {
  // Apply waits for each source that is out: it comes back whatever happens.
  struct Lease {
    Impl& logs;
    const SourcePtr& source;
    ~Lease() { logs.GiveBack(source); }
  };
  std::string buffer;
  while (const SourcePtr source = TakeNext()) {
    const Lease lease{*this, source};
    try {
      Finish(*source, RunTurn(*source, buffer));
    } catch (const std::exception& e) {
      OnThrow(*source, e.what());
    } catch (...) {
      OnThrow(*source, "unknown exception");
    }
  }
}

Follower::Turn Logs::Impl::RunTurn(Source& source, std::string& buffer) {
  Follower::Turn turn;
  if (source.is_broken) {
    turn.status = source.follower->Recover();
    if (!turn.status) return turn;
    source.is_broken = false;
  }
  bool rescan = false;
  Timestamp deployment;
  const Follower::Now now{clock_.Now(), clock_.SteadyNow()};
  {
    const std::lock_guard lock(mutex_);
    rescan = std::exchange(source.rescan, false) || now.steady >= source.scan_at;
    if (rescan) source.scan_at = now.steady + options_.scan_interval;
    deployment = deployment_;
  }
  source.counter->SetTime(now.wall);
  const bool is_deployed = deployment > source.deployment;
  if (is_deployed) source.counter->ApplyDeployment(deployment);
  turn = source.follower->Run(now, rescan ? Follower::Rescan::kYes : Follower::Rescan::kNo,
                              kTurnBytes, buffer);
  // What a turn that is not in the state has learned is gone.
  if (is_deployed && turn.status) source.deployment = deployment;
  return turn;
}

void Logs::Impl::GiveBack(const SourcePtr& source) {
  const std::lock_guard lock(mutex_);
  source->state = Source::State::kIdle;
  --running_;
  if (std::exchange(source->again, false)) Queue(source);
  changed_.notify_all();
}

// The source is tried again when it is polled.
void Logs::Impl::OnThrow(Source& source, std::string_view what) {
  source.is_broken = true;
  const Clock::Steady now = clock_.SteadyNow();
  {
    const std::lock_guard lock(mutex_);
    source.shown.files.up = false;
    source.poll_at = now + options_.poll_interval;
    source.rescan = true;
    source.again = false;
    if (source.failure_logged && now - *source.failure_logged < kLogEvery) return;
    source.failure_logged = now;
  }
  log_.Error("reading logs failed by a mistake of ours", {{"source", source.name}, {"err", what}});
}

void Logs::Impl::Finish(Source& source, const Follower::Turn& turn) {
  const Clock::Steady now = clock_.SteadyNow();
  const std::uint32_t unlogged = source.counter->TakeProblems();
  const Shown shown{source.follower->status(), source.counter->miner().size(),
                    source.counter->miner().SinceDeployment()};
  bool watch = false;
  bool log_problems = false;
  {
    const std::lock_guard lock(mutex_);
    source.shown = shown;
    source.poll_at = now + options_.poll_interval;
    source.rescan = source.rescan || turn.wants_scan;
    watch = source.folders != source.follower->folders();
    if (watch) source.folders = source.follower->folders();
    // With a full disk the same lines come again; not at once.
    if (turn.status && turn.has_more) source.again = true;
    if (unlogged != 0 || !turn.status) {
      log_problems = !source.failure_logged || now - *source.failure_logged >= kLogEvery;
      if (log_problems) source.failure_logged = now;
    }
  }
  if (watch) WatchFolders();
  if (!log_problems) return;
  if (!turn.status) {
    log_.Warn("lines of log wait for the state",
              {{"source", source.name}, {"err", turn.status.error()}});
    return;
  }
  for (std::size_t i = 0; i < kReadProblems; ++i) {
    if ((unlogged >> i & 1U) == 0) continue;
    log_.Warn("lines of log could not be used",
              {{"source", source.name}, {"reason", ReadProblemName(static_cast<ReadProblem>(i))}});
  }
}

void Logs::Impl::WatchFolders() {
  std::set<std::string> folders;
  {
    const std::lock_guard lock(mutex_);
    for (const SourcePtr& source : sources_) {
      folders.insert(source->folders.begin(), source->folders.end());
    }
  }
  watcher_.Watch(folders);
}

template <typename Value>
void Logs::Impl::WriteFamily(exposition::PageWriter& page, std::string_view name,
                             std::string_view help, Value&& value) {
  const std::lock_guard lock(mutex_);
  bool has_family = false;
  for (const SourcePtr& source : sources_) {
    const std::optional<double> sample = value(*source);
    if (!sample) continue;
    if (!std::exchange(has_family, true)) {
      page.Family(name, help, exposition::MetricType::kGauge);
    }
    page.Sample({{"source", source->name}}, *sample);
  }
}

Status Logs::Impl::Collect(exposition::PageWriter& page) {
  using Sample = std::optional<double>;
  const auto number = [](auto value) { return Sample(static_cast<double>(value)); };
  WriteFamily(page, "log_file_size_bytes",
              "Size of the largest file of the source that is followed.", [&](const Source& s) {
                return s.shown.files.files > 0 ? number(s.shown.files.largest_bytes) : Sample();
              });
  WriteFamily(page, "log_files", "Files that the patterns of the source find.",
              [&](const Source& s) { return number(s.shown.files.files); });
  WriteFamily(page, "log_last_line_timestamp_seconds",
              "Time at which the file with the newest line that was read was written to.",
              [&](const Source& s) {
                return s.shown.files.last_line ? Sample(ToSeconds(*s.shown.files.last_line))
                                               : Sample();
              });
  WriteFamily(
      page, "log_patterns", "Templates of error lines that are known.",
      [&](const Source& s) { return s.mines_templates ? number(s.shown.patterns) : Sample(); });
  WriteFamily(page, "log_patterns_since_deployment",
              "Templates of error lines first seen since the last deployment.",
              [&](const Source& s) {
                return s.shown.since_deployment ? number(*s.shown.since_deployment) : Sample();
              });
  WriteFamily(page, "log_source_up",
              "Whether all patterns of the source find files and all of them can be read.",
              [&](const Source& s) { return number(s.shown.files.up ? 1 : 0); });
  WriteFamily(page, "log_unread_bytes", "Bytes of the source that are not read yet.",
              [&](const Source& s) { return number(s.shown.files.unread_bytes); });
  return {};
}

namespace {

class LogsCollector final : public exporter::Collector {
 public:
  explicit LogsCollector(std::function<Status(exposition::PageWriter&)> collect)
      : collect_(std::move(collect)) {}
  std::string_view name() const override { return "logs"; }
  Status Collect(exporter::CollectContext& context) override { return collect_(context.page); }

 private:
  std::function<Status(exposition::PageWriter&)> collect_;
};

}  // namespace

Sections::Sections()
    : bookmarks_(std::make_unique<BookmarkSection>()),
      templates_(std::make_unique<TemplateSection>()) {}
Sections::~Sections() = default;

std::vector<state::Section*> Sections::all() { return {bookmarks_.get(), templates_.get()}; }

Logs::Logs(Options options, Sections& sections, state::Store& store, const Clock& clock,
           const Logger& log)
    : impl_(std::make_unique<Impl>(std::move(options), sections, store, clock, log)) {}
Logs::~Logs() = default;

void Logs::Start() { impl_->Start(); }
void Logs::Stop() { impl_->Stop(); }
void Logs::Apply(Options options) { impl_->Apply(std::move(options)); }
void Logs::OnDeployment(Timestamp at) { impl_->OnDeployment(at); }

std::unique_ptr<exporter::Collector> Logs::MakeCollector() {
  return std::make_unique<LogsCollector>(
      [this](exposition::PageWriter& page) { return impl_->Collect(page); });
}

}  // namespace skep::logs
