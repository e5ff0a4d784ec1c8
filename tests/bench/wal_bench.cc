// What the write-ahead log costs: ns and bytes per sample to encode, append and sync scrapes, and
// to replay them; ns and bytes for the definition of a series; GB/s of the checksum.
//
//   wal_bench FOLDER [SERIES [ROUNDS]]     default 100,000 series, 60 rounds; FOLDER is made, its
//                                          disk is what is measured

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/crc32c.h"
#include "evaluator/tsdb/commit_codec.h"
#include "evaluator/tsdb/posix_disk.h"
#include "evaluator/tsdb/wal_replay.h"
#include "evaluator/tsdb/wal_writer.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using skep::bench::CpuSeconds;

using namespace skep;  // NOLINT: a small program of its own

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr std::uint32_t kBatch = 1000;

Labels MakeLabels(std::uint32_t i) {
  const std::string instance =
      "10.0." + std::to_string(i / 25600) + "." + std::to_string(i / 100 % 256) + ":9100";
  return {{"__name__", "http_request_duration_seconds_bucket"},
          {"cluster", "eu-west-1"},
          {"handler", "/api/v1/items/" + std::to_string(i % 10)},
          {"instance", instance},
          {"job", "service-" + std::to_string(i / 1000 % 20)},
          {"le", std::to_string(1 << (i / 10 % 10))},
          {"method", i % 2 ? "GET" : "POST"},
          {"namespace", "production"},
          {"series", std::to_string(i)}};
}

// As in append_bench: half counters, a quarter gauges with all their digits, a quarter stand still.
double ValueOf(std::uint32_t series, int round) {
  switch (series % 4) {
    case 0:
    case 1:
      return round * (series % 50);
    case 2:
      return std::sin(series + round / 10.0);
    default:
      return series;
  }
}

struct Work {
  tsdb::CommitEncoder encoder;
  std::vector<double> values;  // of one round
  double encode_seconds = 0;
  double append_seconds = 0;
  std::uint64_t payload_bytes = 0;
};

void Encode(Work& work, std::uint32_t from, int round) {
  const double start = CpuSeconds();
  const Timestamp time = FromMillis(1'700'000'000'000 + round * 15'000LL);
  work.encoder.Clear();
  const auto end =
      std::min<std::uint32_t>(from + kBatch, static_cast<std::uint32_t>(work.values.size()));
  for (std::uint32_t i = from; i < end; ++i) work.encoder.AddFloat(i + 1, {time, work.values[i]});
  work.encode_seconds += CpuSeconds() - start;
}

void Append(Work& work, tsdb::WalWriter& writer) {
  const double start = CpuSeconds();
  const Status appended = writer.Append(tsdb::RecordKind::kCommit, work.encoder.Finish());
  work.append_seconds += CpuSeconds() - start;
  if (!appended) std::printf("append: %s\n", appended.error().message().c_str());
}

void Write(tsdb::WalWriter& writer, std::uint32_t series, int rounds) {
  Work work;
  work.values.resize(series);
  double sync_seconds = 0;
  for (int round = 0; round < rounds; ++round) {
    for (std::uint32_t i = 0; i < series; ++i) work.values[i] = ValueOf(i, round);
    for (std::uint32_t from = 0; from < series; from += kBatch) {
      Encode(work, from, round);
      Append(work, writer);
    }
    const double start = WallSeconds();
    if (const Status synced = writer.Sync(); !synced) {
      std::printf("sync: %s\n", synced.error().message().c_str());
    }
    sync_seconds += WallSeconds() - start;
  }
  const double samples = static_cast<double>(series) * rounds;
  std::printf("encode:            %.1f ns a sample, %.2f bytes\n",
              work.encode_seconds * 1e9 / samples,
              static_cast<double>(writer.counters().bytes) / samples);
  std::printf("append:            %.1f ns a sample more (sum, kernel)\n",
              work.append_seconds * 1e9 / samples);
  std::printf("sync:              %.1f ms for %u samples (wall)\n", sync_seconds * 1e3 / rounds,
              series);
}

void Read(tsdb::Disk& disk) {
  std::uint64_t samples = 0;
  double sum = 0;
  const auto visit = [&](const tsdb::Record& record) -> Status {
    const Result<tsdb::CommitParts> parts = tsdb::CommitParts::Find(record.payload);
    if (!parts) return parts.error();
    tsdb::FloatCursor cursor(parts->floats);
    while (cursor.Next()) {
      ++samples;
      sum += cursor.sample().value + cursor.number();
    }
    return {};
  };
  for (int turn = 0; turn < 2; ++turn) {
    samples = 0;
    const double start = CpuSeconds();
    const Result<tsdb::WalReplay> replay = tsdb::ReplayWal(disk, tsdb::kWalFolder, visit);
    const double seconds = CpuSeconds() - start;
    if (!replay) std::printf("replay: %s\n", replay.error().message().c_str());
    std::printf("replay, decode:    %.1f ns a sample (%.0f million; check %.3g)\n",
                seconds * 1e9 / static_cast<double>(samples), static_cast<double>(samples) / 1e6,
                sum);
  }
}

void Define(std::uint32_t series) {
  std::vector<Labels> labels;
  for (std::uint32_t i = 0; i < series; ++i) labels.push_back(MakeLabels(i));
  tsdb::SeriesEncoder encoder;
  double start = CpuSeconds();
  for (std::uint32_t i = 0; i < series; ++i) encoder.Add(i + 1, labels[i]);
  std::printf("define a series:   %.0f ns, %.1f bytes\n", (CpuSeconds() - start) * 1e9 / series,
              static_cast<double>(encoder.bytes().size()) / series);
  start = CpuSeconds();
  std::size_t bytes = 0;
  tsdb::SeriesCursor cursor(encoder.bytes());
  while (cursor.Next()) bytes += cursor.labels().size_bytes();
  std::printf("read a definition: %.0f ns (%.0f bytes of labels)\n",
              (CpuSeconds() - start) * 1e9 / series, static_cast<double>(bytes) / series);
}

void Sum() {
  for (const std::size_t size : {std::size_t{100}, std::size_t{9000}, std::size_t{1} << 20}) {
    const std::string bytes(size, 'x');
    const auto turns = static_cast<int>((std::size_t{1} << 30) / size);
    std::uint32_t sum = 0;
    const double start = CpuSeconds();
    for (int i = 0; i < turns; ++i) sum = Crc32c(bytes, sum);
    std::printf("checksum:          %.1f GB/s of %zu bytes (check %08x)\n",
                static_cast<double>(size) * turns / (CpuSeconds() - start) / 1e9, size, sum);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [SERIES [ROUNDS]]\n", argv[0]);
    return 2;
  }
  const auto series = static_cast<std::uint32_t>(argc > 2 ? std::atoi(argv[2]) : 100'000);
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 60;
  Sum();
  Define(series);
  auto disk = tsdb::PosixDisk::Open(argv[1]);
  if (!disk) {
    std::fprintf(stderr, "%s\n", disk.error().message().c_str());
    return 1;
  }
  {
    tsdb::WalWriter writer(**disk, {}, {});
    Write(writer, series, rounds);
  }
  Read(**disk);
  (void)(*disk)->RemoveFolder(std::string(tsdb::kWalFolder));
  return 0;
}
