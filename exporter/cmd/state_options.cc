#include "exporter/cmd/state_options.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/base/file.h"
#include "common/base/quote.h"

namespace skep::exporter {
namespace {

// A number from 1 on.
void ReadCount(yaml::MapReader& map, const yaml::Node& node, std::string_view key,
               std::size_t& out) {
  auto value = static_cast<std::int64_t>(out);
  map.Read(key, value);
  if (value < 1) map.Fail(node.Get(key).Complain("expected a number from 1 on"));
  out = static_cast<std::size_t>(value);
}

// What fits on a page beside everything else.
Status CheckPage(const state::StoreOptions& options, const yaml::Node& node, const Flags& flags) {
  if (flags.max_series == 0 || options.max_series <= flags.max_series) return {};
  return node.Get("max_series")
      .Complain("max_series is more than a page may have (--web.max-series=" +
                std::to_string(flags.max_series) + ")");
}

}  // namespace

Result<state::StoreOptions> ReadStateOptions(const yaml::Node& node, const Flags& flags,
                                             const std::optional<std::string>& state_directory) {
  state::StoreOptions options;
  std::uint64_t checkpoint_bytes = options.checkpoint_bytes;
  yaml::MapReader map(node);
  map.Read("path", options.path);
  if (!node.Get("path").IsNull() && options.path.empty()) {
    map.Fail(node.Get("path").Complain("path is empty"));
  }
  ReadCount(map, node, "max_series", options.max_series);
  ReadCount(map, node, "max_families", options.max_families);
  map.ReadSizeBytes("checkpoint_bytes", checkpoint_bytes);
  RETURN_IF_ERROR(map.Finish("state"));
  if (node.Has("max_series")) RETURN_IF_ERROR(CheckPage(options, node, flags));
  if (flags.max_series > 0) options.max_series = std::min(options.max_series, flags.max_series);
  options.checkpoint_bytes = checkpoint_bytes;
  if (!options.path.empty()) options.path = JoinPath(DirName(node.file()), options.path);
  if (options.path.empty() && state_directory) {
    options.path = state_directory->substr(0, state_directory->find(':'));
  }
  if (flags.state_path) options.path = *flags.state_path;
  return options;
}

std::string ToYaml(const state::StoreOptions& options) {
  std::string out = "state:\n";
  if (!options.path.empty()) out += "  path: " + Quote(options.path) + "\n";
  out += "  max_series: " + std::to_string(options.max_series) + "\n";
  out += "  max_families: " + std::to_string(options.max_families) + "\n";
  out += "  checkpoint_bytes: " + std::to_string(options.checkpoint_bytes) + "\n";
  return out;
}

}  // namespace skep::exporter
