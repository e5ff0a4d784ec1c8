// JSON from outside for hot paths: one pass over a copy of the text into one flat array, no
// allocation per value. The only user of RapidJSON. value.h is easier to keep and to build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/json/value.h"

namespace skep::json {

class Element;

// One parsed text. Reused for many: Parse keeps the memory of the last one. Thread-compatible.
class Document {
 public:
  // Parses one whole text, which must live as long as elements are read. kInvalid, with the byte it
  // happened at, for what is no JSON, for strings that are no UTF-8, for nesting over 200 deep and
  // for anything but white space after it (a byte order mark may stand before it). Elements of
  // the text before are then invalid. Refuses exactly what Value::Parse refuses, but for numbers at
  // the end of a double's range: RapidJSON goes by digits and exponent, so that 9e308 reads as
  // infinity and 0e309 is refused.
  Status Parse(std::string_view text);

  // Requires: the last Parse succeeded.
  Element root() const;

 private:
  friend class Element;
  friend class FlatBuilder;

  // Values in order of the text; a member is its key, as a string, followed by its value.
  struct Node {
    ValueKind kind;
    bool flag;             // true; of a string: it stands in copy_, unescaped
    std::uint32_t next;    // index behind the value and all in it
    std::uint32_t begin;   // of the text between the quotes; of a container and number all of it
    std::uint32_t length;  // in bytes
  };

  std::string_view text_;
  std::string copy_;  // of text_, with the strings unescaped where they stand
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> open_;  // containers whose end has not come yet
};

// A cheap handle of one value; valid until the next Parse of its Document. One that does not exist
// (Find of a key that is not there) reads as null.
class Element {
 public:
  class Items;
  class Members;

  Element() = default;

  bool exists() const { return document_ != nullptr; }
  ValueKind kind() const { return exists() ? node().kind : ValueKind::kNull; }
  bool IsNull() const { return kind() == ValueKind::kNull; }
  bool IsBool() const { return kind() == ValueKind::kBool; }
  bool IsNumber() const { return kind() == ValueKind::kNumber; }
  bool IsString() const { return kind() == ValueKind::kString; }
  bool IsArray() const { return kind() == ValueKind::kArray; }
  bool IsObject() const { return kind() == ValueKind::kObject; }

  bool boolean() const { return IsBool() && node().flag; }  // false unless a bool
  double number() const;                                    // 0 unless a number
  // Of a string, unescaped; of a number as written; else "". A view of the parsed text or, for a
  // string with escapes, of the Document.
  std::string_view text() const;
  // A number without fraction that fits, also one written as 1.0 or 1e3.
  std::optional<std::int64_t> AsInt() const;
  // The bytes of a number, array or object as they stand; else "".
  std::string_view raw() const;

  // Empty unless an array: `for (Element item : element.items())`.
  Items items() const;
  // Empty unless an object, in order: `for (const auto& [key, value] : element.members())`.
  Members members() const;
  // Of equal keys the last; looks at each member, so a loop over members() is better for many keys.
  Element Find(std::string_view key) const;
  Element operator[](std::string_view key) const { return Find(key); }

 private:
  friend class Document;
  Element(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
  const Document::Node& node() const { return document_->nodes_[index_]; }

  const Document* document_ = nullptr;
  std::uint32_t index_ = 0;
};

// The values of a container, each read by `Derived::At`.
template <typename Derived>
class Range {
 public:
  class Iterator {
   public:
    auto operator*() const { return Derived::At(document_, index_); }
    Iterator& operator++() {
      index_ = Derived::Next(document_, index_);
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    friend class Range;
    Iterator(const Document* document, std::uint32_t index) : document_(document), index_(index) {}
    const Document* document_;
    std::uint32_t index_;
  };

  Iterator begin() const { return {document_, begin_}; }
  Iterator end() const { return {document_, end_}; }

 protected:
  Range(const Document* document, std::uint32_t begin, std::uint32_t end)
      : document_(document), begin_(begin), end_(end) {}

 private:
  const Document* document_;
  std::uint32_t begin_;
  std::uint32_t end_;
};

class Element::Items : public Range<Items> {
 private:
  friend class Element;
  friend class Range<Items>;
  using Range::Range;
  static Element At(const Document* document, std::uint32_t index) { return {document, index}; }
  static std::uint32_t Next(const Document* document, std::uint32_t index) {
    return document->nodes_[index].next;
  }
};

class Element::Members : public Range<Members> {
 private:
  friend class Element;
  friend class Range<Members>;
  using Range::Range;
  static std::pair<std::string_view, Element> At(const Document* document, std::uint32_t index) {
    return {Element(document, index).text(), Element(document, index + 1)};
  }
  static std::uint32_t Next(const Document* document, std::uint32_t index) {
    return document->nodes_[index + 1].next;
  }
};

}  // namespace skep::json
