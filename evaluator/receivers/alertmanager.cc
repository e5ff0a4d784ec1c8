#include "evaluator/receivers/alertmanager.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <thread>

#include "common/base/thread.h"
#include "common/json/writer.h"

namespace skep::receivers {
namespace {

using std::chrono::milliseconds;

// As go-openapi's DateTime: always three digits of fraction.
std::string MillisTimestamp(Timestamp t) {
  std::string text = FormatTimestamp(t);
  text.pop_back();  // Z
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text + ".000Z";
  text.append(4 - (text.size() - point), '0');
  return text + "Z";
}

void WriteLabels(json::JsonWriter& json, std::string_view key, const Labels& labels) {
  json.Key(key).BeginObject();
  for (const LabelView label : labels) json.Field(label.name, label.value);
  json.EndObject();
}

}  // namespace

std::string PostableAlerts(const std::vector<Alert>& alerts) {
  std::string out;
  json::JsonWriter json(out);
  json.BeginArray();
  for (const Alert& alert : alerts) {
    json.BeginObject();
    if (!alert.annotations.empty()) WriteLabels(json, "annotations", alert.annotations);
    json.Field("endsAt", MillisTimestamp(alert.ends_at));
    json.Field("startsAt", MillisTimestamp(alert.starts_at));
    if (!alert.generator_url.empty()) json.Field("generatorURL", alert.generator_url);
    WriteLabels(json, "labels", alert.labels);
    json.EndObject();
  }
  json.EndArray();
  return out;
}

// One Alertmanager: a queue, and the thread that empties it.
class AlertmanagerSender::Endpoint {
 public:
  Endpoint(std::string url, const AlertmanagerGroup& group, std::unique_ptr<net::HttpClient> client,
           const AlertmanagerSender& owner)
      : timeout_(group.timeout), client_(std::move(client)), owner_(owner) {
    counts_.url = std::move(url);
    thread_ = StartThread(
        "alertmanager", [this] { Work(); },
        [this](const std::string& what) {
          owner_.log_.Error("Alertmanager thread ended", {{"err", what}});
        });
  }
  ~Endpoint() { Stop(Clock::Steady{}); }

  const std::string& url() const { return counts_.url; }  // fixed

  void Add(const std::vector<Alert>& alerts) {
    {
      const std::lock_guard lock(mutex_);
      if (draining_) return;
      queue_.insert(queue_.end(), alerts.begin(), alerts.end());
      if (queue_.size() > owner_.options_.queue_capacity) DropOldest();
    }
    changed_.notify_all();
  }

  void BeginStop() {
    {
      const std::lock_guard lock(mutex_);
      draining_ = true;
    }
    changed_.notify_all();
  }

  // Lets the queue run empty until `end`.
  void Stop(Clock::Steady end) {
    BeginStop();
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, end, [&] { return queue_.empty() && !posting_; });
      stopped_ = true;
    }
    changed_.notify_all();
    client_->Cancel();
    if (thread_.joinable()) thread_.join();
  }

  AlertmanagerCounts counts() const {
    const std::lock_guard lock(mutex_);
    AlertmanagerCounts counts = counts_;
    counts.queue_length = queue_.size();
    return counts;
  }

 private:
  void DropOldest() {
    const std::size_t over = queue_.size() - owner_.options_.queue_capacity;
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(over));
    counts_.dropped += over;
    owner_.log_.Warn("Alertmanager queue full, oldest alerts dropped",
                     {{"alertmanager", counts_.url}, {"dropped", over}});
  }

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stopped_ || !queue_.empty(); });
      if (stopped_) return;
      const auto count =
          static_cast<std::ptrdiff_t>(std::min(queue_.size(), owner_.options_.batch));
      const std::vector<Alert> batch(std::make_move_iterator(queue_.begin()),
                                     std::make_move_iterator(queue_.begin() + count));
      queue_.erase(queue_.begin(), queue_.begin() + count);
      posting_ = true;
      lock.unlock();
      Post(batch);
      lock.lock();
      posting_ = false;
      changed_.notify_all();
    }
  }

  void Post(const std::vector<Alert>& batch) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = url();
    request.headers = {{"Content-Type", "application/json"}};
    request.body = PostableAlerts(batch);
    request.timeout = timeout_;
    request.max_body_bytes = 1UL << 20;
    const Clock::Steady begin = owner_.clock_.SteadyNow();
    const Result<net::ClientResponse> response = client_->Send(request);
    const std::chrono::duration<double> spent = owner_.clock_.SteadyNow() - begin;
    std::string problem;
    if (!response) {
      problem = response.error().message();
    } else if (response->status / 100 != 2) {
      problem = "bad response status " + std::to_string(response->status);
    }
    Count(batch.size(), spent.count(), !problem.empty());
    if (problem.empty()) return;
    owner_.log_.Error("error sending alerts",
                      {{"alertmanager", url()}, {"count", batch.size()}, {"err", problem}});
  }

  void Count(std::size_t alerts, double seconds, bool failed) {
    const std::lock_guard lock(mutex_);
    ++counts_.posts;
    counts_.post_seconds += seconds;
    counts_.sent += alerts;
    if (!failed) return;
    counts_.errors += alerts;
    counts_.dropped += alerts;
  }

  const Duration timeout_;
  const std::unique_ptr<net::HttpClient> client_;
  const AlertmanagerSender& owner_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Alert> queue_;    // guarded by mutex_
  AlertmanagerCounts counts_;  // guarded by mutex_, but for url
  bool posting_ = false;       // guarded by mutex_
  bool draining_ = false;      // guarded by mutex_
  bool stopped_ = false;       // guarded by mutex_
  std::jthread thread_;
};

struct AlertmanagerSender::Group {
  AlertmanagerGroup options;
  std::vector<std::unique_ptr<Endpoint>> endpoints;

  std::unique_ptr<Endpoint> Take(const std::string& url) {
    const auto found = std::find_if(endpoints.begin(), endpoints.end(),
                                    [&](const auto& each) { return each && each->url() == url; });
    return found == endpoints.end() ? nullptr : std::move(*found);
  }
};

AlertmanagerSender::AlertmanagerSender(const Clock& clock, Logger log, Options options)
    : clock_(clock), log_(std::move(log)), options_(std::move(options)) {}

AlertmanagerSender::~AlertmanagerSender() { Stop(milliseconds(0)); }

void AlertmanagerSender::Configure(std::vector<AlertmanagerGroup> groups) {
  std::vector<std::unique_ptr<Group>> next;
  for (AlertmanagerGroup& options : groups) {
    if (options.http.user_agent.empty()) options.http.user_agent = options_.user_agent;
    next.push_back(std::make_unique<Group>(Group{std::move(options), {}}));
  }
  const std::lock_guard lock(mutex_);
  groups_.swap(next);  // the old ones end after the lock: `next` is older than it
}

void AlertmanagerSender::SetTargets(std::size_t group, const std::vector<std::string>& urls) {
  std::vector<std::unique_ptr<Endpoint>> gone;  // ends after the lock
  const std::lock_guard lock(mutex_);
  if (stopped_ || group >= groups_.size()) return;
  Group& present = *groups_[group];
  std::vector<std::unique_ptr<Endpoint>> next;
  for (const std::string& url : urls) {
    const bool again =
        std::any_of(next.begin(), next.end(), [&](const auto& each) { return each->url() == url; });
    if (again) continue;
    std::unique_ptr<Endpoint> endpoint = present.Take(url);
    if (!endpoint) {
      auto client = net::HttpClient::Create(present.options.http);
      if (!client) {
        log_.Error("cannot reach Alertmanager", {{"alertmanager", url}, {"err", client.error()}});
        continue;
      }
      endpoint = std::make_unique<Endpoint>(url, present.options, std::move(*client), *this);
    }
    next.push_back(std::move(endpoint));
  }
  gone = std::exchange(present.endpoints, std::move(next));
}

void AlertmanagerSender::Send(const std::vector<Alert>& alerts) {
  const std::lock_guard lock(mutex_);
  for (const auto& group : groups_) {
    if (!group->options.relabel) {
      for (const auto& endpoint : group->endpoints) endpoint->Add(alerts);
      continue;
    }
    std::vector<Alert> relabelled;
    for (Alert alert : alerts) {
      if (group->options.relabel(alert.labels)) relabelled.push_back(std::move(alert));
    }
    for (const auto& endpoint : group->endpoints) endpoint->Add(relabelled);
  }
}

void AlertmanagerSender::Stop(milliseconds grace) {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  const Clock::Steady end = clock_.SteadyNow() + grace;
  for (const auto& group : groups_) {
    for (const auto& endpoint : group->endpoints) endpoint->BeginStop();
  }
  for (const auto& group : groups_) {
    for (const auto& endpoint : group->endpoints) endpoint->Stop(end);
  }
}

std::vector<AlertmanagerCounts> AlertmanagerSender::counts() const {
  const std::lock_guard lock(mutex_);
  std::vector<AlertmanagerCounts> all;
  for (const auto& group : groups_) {
    for (const auto& endpoint : group->endpoints) all.push_back(endpoint->counts());
  }
  return all;
}

}  // namespace skep::receivers
