#include "evaluator/scrape/series_cache.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace skep::scrape {
namespace {

using Index = SeriesCache::Index;

// Lines of which neighbours share much, or nothing; some are longer than a shared part may be.
std::string RandomLine(std::mt19937& random) {
  static const std::string kLong(70'000, 'y');
  std::string line = "metric_" + std::to_string(random() % 5) + "{path=\"/some/long/path/";
  line += std::to_string(random() % 40) + "\",le=\"" + std::to_string(random() % 10) + "\"}";
  if (random() % 300 == 0) line = kLong + line;
  return random() % 10 == 0 ? std::to_string(random() % 50) : line;
}

// The cache, and what a plain map of lines says.
class Pages {
 public:
  // One page as PageIngester reads it; gives how often the expected line came.
  int Read(const std::vector<std::string>& lines) {
    ++page_;
    int expected = 0;
    cache_.StartPage();
    for (const std::string& line : lines) {
      Index index = cache_.expected_index();
      const auto& [head, tail] = cache_.expected();
      if (index != SeriesCache::kNone && std::string(head) + std::string(tail) == line) {
        ++expected;
      } else {
        index = cache_.Find(line);
      }
      REQUIRE((index == SeriesCache::kNone) == !refs_.contains(line));
      if (index == SeriesCache::kNone) {
        index = cache_.Add(line);
        REQUIRE(index != SeriesCache::kNone);
        cache_.entry(index).ref = refs_[line] = ++last_ref_;
        cache_.SetWatched(index, static_cast<std::uint32_t>(last_ref_));
      }
      cache_.Advance(index, line);
      cache_.entry(index).page = page_;
      REQUIRE(cache_.entry(index).ref == refs_.at(line));
      REQUIRE(cache_.watched(index) == refs_.at(line));
      REQUIRE(cache_.BytesOf(index) == line);
    }
    return expected;
  }
  void Compact() {
    cache_.Compact(page_);
    // What is left is what the cache has: it alone decides when it pays.
    std::map<std::string, std::uint64_t> left;
    for (Index index = 0; index < cache_.size(); ++index) {
      const std::string line = cache_.BytesOf(index);
      REQUIRE(refs_.at(line) == cache_.entry(index).ref);
      left[line] = refs_[line];
    }
    REQUIRE(left.size() == cache_.size());
    refs_ = std::move(left);
  }
  std::size_t known() const { return refs_.size(); }
  const SeriesCache& cache() const { return cache_; }

 private:
  SeriesCache cache_;
  std::map<std::string, std::uint64_t> refs_;
  std::uint64_t last_ref_ = 0;
  std::uint32_t page_ = 0;
};

TEST_CASE("Lines of random pages are found as in a plain map", "[scrape]") {
  std::mt19937 random(21);
  Pages pages;
  std::vector<std::string> lines;
  for (int page = 0; page < 60; ++page) {
    for (int i = 0; i < 20; ++i) {
      const auto at = static_cast<std::ptrdiff_t>(random() % (lines.size() + 1));
      lines.insert(lines.begin() + at, RandomLine(random));
    }
    if (page % 10 == 9) lines.erase(lines.begin(), lines.begin() + std::ssize(lines) * 3 / 4);
    pages.Read(lines);
    if (page % 3 == 0) pages.Compact();
  }
}

TEST_CASE("A page like the one before has the expected lines", "[scrape]") {
  std::mt19937 random(22);
  std::map<std::string, int> distinct;
  while (distinct.size() < 200) distinct[RandomLine(random)];
  std::vector<std::string> lines;
  for (const auto& [line, unused] : distinct) lines.push_back(line);
  std::shuffle(lines.begin(), lines.end(), random);
  Pages pages;
  CHECK(pages.Read(lines) == 0);
  CHECK(pages.Read(lines) == 200);
  std::swap(lines[50], lines[120]);
  CHECK(pages.Read(lines) < 200);
  CHECK(pages.Read(lines) == 200);
  lines.erase(lines.begin() + 10, lines.begin() + 20);
  pages.Read(lines);
  CHECK(pages.Read(lines) == 190);
  CHECK(pages.known() == 200);
}

TEST_CASE("Neighbours that share most of their bytes take few", "[scrape]") {
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  for (int i = 0; i < 2000; ++i) {
    lines.push_back(
        "http_request_duration_seconds_bucket{handler=\"/api/v1/items\",code=\"200\",le=\"" +
        std::to_string(i) + "\"}");
    bytes += lines.back().size();
  }
  Pages pages;
  pages.Read(lines);
  CHECK(pages.cache().heap_bytes() < 2000 * (sizeof(SeriesCache::Entry) + 40) + 100);
  CHECK(pages.cache().heap_bytes() < bytes);
}

}  // namespace
}  // namespace skep::scrape
