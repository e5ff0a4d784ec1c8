// JSON from outside as a tree: what other servers answer and what clients post. The only user of
// nlohmann-json; its exceptions end here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace skep::json {

enum class ValueKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

// A plain value that owns what is below it. Thread-compatible.
class Value {
 public:
  using Member = std::pair<std::string, Value>;

  // Parses one whole text. kInvalid, with the byte it happened at, for what is no JSON, for nesting
  // over 200 deep and for anything but white space after it. Of equal keys the last counts.
  static Result<Value> Parse(std::string_view text);

  Value() = default;

  ValueKind kind() const { return kind_; }
  bool IsNull() const { return kind_ == ValueKind::kNull; }
  bool IsBool() const { return kind_ == ValueKind::kBool; }
  bool IsNumber() const { return kind_ == ValueKind::kNumber; }
  bool IsString() const { return kind_ == ValueKind::kString; }
  bool IsArray() const { return kind_ == ValueKind::kArray; }
  bool IsObject() const { return kind_ == ValueKind::kObject; }

  bool boolean() const { return boolean_; }          // false unless a bool
  double number() const { return number_; }          // 0 unless a number
  const std::string& text() const { return text_; }  // of a string; of a number as written; else ""
  std::optional<std::int64_t> AsInt() const;         // a number without fraction that fits

  const std::vector<Value>& items() const { return items_; }  // of an array, else none
  const std::vector<Member>& members() const {
    return members_;
  }  // of an object in order, else none

  // Member of an object; null where there is none.
  const Value* Find(std::string_view key) const;
  // The same as a reference; a null Value where there is none: `answer["data"]["result"].items()`.
  const Value& operator[](std::string_view key) const;

 private:
  friend class TreeBuilder;

  ValueKind kind_ = ValueKind::kNull;
  bool boolean_ = false;
  double number_ = 0;
  std::string text_;
  std::vector<Value> items_;
  std::vector<Member> members_;
};

}  // namespace skep::json
