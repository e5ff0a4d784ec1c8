// The file "index" of a Prometheus block: which series it has, and where their chunks are.
// Versions 1 (Prometheus 2.0) and 2 (since 2.1); tsdb/docs/format/index.md there has pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/model/labels.h"

namespace skep::prometheusblock {

struct ChunkPlace {
  Timestamp min_time, max_time;  // both are samples'
  // The highest 32 bits: which of the chunk files, from 0; the others: the byte in it.
  std::uint64_t place = 0;
};

struct IndexedSeries {
  std::uint64_t number = 0;  // by which tombstones name it
  Labels labels;
  std::vector<ChunkPlace> chunks;  // in the order of time
};

// Immutable; owns nothing of the bytes. All errors are kCorrupt but that of another version
// (kInvalid), and name file and byte. Every sum of what is read is judged,
// by CheckUnread those of the rest.
class Index {
 public:
  // `bytes` are those of the file `path` and outlive the index. Reads all but the series.
  static Result<Index> Open(std::string_view bytes, std::string path);

  std::size_t series_count() const { return postings_.size() / 4; }
  // Series are in rising order of their labels. Requires: less than series_count(). On an error
  // `out` is anything; the next series may be good.
  Status Read(std::size_t series, IndexedSeries& out) const;
  // Judges the sums of what the series are read without: the list of series of each label pair, the
  // list of values of each label name, and the table of the latter. kCorrupt: the first wrong one.
  Status CheckUnread() const;

 private:
  Index(std::string_view bytes, std::string path) : bytes_(bytes), path_(std::move(path)) {}

  Error Damage(std::uint64_t at, std::string_view what) const;
  // A section with its length before it and its sum behind.
  Result<std::string_view> Section(std::uint64_t at, std::string_view name) const;
  Status ReadSymbols(std::uint64_t at);
  Status ReadPostings(std::uint64_t table_at);
  // A table of other sections, each with some strings that name it: looks at all of these.
  Status CheckTable(std::uint64_t at, const std::string& name) const;
  Result<std::string_view> Symbol(std::uint64_t reference) const;
  Status ReadContent(std::string_view content, std::uint64_t at, IndexedSeries& out) const;

  std::string_view bytes_;
  std::string path_;
  std::uint8_t version_ = 0;
  std::uint64_t values_table_at_ = 0;    // 0: there is none
  std::uint64_t postings_table_at_ = 0;  // the same
  // In version 1 the series name them by the byte in the file instead of by number.
  std::vector<std::string_view> symbols_;
  std::string_view postings_;  // of all series: where each is, 32 bits each
};

}  // namespace skep::prometheusblock
