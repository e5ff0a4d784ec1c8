#include "evaluator/tsdb/mapping_guard.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "common/model/labels.h"
#include "evaluator/tsdb/block.h"
#include "evaluator/tsdb/block_merge.h"
#include "evaluator/tsdb/block_writer.h"
#include "evaluator/tsdb/posix_disk.h"
#include "tests/support/temp_folder.h"

namespace skep::tsdb {
namespace {

const std::size_t kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

// A file of some pages, mapped.
struct Pages {
  explicit Pages(std::size_t pages) : content(pages * kPage, 'x') {
    std::ofstream(path, std::ios::binary) << content;
    file = MapFile(path).value();
  }
  void Cut(std::size_t pages) { std::filesystem::resize_file(path, pages * kPage); }

  test::TempFolder folder;
  const std::string path = folder.File("pages");
  std::string content;
  MappedFilePtr file;
};

// Not inlined: who does not need the number would not read either.
[[gnu::noinline, gnu::noipa]] std::size_t CountZeros(std::string_view bytes) {
  return static_cast<std::size_t>(std::ranges::count(bytes, '\0'));
}

TEST_CASE("What a file has lost reads as zeros and is told, the rest is there", "[tsdb]") {
  Pages pages(5);
  CHECK(CountZeros(pages.file->bytes()) == 0);
  CHECK(pages.file->lost().end == 0);
  pages.Cut(2);
  CHECK(pages.file->lost().end == 0);  // nobody has looked
  CHECK(pages.file->bytes()[3 * kPage + 7] == '\0');
  CHECK(pages.file->lost().begin == 3 * kPage);
  CHECK(pages.file->lost().end == 4 * kPage);
  CHECK(CountZeros(pages.file->bytes()) == 3 * kPage);
  CHECK(pages.file->lost().begin == 2 * kPage);
  CHECK(pages.file->lost().end == 5 * kPage);
  // Another mapping of the same file is another matter.
  const MappedFilePtr again = MapFile(pages.path).value();
  CHECK(again->bytes().size() == 2 * kPage);
  CHECK(again->lost().end == 0);
}

TEST_CASE("Threads that meet lost pages at once all go on", "[tsdb]") {
  Pages pages(64);
  pages.Cut(1);
  std::vector<std::size_t> zeros(6);
  std::vector<std::thread> threads;
  for (std::size_t& one : zeros) {
    threads.emplace_back([&one, &pages] {
      one = CountZeros(pages.file->bytes());
      if (pages.file->lost().end != 64 * kPage) one = 0;
    });
  }
  // Others come and go meanwhile.
  for (int i = 0; i < 200; ++i) REQUIRE(MapFile(pages.path).value()->bytes()[0] == 'x');
  for (std::thread& thread : threads) thread.join();
  for (const std::size_t one : zeros) CHECK(one == 63 * kPage);
}

// How a child ends that does `work`.
template <typename Work>
int EndOf(const Work& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // A sanitizer tells of what is meant here.
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);
    work();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

// Address sanitizer was there before us, and ends the program in its own way.
bool EndedByBusError(int status) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
#else
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS;
#endif
}

TEST_CASE("A bus error anywhere else ends the program as ever", "[tsdb]") {
  Pages pages(2);
  pages.Cut(1);
  CHECK(EndOf([&] { (void)CountZeros(pages.file->bytes()); }) == 0);
  CHECK(EndedByBusError(EndOf([] { ::raise(SIGBUS); })));
  CHECK(EndedByBusError(EndOf([&] {
    (void)CountZeros(pages.file->bytes());
    ::kill(::getpid(), SIGBUS);
  })));
  // A mapping that nobody guards, of the same file.
  CHECK(EndedByBusError(EndOf([&] {
    const int fd = ::open(pages.path.c_str(), O_RDONLY);
    void* const at = ::mmap(nullptr, 2 * kPage, PROT_READ, MAP_SHARED, fd, 0);
    (void)CountZeros({static_cast<const char*>(at), 2 * kPage});
  })));
  // One that is guarded no more.
  CHECK(EndedByBusError(EndOf([&] {
    const int fd = ::open(pages.path.c_str(), O_RDONLY);
    void* const at = ::mmap(nullptr, 2 * kPage, PROT_READ, MAP_SHARED, fd, 0);
    { const MappingGuard guard(at, 2 * kPage); }
    (void)CountZeros({static_cast<const char*>(at), 2 * kPage});
  })));
}

// Twenty series whose chunks take a page each.
std::shared_ptr<const Block> WriteBlock(Disk& disk, const std::string& path) {
  auto writer = BlockWriter::Create(disk, path);
  REQUIRE(writer);
  for (int series = 10; series < 30; ++series) {
    storage::SampleColumns samples;
    double value = series;
    for (int i = 0; i < 600; ++i) {
      samples.times.push_back(FromMillis(i * 15'000));
      samples.values.push_back(value = value * 1.7 - static_cast<int>(value));
    }
    REQUIRE((*writer)->Add({{"__name__", "m"}, {"i", std::to_string(series)}}, samples));
  }
  REQUIRE((*writer)->Finish());
  return Block::Open(disk, path).value();
}

TEST_CASE("A block of which a part is gone says so, and is not merged", "[tsdb]") {
  const test::TempFolder folder;
  const auto disk = PosixDisk::Open(folder.File("store")).value().release();
  const std::unique_ptr<Disk> owner(disk);
  REQUIRE(disk->MakeFolder("blocks"));
  const auto block = WriteBlock(*disk, "blocks/1.block");
  storage::SampleColumns samples;
  REQUIRE(block->ReadSamples(19, {}, samples));
  REQUIRE(samples.size() == 600);
  const std::string path = folder.File("store") + "/blocks/1.block";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  samples.clear();
  std::vector<Status> failures;
  failures.push_back(block->ReadSamples(19, {}, samples));
  const std::vector<Matcher> some = {Matcher::Equal("__name__", "m")};
  const auto status_of = [](const auto& result) {
    return result ? Status() : Status(result.error());
  };
  failures.push_back(status_of(block->Select(some)));
  failures.push_back(status_of(block->LabelsOf(3)));
  failures.push_back(status_of(block->LabelNames({})));
  failures.push_back(status_of(block->LabelValues("i", some)));
  const BlockSource source{block, nullptr};
  failures.push_back(status_of(MergeBlocks(*disk, {&source, 1}, "blocks/2.block")));
  for (const Status& failure : failures) {
    REQUIRE_FALSE(failure);
    CHECK(failure.error().kind() == ErrorKind::kCorrupt);
    CHECK_THAT(failure.error().message(), Catch::StartsWith("blocks/1.block at byte "));
    CHECK_THAT(failure.error().message(), Catch::Contains("the disk could not give bytes between"));
  }
  CHECK(samples.empty());
  REQUIRE(block->damage());
  CHECK(disk->List("blocks")->size() == 1);
  // At a new start it is refused.
  const auto opened = Block::Open(*disk, "blocks/1.block");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind() == ErrorKind::kCorrupt);
}

// The disk gives all but some bytes in the middle.
class Holed final : public MappedFile {
 public:
  Holed(std::string content, Lost hole) : content_(std::move(content)), hole_(hole) {
    std::fill(content_.begin() + static_cast<std::ptrdiff_t>(hole.begin),
              content_.begin() + static_cast<std::ptrdiff_t>(hole.end), '\0');
    bytes_ = content_;
  }
  Lost lost() const override { return hole_; }

 private:
  std::string content_;
  const Lost hole_;
};

TEST_CASE("A hole among the samples costs those reads alone, wherever it is", "[tsdb]") {
  const test::TempFolder folder;
  const auto disk = PosixDisk::Open(folder.File("store")).value();
  const auto whole = WriteBlock(*disk, "1.block");
  const MappedFilePtr file = disk->Map("1.block").value();
  const std::uint64_t end = DecodeFooter(file->bytes(), "")->index_offset;
  for (std::uint64_t begin = 512; begin + 4096 < end; begin += 512) {
    CAPTURE(begin);
    const MappedFile::Lost hole{begin, begin + 4096};
    const auto block =
        Block::Of(std::make_shared<Holed>(std::string(file->bytes()), hole), "1.block").value();
    std::size_t good = 0;
    for (std::uint32_t series = 0; series < block->series_count(); ++series) {
      storage::SampleColumns read, wanted;
      REQUIRE(whole->ReadSamples(series, {}, wanted));
      if (!block->ReadSamples(series, {}, read)) continue;
      ++good;
      REQUIRE(read.times == wanted.times);
      REQUIRE(read.values == wanted.values);
    }
    CHECK(good < 20);
    CHECK(good >= 16);
    CHECK(block->damage());
    const BlockSource source{block, nullptr};
    CHECK_FALSE(MergeBlocks(*disk, {&source, 1}, "2.block"));
  }
}

}  // namespace
}  // namespace skep::tsdb
