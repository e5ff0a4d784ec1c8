// What blocks cost: bytes a sample by part, ns of processor a sample to write, to read and to
// merge; ms to open a block of very many series and to select from it.
//
//   block_bench FOLDER                made-up series
//   block_bench FOLDER FILE           pages of a real target (recorded_pages.h), as one target
//   block_bench FOLDER FILE TARGETS   as so many targets
//
// FOLDER is made; SERIES=1000000 of the last part is another number from the environment.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/block_cursor.h"
#include "evaluator/tsdb/block_merge.h"
#include "evaluator/tsdb/block_writer.h"
#include "evaluator/tsdb/posix_disk.h"
#include "tests/bench/cpu_seconds.h"
#include "tests/bench/recorded_pages.h"

namespace {

using namespace skep;  // NOLINT: a small program of its own
using bench::CpuSeconds;
using tsdb::Block;
using tsdb::BlockMeta;

using Series = std::map<Labels, storage::SampleColumns>;

constexpr Timestamp kBegin = FromMillis(1'700'006'400'000);  // on the grid of 2 hours

// Labels of `name{a="b",...}`, and those that a scrape adds.
Labels LabelsOf(const std::string& line, int target) {
  LabelsBuilder builder;
  const std::size_t brace = std::min(line.find('{'), line.size());
  builder.Set("__name__", line.substr(0, brace));
  for (std::size_t at = brace + 1; at < line.size();) {
    const std::size_t equal = line.find("=\"", at);
    if (equal == std::string::npos) break;
    const std::size_t end = line.find('"', equal + 2);
    builder.Set(line.substr(at, equal - at), line.substr(equal + 2, end - equal - 2));
    at = line.find_first_not_of("\",", end);
  }
  builder.Set("instance", "host-" + std::to_string(target) + ".example.org:9100");
  builder.Set("job", "node");
  return builder.Build();
}

Series OfPages(const char* file, int targets) {
  std::vector<Timestamp> scrapes;
  Series out;
  const std::vector<bench::Recorded> all = bench::LoadPages(file, kBegin, scrapes);
  for (int target = 0; target < targets; ++target) {
    std::mt19937 random(static_cast<unsigned>(target));
    std::vector<Duration> late(scrapes.size());  // scrapes are some ms late
    for (Duration& by : late) by = Duration(random() % 3);
    for (const bench::Recorded& one : all) {
      storage::SampleColumns& samples = out[LabelsOf(one.name, target)];
      samples.times = one.times;
      samples.values = one.values;
      for (Timestamp& time : samples.times) {
        time += late[static_cast<std::size_t>((time - kBegin) / Duration(15'000))];
      }
    }
  }
  return out;
}

Series MadeUp() {
  std::mt19937_64 random(1);
  Series out;
  for (int i = 0; i < 2000; ++i) {
    auto& samples = out[{{"__name__", "metric_" + std::to_string(i % 100)},
                         {"instance", "host-" + std::to_string(i / 100)},
                         {"job", "made-up"}}];
    double total = 0;
    for (int row = 0; row < 960; ++row) {
      samples.times.push_back(kBegin + Duration(15'000) * row);
      total += static_cast<double>(i % 4 == 0 ? 0 : random() % 50);
      samples.values.push_back(i % 4 == 1 ? total / 100 : total);
    }
  }
  return out;
}

template <typename T>
T Must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::exit(1);
}
void Must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  std::exit(1);
}

double Seconds(const std::function<void()>& work) {
  double best = 1e9;
  for (int run = 0; run < 3; ++run) {
    const double start = CpuSeconds();
    work();
    best = std::min(best, CpuSeconds() - start);
  }
  return best;
}

// The samples of `series` in [begin, end).
BlockMeta Write(tsdb::Disk& disk, const std::string& path, const Series& series,
                storage::TimeRange range = {}) {
  auto writer = Must(tsdb::BlockWriter::Create(disk, path));
  storage::SampleColumns part;
  for (const auto& [labels, samples] : series) {
    part.clear();
    for (std::size_t i = 0; i < samples.times.size(); ++i) {
      if (samples.times[i] < range.min || samples.times[i] >= range.max) continue;
      part.times.push_back(samples.times[i]);
      part.values.push_back(samples.values[i]);
    }
    Must(writer->Add(labels, part));
  }
  return Must(writer->Finish());
}

void PrintParts(const BlockMeta& meta) {
  const auto samples = static_cast<double>(meta.samples);
  std::printf("%llu samples of %llu series in %llu chunks, %llu bytes: %.3f bytes a sample\n",
              static_cast<unsigned long long>(meta.samples),
              static_cast<unsigned long long>(meta.series),
              static_cast<unsigned long long>(meta.chunks),
              static_cast<unsigned long long>(meta.size_bytes),
              static_cast<double>(meta.size_bytes) / samples);
  const tsdb::BlockParts& parts = meta.parts;
  const auto print = [&](const char* name, std::uint64_t bytes) {
    std::printf("  %-16s %10llu bytes  %6.3f a sample  %7.1f a series\n", name,
                static_cast<unsigned long long>(bytes), static_cast<double>(bytes) / samples,
                static_cast<double>(bytes) / static_cast<double>(meta.series));
  };
  print("values", parts.values);
  print("times", parts.times);
  print("starts", parts.starts);
  print("summaries", parts.summaries);
  print("chunk lists", parts.chunk_lists);
  print("index", parts.index_bytes());
  print("  times table", parts.times_table);
  print("  postings", parts.postings);
  print("  label texts", parts.label_texts);
  print("  series labels", parts.series_labels);
  print("  places", parts.places);
}

void Samples(tsdb::Disk& disk, const Series& series) {
  BlockMeta meta;
  const double write = Seconds([&] { meta = Write(disk, "whole.block", series); });
  PrintParts(meta);
  const auto block = Must(Block::Open(disk, "whole.block"));
  storage::SampleColumns samples;
  const double read = Seconds([&] {
    for (std::uint32_t one = 0; one < block->series_count(); ++one) {
      samples.clear();
      Must(block->ReadSamples(one, {}, samples));
    }
  });
  const double walk = Seconds([&] {
    tsdb::BlockCursor cursor(block, nullptr);
    for (std::uint32_t one = 0; one < block->series_count(); ++one) {
      samples.clear();
      Must(cursor.ReadSamples(one, {}, samples));
    }
  });
  const double part = Seconds([&] {
    const storage::TimeRange range{kBegin + Duration(3'600'000), kBegin + Duration(3'900'000)};
    tsdb::BlockCursor cursor(block, nullptr);
    for (std::uint32_t one = 0; one < block->series_count(); ++one) {
      samples.clear();
      Must(cursor.ReadSamples(one, range, samples));
    }
  });
  const auto n = static_cast<double>(meta.samples);
  const auto count = static_cast<double>(meta.series);
  std::printf(
      "write %.1f ns a sample, read %.2f ns, by a cursor %.2f ns; 5 minutes %.0f ns a series\n",
      write * 1e9 / n, read * 1e9 / n, walk * 1e9 / n, part * 1e9 / count);
}

// What a function over a long time asks each series of a block for: summaries, or the samples where
// a chunk has none. Gives ns a series.
double LongFunction(tsdb::Disk& disk, const std::string& path) {
  const auto block = Must(Block::Open(disk, path));
  std::vector<tsdb::BlockChunk> chunks;
  storage::SampleColumns samples;
  double sum = 0;
  const double seconds = Seconds([&] {
    tsdb::BlockCursor cursor(block, nullptr);
    for (std::uint32_t one = 0; one < block->series_count(); ++one) {
      chunks.clear();
      Must(block->ReadChunks(one, {}, chunks));
      for (const tsdb::BlockChunk& chunk : chunks) {
        auto summary = Must(block->SummaryOf(chunk));
        if (!summary) {
          samples.clear();
          Must(cursor.Decode(chunk, {}, samples));
          summary = tsdb::Summarize(samples.values);
        }
        if (summary) sum += summary->sum;
      }
    }
  });
  if (sum == 0) std::printf("nothing was summed up\n");
  return seconds * 1e9 / static_cast<double>(block->series_count());
}

// Blocks of 20 minutes to such of 2 hours, those to one.
void Merges(tsdb::Disk& disk, const Series& series) {
  constexpr Duration kShort(20 * 60'000);
  std::vector<tsdb::BlockSource> large;
  double first = 0;
  std::uint64_t samples = 0;
  for (int hours = 0; hours < 2; ++hours) {
    std::vector<tsdb::BlockSource> small;
    for (int i = 6 * hours; i < 6 * hours + 6; ++i) {
      const std::string path = "short" + std::to_string(i) + ".block";
      const Timestamp begin = kBegin + i * kShort;
      if (Write(disk, path, series, {begin, begin + kShort}).series == 0) continue;
      small.push_back({Must(Block::Open(disk, path)), nullptr});
    }
    const std::string path = "hours" + std::to_string(hours) + ".block";
    BlockMeta meta;
    first += Seconds([&] { meta = Must(tsdb::MergeBlocks(disk, small, path)); });
    samples += meta.samples;
    if (meta.series > 0) large.push_back({Must(Block::Open(disk, path)), nullptr});
  }
  BlockMeta meta;
  const double second = Seconds([&] { meta = Must(tsdb::MergeBlocks(disk, large, "all.block")); });
  const auto n = static_cast<double>(samples);
  std::printf(
      "merge of 20 minutes to 2 hours %.1f ns a sample, of those to 4 hours %.2f ns; %.3f bytes a "
      "sample\n",
      first * 1e9 / n, second * 1e9 / n, static_cast<double>(meta.size_bytes) / n);
  const auto short_block = Must(Block::Open(disk, "short0.block"));
  std::printf(
      "a block of 20 minutes %.3f bytes a sample; a long function over it %.0f ns a series, over 4 "
      "hours %.0f ns\n",
      static_cast<double>(short_block->meta().size_bytes) /
          static_cast<double>(short_block->meta().samples),
      LongFunction(disk, "short0.block"), LongFunction(disk, "all.block"));
}

Labels OneOfMany(std::uint32_t i, std::uint32_t count) {
  const std::uint32_t metrics = std::max(count / 1000, 1U);
  return {{"__name__", "metric_" + std::to_string(1000 + i / 1000 % metrics)},
          {"instance", "10.0.0." + std::to_string(100 + i / 10 % 100) + ":9100"},
          {"job", "job-" + std::to_string(i % 10)},
          {"pod", "pod-" + std::to_string(i)}};
}

void ManySeries(tsdb::Disk& disk, std::uint32_t count) {
  std::vector<Labels> labels;
  for (std::uint32_t i = 0; i < count; ++i) labels.push_back(OneOfMany(i, count));
  std::sort(labels.begin(), labels.end());
  storage::SampleColumns samples;
  samples.times = {kBegin, kBegin + Duration(15'000)};
  samples.values = {1, 2};
  double start = CpuSeconds();
  auto writer = Must(tsdb::BlockWriter::Create(disk, "many.block"));
  for (const Labels& one : labels) Must(writer->Add(one, samples));
  const double added = CpuSeconds() - start;
  start = CpuSeconds();
  const BlockMeta meta = Must(writer->Finish());
  const double finish = CpuSeconds() - start;
  const double open = Seconds([&] { (void)Must(Block::Open(disk, "many.block")); });
  std::printf(
      "%u series: add %.0f ns a series, finish %.0f ns, index %.1f bytes a series; open %.2f ms\n",
      count, added * 1e9 / count, finish * 1e9 / count,
      static_cast<double>(meta.parts.index_bytes()) / count, open * 1e3);
  const auto block = Must(Block::Open(disk, "many.block"));
  const auto select = [&](MatchType type, const char* name, const char* value) {
    const std::vector matchers{Matcher::Equal("job", "job-3"),
                               Must(Matcher::Create(type, name, value))};
    std::size_t found = 0;
    const double seconds = Seconds([&] { found = Must(block->Select(matchers)).size(); });
    std::printf("  select {job=\"job-3\", %s%s\"%s\"}: %zu series in %.3f ms\n", name,
                std::string(MatchTypeName(type)).c_str(), value, found, seconds * 1e3);
  };
  select(MatchType::kEqual, "__name__", "metric_1001");
  select(MatchType::kEqual, "pod", "pod-33");
  select(MatchType::kRegex, "instance", "10.0.0.1[23].*");
  select(MatchType::kRegex, "pod", ".*77");
  select(MatchType::kNotEqual, "pod", "");
  const double walk = Seconds([&] {
    tsdb::BlockCursor cursor(block, nullptr);
    for (std::uint32_t one = 0; one < count; ++one) (void)Must(cursor.LabelsOf(one));
  });
  std::printf("  labels of all, one after the other: %.0f ns a series\n", walk * 1e9 / count);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: block_bench FOLDER [FILE [TARGETS]]\n");
    return 1;
  }
  const auto disk = Must(tsdb::PosixDisk::Open(argv[1]));
  const Series series =
      argc > 2 ? OfPages(argv[2], argc > 3 ? std::max(1, std::atoi(argv[3])) : 1) : MadeUp();
  Samples(*disk, series);
  Merges(*disk, series);
  const char* const many = std::getenv("SERIES");
  ManySeries(*disk, many ? static_cast<std::uint32_t>(std::atoi(many)) : 1'000'000);
}
