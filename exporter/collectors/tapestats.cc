// What tape drives read and wrote.
#include <array>

#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

struct Statistic {
  std::string_view file;
  std::string_view name;
  std::string_view help;
  MetricType type;
  double factor;
};

constexpr double kNanosecond = 0.000000001;

constexpr std::array<Statistic, 10> kStatistics = {{
    {"in_flight", "node_tape_io_now", "The number of I/Os currently outstanding to this device.",
     MetricType::kGauge, 1},
    {"io_ns", "node_tape_io_time_seconds_total",
     "The amount of time spent waiting for all I/O to complete (including read and write). This "
     "includes tape movement commands such as seeking between file or set marks and implicit tape "
     "movement such as when rewind on close tape devices are used.",
     MetricType::kCounter, kNanosecond},
    {"other_cnt", "node_tape_io_others_total",
     "The number of I/Os issued to the tape drive other than read or write commands. The time "
     "taken to complete these commands uses the following calculation "
     "io_time_seconds_total-read_time_seconds_total-write_time_seconds_total",
     MetricType::kCounter, 1},
    {"read_byte_cnt", "node_tape_read_bytes_total", "The number of bytes read from the tape drive.",
     MetricType::kCounter, 1},
    {"read_cnt", "node_tape_reads_completed_total",
     "The number of read requests issued to the tape drive.", MetricType::kCounter, 1},
    {"read_ns", "node_tape_read_time_seconds_total",
     "The amount of time spent waiting for read requests to complete.", MetricType::kCounter,
     kNanosecond},
    {"resid_cnt", "node_tape_residual_total",
     "The number of times during a read or write we found the residual amount to be non-zero. "
     "This should mean that a program is issuing a read larger thean the block size on tape. For "
     "write not all data made it to tape.",
     MetricType::kCounter, 1},
    {"write_byte_cnt", "node_tape_written_bytes_total",
     "The number of bytes written to the tape drive.", MetricType::kCounter, 1},
    {"write_cnt", "node_tape_writes_completed_total",
     "The number of write requests issued to the tape drive.", MetricType::kCounter, 1},
    {"write_ns", "node_tape_write_time_seconds_total",
     "The amount of time spent waiting for write requests to complete.", MetricType::kCounter,
     kNanosecond},
}};

// st0 and so on; nst0 and st0a are the same drive in other modes.
bool IsDrive(std::string_view name) {
  return name.size() > 2 && name.starts_with("st") &&
         name.find_first_not_of("0123456789", 2) == std::string_view::npos;
}

}  // namespace

CollectorPtr MakeTapestatsCollector(const Paths& paths, std::optional<Regex> ignored) {
  std::string folder = paths.Sys("class/scsi_tape");
  return MakeFunctionCollector("tapestats", [folder, ignored](CollectContext& context) -> Status {
    Result<std::vector<std::string>> names = ListFolder(folder);
    if (!names) return names.error();
    FamilySet families;
    for (const std::string& name : *names) {
      if (!IsDrive(name) || (ignored && ignored->PartialMatch(name))) continue;
      std::string stats = folder + "/" + name + "/stats/";
      for (const Statistic& s : kStatistics) {
        std::optional<std::uint64_t> value = ReadUint(stats + std::string(s.file));
        if (!value) continue;
        families.Add(s.name, s.help, s.type, {{"device", name}},
                     static_cast<double>(*value) * s.factor);
      }
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
