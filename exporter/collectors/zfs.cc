// ZFS: the kernel statistics below /proc/spl/kstat/zfs.
#include <algorithm>
#include <array>

#include "common/base/file.h"
#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Source {
  std::string_view file;
  std::string_view prefix;
};

constexpr std::array<Source, 11> kSources = {{{"abdstats", "node_zfs_abd_"},
                                              {"arcstats", "node_zfs_arc_"},
                                              {"dbufstats", "node_zfs_dbuf_"},
                                              {"dmu_tx", "node_zfs_dmu_tx_"},
                                              {"dnodestats", "node_zfs_dnode_"},
                                              {"fm", "node_zfs_fm_"},
                                              {"vdev_cache_stats", "node_zfs_vdev_cache_"},
                                              {"vdev_mirror_stats", "node_zfs_vdev_mirror_"},
                                              {"xuio_stats", "node_zfs_xuio_"},
                                              {"zfetchstats", "node_zfs_zfetch_"},
                                              {"zil", "node_zfs_zil_"}}};

constexpr std::array<std::string_view, 6> kStates = {"degraded", "faulted", "offline",
                                                     "online",   "removed", "unavail"};

// kstat's types of values; the others (signed, text) are not shown.
constexpr std::string_view kUint64 = "4";

struct Names {
  std::string_view prefix;  // of the metric
  std::string_view help;    // "kstat.zfs.misc.arcstats"; the field's name follows
  std::string labels;
};

// The field's name becomes part of the metric's, so other characters than these mean that the file
// is not what it should be.
bool IsFieldName(std::string_view field) {
  return std::all_of(field.begin(), field.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

void Add(FamilySet& families, const Names& names, std::string_view field, std::uint64_t value) {
  if (!IsFieldName(field)) return;
  std::string metric(field);
  std::replace(metric.begin(), metric.end(), '-', '_');
  families.AddRendered(std::string(names.prefix) + metric,
                       std::string(names.help) + "." + std::string(field), MetricType::kUnknown,
                       names.labels, static_cast<double>(value));
}

// Calls `handle` with name, type and data of each line behind the titles "name type data".
template <typename Handle>
void ForEachNamed(std::string_view text, const Handle& handle) {
  std::vector<std::string_view> fields;
  bool begun = false;
  while (std::optional<std::string_view> line = NextLine(text)) {
    SplitFields(*line, fields);
    if (fields.size() < 3) continue;
    if (begun) handle(fields[0], fields[1], fields[2]);
    begun = begun || (fields[0] == "name" && fields[1] == "type" && fields[2] == "data");
  }
}

void AddNamed(FamilySet& families, const Names& names, std::string_view text) {
  ForEachNamed(text, [&](std::string_view name, std::string_view type, std::string_view data) {
    std::optional<std::uint64_t> value = ParseUint(data);
    if (type == kUint64 && value) Add(families, names, name, *value);
  });
}

// A line of titles that begins with "nread", and one of numbers.
void AddIo(FamilySet& families, const std::string& pool, std::string_view text) {
  Names names{"node_zfs_zpool_", "kstat.zfs.misc.io", exposition::RenderLabels({{"zpool", pool}})};
  std::vector<std::string_view> titles;
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::string_view peek = *line;
    if (NextField(peek) == "nread") {
      SplitFields(*line, titles);
      break;
    }
  }
  std::string_view numbers = NextLine(text).value_or("");
  for (std::string_view title : titles) {
    std::optional<std::uint64_t> value = ParseUint(NextField(numbers));
    if (!value) return;
    Add(families, names, title, *value);
  }
}

// Its data set's name stands among the values.
void AddObjectSet(FamilySet& families, const std::string& pool, std::string_view text) {
  std::string dataset;
  ForEachNamed(text, [&](std::string_view name, std::string_view, std::string_view data) {
    if (name == "dataset_name") dataset = ValidUtf8(data);
  });
  if (dataset.empty()) return;
  AddNamed(families,
           {"node_zfs_zpool_dataset_", "kstat.zfs.misc.objset",
            exposition::RenderLabels({{"dataset", dataset}, {"zpool", pool}})},
           text);
}

void AddState(FamilySet& families, const std::string& pool, std::string_view text) {
  std::string state(Trim(text));
  for (char& c : state) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (std::string_view known : kStates) {
    families.Add("node_zfs_zpool_state", "kstat.zfs.misc.state", MetricType::kGauge,
                 {{"state", known}, {"zpool", pool}}, state == known ? 1 : 0);
  }
}

// Pools may be exported while they are read: what is gone is left out.
void AddPool(FamilySet& families, const std::string& folder, const std::string& name) {
  std::string pool = ValidUtf8(name);
  for (const std::string& file : ListFolderOrNone(folder)) {
    bool is_object_set = file.starts_with("objset-");
    if (!is_object_set && file != "io" && file != "state") continue;
    Result<std::string> text = ReadFile(folder + "/" + file);
    if (!text) continue;
    if (is_object_set) {
      AddObjectSet(families, pool, *text);
    } else if (file == "io") {
      AddIo(families, pool, *text);
    } else {
      AddState(families, pool, *text);
    }
  }
}

}  // namespace

CollectorPtr MakeZfsCollector(const Paths& paths) {
  std::string root = paths.Proc("spl/kstat/zfs");
  return MakeFunctionCollector("zfs", [root](CollectContext& context) -> Status {
    Result<std::vector<std::string>> entries = ListFolder(root);
    if (!entries) return entries.error();
    FamilySet families;
    for (const Source& source : kSources) {
      Result<std::string> text = ReadFile(root + "/" + std::string(source.file));
      if (!text) continue;  // each version of ZFS has other ones
      std::string help = "kstat.zfs.misc." + std::string(source.file);
      AddNamed(families, {source.prefix, help, ""}, *text);
    }
    for (const std::string& entry : *entries) {
      if (IsFolder(root + "/" + entry)) AddPool(families, root + "/" + entry, entry);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
