#include "evaluator/prometheusblock/index.h"

#include <utility>

#include "evaluator/prometheusblock/big_endian.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::prometheusblock {
namespace {

constexpr std::uint32_t kMagic = 0xBAAAD700;
constexpr std::size_t kHeaderBytes = 5;
constexpr std::size_t kContentsBytes = 6UL * 8;
constexpr std::uint64_t kAlignment = 16;  // of series, since version 2

// Of those that we read, in the table at the end of the file.
constexpr std::size_t kSymbolsAt = 0;
constexpr std::size_t kValuesTableAt = 3UL * 8;
constexpr std::size_t kPostingsTableAt = 5UL * 8;

}  // namespace

Error Index::Damage(std::uint64_t at, std::string_view what) const {
  return Corrupt(path_ + ": byte " + std::to_string(at) + ": " + std::string(what));
}

Result<std::string_view> Index::Section(std::uint64_t at, std::string_view name) const {
  if (at > bytes_.size() || bytes_.size() - at < 4) {
    return Damage(at, std::string(name) + " lies beyond the end of the file");
  }
  const std::string_view rest = bytes_.substr(at);
  const std::optional<std::string_view> content = Summed(rest.substr(4), LoadU32(rest));
  if (!content) return Damage(at, std::string(name) + " is cut short, or its checksum is wrong");
  if (content->size() < 4) return Damage(at, std::string(name) + " has no length");
  return *content;
}

Result<Index> Index::Open(std::string_view bytes, std::string path) {
  Index index(bytes, std::move(path));
  if (bytes.size() < kHeaderBytes + kContentsBytes + 4 || LoadU32(bytes) != kMagic) {
    return index.Damage(0, "this does not begin as an index of Prometheus");
  }
  index.version_ = static_cast<std::uint8_t>(bytes[4]);
  if (index.version_ != 1 && index.version_ != 2) {
    return Invalid(index.path_ + ": version " + std::to_string(index.version_) +
                   " of the index is not known; 1 and 2 are");
  }
  const std::uint64_t contents_at = bytes.size() - kContentsBytes - 4;
  const std::optional<std::string_view> contents =
      Summed(bytes.substr(contents_at), kContentsBytes);
  if (!contents) return index.Damage(contents_at, "the checksum of the table of contents is wrong");
  RETURN_IF_ERROR(index.ReadSymbols(LoadU64(contents->substr(kSymbolsAt))));
  index.values_table_at_ = LoadU64(contents->substr(kValuesTableAt));
  index.postings_table_at_ = LoadU64(contents->substr(kPostingsTableAt));
  RETURN_IF_ERROR(index.ReadPostings(index.postings_table_at_));
  return index;
}

Status Index::ReadSymbols(std::uint64_t at) {
  const Result<std::string_view> section = Section(at, "the symbol table");
  if (!section) return section.error();
  tsdb::ByteReader reader(section->substr(4));
  const std::uint32_t count = LoadU32(*section);
  if (count > reader.left()) return Damage(at, "the symbol table counts more than it has");
  symbols_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view symbol = reader.String();
    if (!reader.ok() || !IsUtf8(symbol)) {
      return Damage(at, "symbol " + std::to_string(i) + " is cut short, or not UTF-8");
    }
    symbols_.push_back(symbol);
  }
  return {};
}

// The list of all series is the one of the label with an empty name.
Status Index::ReadPostings(std::uint64_t table_at) {
  if (table_at == 0) return {};  // there are none
  const Result<std::string_view> table = Section(table_at, "the table of postings");
  if (!table) return table.error();
  tsdb::ByteReader reader(table->substr(4));
  while (!reader.done()) {
    const std::uint64_t parts = reader.Varint();
    const std::string_view name = reader.String();
    const std::string_view value = reader.String();
    const std::uint64_t at = reader.Varint();
    if (!reader.ok() || parts != 2) return Damage(table_at, "the table of postings is broken");
    if (!name.empty() || !value.empty()) continue;
    const Result<std::string_view> postings = Section(at, "the list of all series");
    if (!postings) return postings.error();
    if (LoadU32(*postings) != (postings->size() - 4) / 4 || postings->size() % 4 != 0) {
      return Damage(at, "the list of all series does not have the length that it says");
    }
    postings_ = postings->substr(4);
    return {};
  }
  return Damage(table_at, "the table of postings lacks the list of all series");
}

Status Index::CheckTable(std::uint64_t at, const std::string& name) const {
  if (at == 0) return {};
  const Result<std::string_view> table = Section(at, "the table of " + name);
  if (!table) return table.error();
  tsdb::ByteReader reader(table->substr(4));
  while (!reader.done()) {
    for (std::uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) reader.String();
    const std::uint64_t section_at = reader.Varint();
    if (!reader.ok()) return Damage(at, "the table of " + name + " is broken");
    const Result<std::string_view> section = Section(section_at, "one of the " + name);
    if (!section) return section.error();
  }
  return {};
}

Status Index::CheckUnread() const {
  RETURN_IF_ERROR(CheckTable(values_table_at_, "lists of values"));
  return CheckTable(postings_table_at_, "postings");
}

Result<std::string_view> Index::Symbol(std::uint64_t reference) const {
  if (version_ == 2) {
    if (reference < symbols_.size()) return symbols_[reference];
  } else if (reference < bytes_.size()) {
    tsdb::ByteReader reader(bytes_.substr(reference));
    const std::string_view symbol = reader.String();
    if (reader.ok() && IsUtf8(symbol)) return symbol;
  }
  return Corrupt("a label that is none");
}

Status Index::Read(std::size_t series, IndexedSeries& out) const {
  out.number = LoadU32(postings_.substr(series * 4));
  const std::uint64_t at = version_ == 2 ? out.number * kAlignment : out.number;
  if (at >= bytes_.size()) return Damage(at, "a series lies beyond the end of the file");
  tsdb::ByteReader reader(bytes_.substr(at));
  const std::uint64_t size = reader.Varint();
  const std::optional<std::string_view> content =
      reader.ok() ? Summed(bytes_.substr(bytes_.size() - reader.left()), size) : std::nullopt;
  if (!content) return Damage(at, "a series is cut short, or its checksum is wrong");
  return ReadContent(*content, at, out);
}

Status Index::ReadContent(std::string_view content, std::uint64_t at, IndexedSeries& out) const {
  tsdb::ByteReader reader(content);
  std::vector<LabelView> pairs;
  for (std::uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    const Result<std::string_view> name = Symbol(reader.Varint());
    const Result<std::string_view> value = Symbol(reader.Varint());
    if (!name || !value || name->empty()) return Damage(at, "a series has a label that is none");
    pairs.push_back({*name, *value});
  }
  out.labels = Labels::FromPairs(pairs);
  out.chunks.clear();
  std::uint64_t time = 0;
  std::uint64_t place = 0;
  for (std::uint64_t left = reader.Varint(); left > 0 && reader.ok(); --left) {
    const bool first = out.chunks.empty();
    time += first ? static_cast<std::uint64_t>(reader.Signed()) : reader.Varint();
    ChunkPlace chunk;
    chunk.min_time = FromMillis(static_cast<std::int64_t>(time));
    time += reader.Varint();
    chunk.max_time = FromMillis(static_cast<std::int64_t>(time));
    place += first ? reader.Varint() : static_cast<std::uint64_t>(reader.Signed());
    chunk.place = place;
    out.chunks.push_back(chunk);
  }
  if (!reader.ok()) return Damage(at, "a series ends too early");
  return {};
}

}  // namespace skep::prometheusblock
