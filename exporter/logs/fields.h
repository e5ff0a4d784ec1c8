// The names that fields of structured logs have, and what they mean: common to JSON, logfmt and
// patterns with named groups.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/hash.h"
#include "common/base/result.h"
#include "exporter/logs/line_format.h"

namespace skep::logs {

enum class FieldKind : std::uint8_t {
  kMethod,
  kPath,
  kRequest,
  kStatus,
  kDuration,
  kUpstream,
  kBytes,
  kLevel,
  kMessage
};

struct FieldUse {
  FieldKind kind = FieldKind::kLevel;
  double scale = 1;     // of a bare number, to seconds; 0: unknown, only a value with a unit counts
  bool chosen = false;  // by the user: wins over well-known names
};

// Immutable, thread-safe.
class FieldTable {
 public:
  // kInvalid: a key of `fields.names` that is none.
  static Result<FieldTable> Create(const FieldNames& fields);
  // Only the keys themselves ("method", "duration_ms", …), for groups of patterns.
  static FieldTable ForGroups(double duration_scale);

  // Null where the name means nothing to us.
  const FieldUse* Find(std::string_view name) const;
  // Whether a name with dots begins with this one, so that the object must be looked into.
  bool IsParent(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return HashBytes(text); }
  };

  void Add(std::string_view name, FieldUse use);

  std::unordered_map<std::string, FieldUse, Hash, std::equal_to<>> uses_;
  std::unordered_map<std::string, bool, Hash, std::equal_to<>> parents_;
};

// Notes which fields a line had, so that the user's choice wins whatever the order.
struct FieldsSeen {
  std::uint32_t chosen = 0;  // bits of FieldKind
  std::uint32_t any = 0;
};
// Puts one value where it belongs; the first of equal rank stays.
void AssignField(const FieldUse& use, std::string_view value, FieldsSeen& seen, ParsedLine& out);
// What is only a request with some of its fields: a status without method and path is none.
void FinishFields(const FieldsSeen& seen, ParsedLine& out);

}  // namespace skep::logs
