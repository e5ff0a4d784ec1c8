#include "exporter/ingest/event_deployments.h"

#include <algorithm>
#include <array>
#include <vector>

#include "common/json/value.h"
#include "common/json/writer.h"

namespace skep::ingest {
namespace {

using Environment = std::pair<std::string, std::string>;  // service, color

constexpr std::string_view kSuccess = "success";
constexpr std::string_view kCancelled = "cancelled";

std::string ToJson(const Deployment& deployment) {
  std::string out;
  json::JsonWriter json(out);
  json.BeginObject().Field("service", deployment.service).Field("version", deployment.version);
  json.Field("strategy", deployment.strategy).Field("outcome", deployment.outcome);
  json.Field("time", FormatTimestamp(deployment.time));
  if (!deployment.commit.empty()) json.Field("commit", deployment.commit);
  if (!deployment.url.empty()) json.Field("url", deployment.url);
  if (!deployment.rollback_version.empty()) {
    json.Field("rollback_version", deployment.rollback_version);
  }
  json.EndObject();
  return out;
}

std::string ToJson(const Environment& environment, std::optional<Timestamp> created) {
  std::string out;
  json::JsonWriter json(out);
  json.BeginObject().Field("service", environment.first).Field("color", environment.second);
  if (created) json.Field("created", FormatTimestamp(*created));
  json.EndObject();
  return out;
}

template <typename Map>
auto Oldest(Map& map) {
  const auto time = [](const auto& entry) {
    if constexpr (requires { entry.second.time; }) {
      return entry.second.time;
    } else {
      return entry.second;
    }
  };
  return std::min_element(map.begin(), map.end(),
                          [&time](const auto& a, const auto& b) { return time(a) < time(b); });
}

}  // namespace

struct Deployments::Data {
  std::map<std::string, Deployment, std::less<>> present;  // the last with success, by service
  std::map<Environment, Timestamp> environments;
  std::deque<Deployment> history;  // newest last

  void Remember(const Deployment& deployment) {
    history.push_back(deployment);
    if (history.size() > kMaxHistory) history.pop_front();
  }

  // Whether it is now what is present.
  bool Put(const Deployment& deployment) {
    Remember(deployment);
    if (deployment.outcome != kSuccess) return false;
    const auto found = present.find(deployment.service);
    if (found != present.end() && found->second.time > deployment.time) return false;
    present.insert_or_assign(deployment.service, deployment);
    return true;
  }

  // The service that has to give way, if any; it is gone then.
  std::optional<Deployment> MakeRoom() {
    if (present.size() <= kMaxServices) return std::nullopt;
    const auto oldest = Oldest(present);
    Deployment gone = std::move(oldest->second);
    present.erase(oldest);
    return gone;
  }

  void PutEnvironment(const Environment& environment, std::optional<Timestamp> created) {
    if (!created) {
      environments.erase(environment);
      return;
    }
    environments.insert_or_assign(environment, *created);
    if (environments.size() > kMaxEnvironments) environments.erase(Oldest(environments));
  }
};

struct Deployments::Unit::Copy {
  Data data;
};

Deployments::Deployments() : data_(std::make_unique<Data>()) {}
Deployments::~Deployments() = default;

Deployments::Unit::Unit(Deployments& deployments, const DeploymentFamilies& families,
                        state::Changes& changes)
    : deployments_(deployments), families_(families), changes_(changes) {}

// Deployments are rare and few: a unit works on a copy of all there is.
Deployments::Unit::Copy& Deployments::Unit::copy() {
  if (copy_) return *copy_;
  {
    const std::lock_guard lock(deployments_.mutex_);
    copy_ = std::make_shared<Copy>(Copy{*deployments_.data_});
  }
  changes_.OnCommitted([&deployments = deployments_, copy = copy_] {
    const std::lock_guard lock(deployments.mutex_);
    *deployments.data_ = std::move(copy->data);
  });
  return *copy_;
}

void Deployments::Unit::Put(Deployment deployment) {
  Data& data = copy().data;
  const auto before = data.present.find(deployment.service);
  const std::optional<Deployment> shown =
      before == data.present.end() ? std::nullopt : std::optional(before->second);
  if (deployment.rollback_version.empty() && shown && shown->version != deployment.version) {
    deployment.rollback_version = shown->version;
  }
  const bool is_present = data.Put(deployment);
  changes_.Record(deployments_.name(), ToJson(deployment));
  if (is_present) {
    if (shown) Hide(*shown);
    Show(deployment);
    if (const std::optional<Deployment> gone = data.MakeRoom()) Hide(*gone);
  }
  if (deployment.outcome == kCancelled || (!is_present && deployment.outcome == kSuccess)) return;
  const std::array<state::LabelView, 1> labels{{{"service", deployment.service}}};
  changes_.Set(families_.timestamp, labels, ToSeconds(deployment.time));
}

void Deployments::Unit::RolledBack(std::string_view service, std::string_view version,
                                   std::string_view strategy, Timestamp time) {
  Deployment deployment;
  deployment.service = service;
  deployment.version = version;
  deployment.strategy = strategy;
  deployment.outcome = kSuccess;
  deployment.time = time;
  Put(std::move(deployment));
}

void Deployments::Unit::Show(const Deployment& deployment) {
  const std::array<state::LabelView, 4> labels{{{"commit", deployment.commit},
                                                {"service", deployment.service},
                                                {"strategy", deployment.strategy},
                                                {"version", deployment.version}}};
  const std::size_t skip = deployment.commit.empty() ? 1 : 0;
  changes_.Set(families_.info, std::span(labels).subspan(skip), 1);
  if (deployment.rollback_version.empty()) return;
  const std::array<state::LabelView, 2> rollback{
      {{"service", deployment.service}, {"version", deployment.rollback_version}}};
  changes_.Set(families_.rollback_info, rollback, 1);
}

void Deployments::Unit::Hide(const Deployment& deployment) {
  const std::array<state::LabelView, 4> labels{{{"commit", deployment.commit},
                                                {"service", deployment.service},
                                                {"strategy", deployment.strategy},
                                                {"version", deployment.version}}};
  const std::size_t skip = deployment.commit.empty() ? 1 : 0;
  changes_.Remove(families_.info, std::span(labels).subspan(skip));
  if (deployment.rollback_version.empty()) return;
  const std::array<state::LabelView, 2> rollback{
      {{"service", deployment.service}, {"version", deployment.rollback_version}}};
  changes_.Remove(families_.rollback_info, rollback);
}

void Deployments::Unit::PutEnvironment(std::string_view service, std::string_view color,
                                       std::optional<Timestamp> created) {
  const Environment environment(service, color);
  copy().data.PutEnvironment(environment, created);
  changes_.Record(deployments_.name(), ToJson(environment, created));
  if (created) return;
  const std::array<state::LabelView, 2> labels{{{"color", color}, {"service", service}}};
  changes_.Remove(families_.ready, labels);
}

void Deployments::WriteAges(exposition::PageWriter& page, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  if (data_->environments.empty()) return;
  page.Family("deployment_environment_age_seconds", "Time since the environment was made.",
              exposition::MetricType::kGauge, "seconds");
  for (const auto& [environment, created] : data_->environments) {
    page.Sample({{"service", environment.first}, {"color", environment.second}},
                ToSeconds(std::max(now, created) - created));
  }
}

std::string Deployments::HistoryJson() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  json::JsonWriter json(out);
  json.BeginObject().Key("deployments").BeginArray();
  for (auto it = data_->history.rbegin(); it != data_->history.rend(); ++it) json.Raw(ToJson(*it));
  json.EndArray().EndObject();
  return out;
}

std::optional<Timestamp> Deployments::last() const {
  const std::lock_guard lock(mutex_);
  std::optional<Timestamp> last;
  for (const Deployment& deployment : data_->history) {
    if (deployment.outcome == kCancelled) continue;
    if (!last || deployment.time > *last) last = deployment.time;
  }
  return last;
}

Status Deployments::Restore(std::string_view record) {
  const Result<json::Value> value = json::Value::Parse(record);
  if (!value) return value.error();
  const std::string& service = (*value)["service"].text();
  if (service.empty()) return Corrupt("a deployment without service");
  const auto time_of = [&value](std::string_view key) {
    return ParseTimestamp((*value)[key].text());
  };
  const std::lock_guard lock(mutex_);
  if (value->Find("color") != nullptr) {
    const Environment environment(service, (*value)["color"].text());
    if (value->Find("created") == nullptr) {
      data_->PutEnvironment(environment, std::nullopt);
      return {};
    }
    const Result<Timestamp> created = time_of("created");
    if (!created) return created.error();
    data_->PutEnvironment(environment, *created);
    return {};
  }
  const Result<Timestamp> time = time_of("time");
  if (!time) return time.error();
  data_->Put({service, (*value)["version"].text(), (*value)["strategy"].text(),
              (*value)["outcome"].text(), (*value)["commit"].text(), (*value)["url"].text(),
              (*value)["rollback_version"].text(), *time});
  (void)data_->MakeRoom();  // its series were taken off the page when the record was written
  return {};
}

// What is present comes first, oldest first, so that Restore finds room for all of it; then the
// history, which holds some of it again: a deployment that is as old as the present one replaces it
// by itself.
void Deployments::Save(const std::function<void(std::string_view record)>& write) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [environment, created] : data_->environments) {
    write(ToJson(environment, created));
  }
  std::vector<const Deployment*> old;
  for (const auto& [service, deployment] : data_->present) {
    const auto is_same = [&deployment = deployment](const Deployment& other) {
      return other.service == deployment.service && other.time == deployment.time;
    };
    if (std::none_of(data_->history.begin(), data_->history.end(), is_same)) {
      old.push_back(&deployment);
    }
  }
  std::sort(old.begin(), old.end(),
            [](const Deployment* a, const Deployment* b) { return a->time < b->time; });
  for (const Deployment* deployment : old) write(ToJson(*deployment));
  for (const Deployment& deployment : data_->history) write(ToJson(deployment));
}

}  // namespace skep::ingest
