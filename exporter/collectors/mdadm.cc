// Software RAID: /proc/mdstat.
//
//   md8 : active raid1 sdb1[1] sda1[0] sdc1[2](S)
//         195310144 blocks [2/2] [UU]
//         [=>...................]  resync =  8.5% (16775552/195310144) finish=17.0min speed=...
#include <array>

#include "common/base/file.h"
#include "common/base/number.h"
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Array {
  std::string_view name;
  std::string_view state;
  std::uint64_t active = 0;
  std::uint64_t required = 0;
  std::uint64_t failed = 0;
  std::uint64_t spare = 0;
  std::uint64_t blocks = 0;
  std::uint64_t synced = 0;
};

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::uint64_t Count(std::string_view text, std::string_view part) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

// "A/B" between the last `open` and the `close` after it.
std::optional<std::pair<std::uint64_t, std::uint64_t>> PairBetween(std::string_view line, char open,
                                                                   char close) {
  for (std::size_t begin = line.rfind(open); begin != std::string_view::npos;
       begin = begin == 0 ? std::string_view::npos : line.rfind(open, begin - 1)) {
    std::string_view inside = line.substr(begin + 1, line.find(close, begin) - begin - 1);
    std::size_t slash = inside.find('/');
    if (slash == std::string_view::npos) continue;
    auto first = ParseUint(inside.substr(0, slash));
    auto second = ParseUint(inside.substr(slash + 1));
    if (first && second) return std::pair(*first, *second);
  }
  return std::nullopt;
}

// The second line: how large it is and how many disks it has. Arrays without redundancy do not say
// how many.
bool ReadSize(std::string_view head, std::string_view line, Array& array) {
  std::string_view rest = line;
  std::optional<std::uint64_t> blocks = ParseUint(NextField(rest));
  if (!blocks || NextField(rest) != "blocks") return false;
  array.blocks = *blocks;
  array.synced = *blocks;
  if (Contains(head, "raid0") || Contains(head, "linear")) {
    array.active = array.required = Count(head, "[");
    return true;
  }
  if (array.state == "inactive") return true;
  auto disks = PairBetween(line, '[', ']');
  if (!disks) return false;
  array.required = disks->first;
  array.active = disks->second;
  return true;
}

// A line that tells of a resync, if it is one.
bool ReadSync(std::string_view line, Array& array) {
  if (Contains(line, "recovery")) {
    array.state = "recovering";
  } else if (Contains(line, "check")) {
    array.state = "check";
  } else if (Contains(line, "resync")) {
    array.state = "resync";
  } else {
    return true;
  }
  if (Contains(line, "PENDING") || Contains(line, "DELAYED")) {
    array.synced = 0;
    return true;
  }
  auto progress = PairBetween(line, '(', ')');
  if (progress) array.synced = progress->first;
  return progress.has_value();
}

// The array whose first line is `head`; eats its other lines. Nothing: they make no sense.
std::optional<Array> ReadArray(std::string_view head, std::string_view& rest) {
  Array array;
  std::string_view fields = head;
  array.name = NextField(fields);
  bool good = NextField(fields) == ":";
  array.state = NextField(fields);
  array.failed = Count(head, "(F)");
  array.spare = Count(head, "(S)");
  bool has_size = false;
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) {
    std::string_view line = Trim(*NextLine(rest));
    if (line.empty()) break;
    if (!has_size) {
      good = ReadSize(head, line, array) && good;
      has_size = true;
    } else if (!line.starts_with("bitmap")) {
      good = ReadSync(line, array) && good;
    }
  }
  return good && has_size ? std::optional(array) : std::nullopt;
}

void Add(FamilySet& families, const Array& array) {
  auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    families.Add(name, help, MetricType::kGauge, {{"device", array.name}},
                 static_cast<double>(value));
  };
  gauge("node_md_blocks", "Total number of blocks on device.", array.blocks);
  gauge("node_md_blocks_synced", "Number of blocks synced on device.", array.synced);
  gauge("node_md_disks_required", "Total number of disks of device.", array.required);
  auto disks = {
      std::pair("active", array.active), {"failed", array.failed}, {"spare", array.spare}};
  for (const auto& [state, count] : disks) {
    families.Add("node_md_disks", "Number of active/failed/spare disks of device.",
                 MetricType::kGauge, {{"device", array.name}, {"state", state}},
                 static_cast<double>(count));
  }
  for (std::string_view state : {"active", "check", "inactive", "recovering", "resync"}) {
    families.Add("node_md_state", "Indicates the state of md-device.", MetricType::kGauge,
                 {{"device", array.name}, {"state", state}}, array.state == state ? 1 : 0);
  }
}

}  // namespace

CollectorPtr MakeMdadmCollector(const Paths& paths) {
  std::string path = paths.Proc("mdstat");
  return MakeFunctionCollector("mdadm", [path](CollectContext& context) -> Status {
    Result<std::string> text = ReadFile(path);
    if (!text) return text.error();
    FamilySet families;
    std::string bad;
    std::string_view rest = *text;
    while (std::optional<std::string_view> line = NextLine(rest)) {
      bool is_head = !Trim(*line).empty() && line->front() != ' ' && line->front() != '\t' &&
                     !line->starts_with("Personalities") && !line->starts_with("unused");
      if (!is_head) continue;
      std::optional<Array> array = ReadArray(*line, rest);
      if (array) {
        Add(families, *array);
      } else if (bad.empty()) {
        bad = *line;
      }
    }
    families.Write(context.page);
    if (!bad.empty()) return Corrupt(path + ": cannot make sense of \"" + bad + "\"");
    return {};
  });
}

}  // namespace skep::exporter
