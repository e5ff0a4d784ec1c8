#include "evaluator/scrape/target.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "common/base/quote.h"
#include "common/net/http_message.h"

namespace skep::scrape {
namespace {

constexpr std::string_view kParamPrefix = "__param_";

void SetDefault(LabelsBuilder& builder, std::string_view name, std::string_view value) {
  if (builder.Get(name).empty()) builder.Set(name, value);
}

LabelsBuilder Discovered(const JobOptions& job, const TargetGroup& group,
                         std::string_view address) {
  LabelsBuilder builder(group.labels);
  builder.Set("__address__", address);
  SetDefault(builder, "job", job.name);
  SetDefault(builder, "__scrape_interval__", FormatDuration(job.interval));
  SetDefault(builder, "__scrape_timeout__", FormatDuration(job.timeout));
  SetDefault(builder, "__metrics_path__", job.metrics_path);
  SetDefault(builder, "__scheme__", job.scheme);
  for (const auto& [name, values] : job.params) {
    if (!values.empty()) SetDefault(builder, std::string(kParamPrefix) + name, values.front());
  }
  return builder;
}

// Bytes that may not stand in a URL's path are escaped; what is escaped already stays.
std::string EscapePath(std::string_view path) {
  constexpr std::string_view kAllowed = "-._~/$&+,:;=@%!*'()";
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kAllowed.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : net::PercentEncode(std::string_view(&c, 1));
  }
  return out;
}

// The job's parameters; of each the first value is what the label __param_NAME says.
std::string Query(const JobOptions& job, const LabelsBuilder& labels) {
  std::map<std::string, std::vector<std::string>> params;
  for (const auto& [name, values] : job.params) params[name] = values;
  for (const auto& [name, value] : labels.pairs()) {
    if (!name.starts_with(kParamPrefix)) continue;
    std::vector<std::string>& values = params[name.substr(kParamPrefix.size())];
    if (values.empty()) values.emplace_back();
    values.front() = value;
  }
  std::string query;
  for (const auto& [name, values] : params) {
    for (const std::string& value : values) {
      query += query.empty() ? "?" : "&";
      query += net::PercentEncode(name) + "=" + net::PercentEncode(value);
    }
  }
  return query;
}

Status ReadTimes(const LabelsBuilder& labels, Target& target) {
  const std::string address = Quote(labels.Get("__address__"));
  const auto read = [&](std::string_view label, Duration& out) -> Status {
    const Result<Duration> value = ParseDuration(labels.Get(label));
    if (!value) return value.error().Wrap("target " + address + ": " + std::string(label));
    if (*value <= Duration::zero()) {
      return Invalid("target " + address + ": " + std::string(label) + " cannot be 0");
    }
    out = *value;
    return {};
  };
  RETURN_IF_ERROR(read("__scrape_interval__", target.interval));
  RETURN_IF_ERROR(read("__scrape_timeout__", target.timeout));
  if (target.timeout <= target.interval) return {};
  return Invalid("target " + address + ": scrape timeout cannot be greater than scrape interval (" +
                 FormatDuration(target.timeout) + " > " + FormatDuration(target.interval) + ")");
}

// Without the names that begin with two underscores; `instance` is the address unless it was set.
Labels PublicLabels(const LabelsBuilder& labels) {
  LabelsBuilder out;
  for (const auto& [name, value] : labels.pairs()) {
    if (!name.starts_with("__")) out.Set(name, value);
  }
  SetDefault(out, "instance", labels.Get("__address__"));
  return out.Build();
}

}  // namespace

Result<DiscoveredTarget> MakeTarget(const JobOptions& job, const TargetGroup& group,
                                    std::string_view address) {
  LabelsBuilder labels = Discovered(job, group, address);
  DiscoveredTarget out{labels.Build(), std::nullopt};
  if (!Relabel(job.relabel_rules, labels)) return out;
  const std::string_view final_address = labels.Get("__address__");
  if (const Status good = CheckAddress(final_address); !good) {
    return good.error().Wrap("target " + Quote(address));
  }
  Target target;
  target.discovered_labels = out.discovered_labels;
  RETURN_IF_ERROR(ReadTimes(labels, target));
  std::string path = EscapePath(labels.Get("__metrics_path__"));
  if (!path.starts_with('/')) path.insert(0, "/");
  target.url = std::string(labels.Get("__scheme__")) + "://" + std::string(final_address) + path +
               Query(job, labels);
  target.labels = PublicLabels(labels);
  for (const LabelView& label : target.labels) {
    if (!IsUtf8(label.value)) {
      return Invalid("target " + Quote(final_address) + ": label " + std::string(label.name) +
                     " is not UTF-8");
    }
  }
  out.target = std::move(target);
  return out;
}

std::string GlobalUrl(const std::string& url, const std::string& host) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t first = scheme + 3;
  const std::size_t slash = std::min(url.find('/', first), url.size());
  const std::string_view authority = std::string_view(url).substr(first, slash - first);
  const std::size_t colon = authority.starts_with('[')
                                ? authority.find("]:") + 1
                                : std::min(authority.find(':'), authority.size());
  const std::string_view name = authority.substr(0, colon == 0 ? authority.size() : colon);
  if (name != "localhost" && name != "127.0.0.1" && name != "[::1]") return url;
  return url.substr(0, first) + host + url.substr(first + name.size());
}

}  // namespace skep::scrape
