// The pairs of label name and value of a block, numbered in the order of names, then values; so a
// name's values are neighbours, and series compare by the numbers of their pairs.
//
//   names       of each: its text (string), number of values (varint)
//   values      groups of 16 of one name; of each value: how many first bytes are those of the one
//               before (varint; 0 at the begin of a group), the others (string), bytes of its
//               postings (varint)
//   directory   of each group: where it begins, where the postings of its first value begin
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "evaluator/tsdb/block_format.h"
#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

// Immutable, thread-safe. A view of a mapped file. Every error is kCorrupt with file and offset.
class PairTable {
 public:
  struct Name {
    std::string_view text;
    std::uint32_t first_pair = 0;
    std::uint32_t first_group = 0;
    std::uint32_t values = 0;  // at least 1
  };
  class Walk;

  // Reads the names. `file` must outlive the table.
  static Result<PairTable> Open(const BlockBytes& file, const IndexParts& parts,
                                const BlockFooter& footer);

  const std::vector<Name>& names() const { return names_; }
  std::uint32_t size() const { return size_; }
  // Null where no series has the label.
  const Name* Find(std::string_view name) const;
  // Requires of this and the next: `pair` is below size().
  const Name& NameOf(std::uint32_t pair) const;
  // Replaces `value`.
  Status ValueOf(std::uint32_t pair, std::string& value) const;

  // All values of a name.
  Walk ValuesOf(const Name& name) const;
  // Those from the first at or after `value` on, and up to 15 before it.
  Result<Walk> ValuesNear(const Name& name, std::string_view value) const;
  // The postings of one pair; nothing where the name has no such value.
  Result<std::optional<std::string_view>> PostingsOf(const Name& name,
                                                     std::string_view value) const;

 private:
  PairTable(const BlockBytes& file, const IndexParts& parts, const BlockFooter& footer);
  Status ReadNames(std::string_view bytes, const BlockFooter& footer);
  Result<std::string_view> FirstOf(std::uint32_t group) const;

  const BlockBytes* file_;
  std::string_view values_, postings_;
  PackedArray directory_;
  std::vector<Name> names_;
  std::uint32_t size_ = 0;
};

// Walks values of one name in their order. Thread-compatible; a view of its table.
class PairTable::Walk {
 public:
  // Begins before the first value of the name's group `group`, counted in the name.
  Walk(const PairTable& table, const Name& name, std::uint32_t group);

  // Moves to the first or next value. False at the end, and where the bytes are no values.
  bool Next();
  std::uint32_t pair() const { return next_ - 1; }
  const std::string& value() const { return value_; }  // until Next
  std::string_view postings() const { return postings_; }
  // After Next gave false.
  const Status& status() const { return status_; }

 private:
  bool BeginGroup();
  bool Fail(const char* at);

  const PairTable* table_;
  const Name* name_;
  std::uint32_t next_, end_;  // pairs
  ByteReader in_;
  std::uint64_t postings_at_ = 0;
  std::string value_;
  std::string_view postings_;
  Status status_;
};

}  // namespace skep::tsdb
