#include "common/json/reader.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "common/base/ascii.h"
#include "common/base/number.h"
#include "common/base/quote.h"
#include "common/model/labels.h"

namespace skep::json {
namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighs = 0x8080808080808080ULL;

// The high bit of each byte that is `c`, exact up to the first such byte.
constexpr std::uint64_t BytesEqual(std::uint64_t word, unsigned char c) {
  const std::uint64_t x = word ^ (kOnes * c);
  return (x - kOnes) & ~x & kHighs;
}

// The first byte from `at` on that a string's plain run cannot hold: quote, backslash, control byte
// or a byte over 0x7f; `end` where there is none. Eight bytes at a time: a byte at a time cost
// half of the whole parse.
const char* SkipPlain(const char* at, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  for (; end - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
    const std::uint64_t found =
        BytesEqual(word, '"') | BytesEqual(word, '\\') | control | (word & kHighs);
    if (found != 0) return at + (std::countr_zero(found) >> 3);
  }
  for (; at != end; ++at) {
    const auto c = static_cast<unsigned char>(*at);
    if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80) return at;
  }
  return end;
}

char ShortEscape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '/':
      return c;
    default:
      return 0;
  }
}

}  // namespace

// Parses one text into a Document. Each step returns false after noting what is wrong and where.
class Reader {
 public:
  Reader(Document& document, std::string_view text)
      : document_(document), begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  Status Run() {
    if (end_ - at_ >= 3 && std::memcmp(at_, "\xef\xbb\xbf", 3) == 0) at_ += 3;
    if (ReadAll()) return {};
    return Invalid("JSON: byte " + std::to_string(at_ - begin_ + 1) + ": " + problem_);
  }

 private:
  using Node = Document::Node;

  bool Fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  void SkipSpace() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  // Behind white space; 0 at the end.
  char Peek() {
    SkipSpace();
    return at_ == end_ ? '\0' : *at_;
  }

  std::uint32_t Offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  std::uint32_t Next() const { return static_cast<std::uint32_t>(document_.nodes_.size()); }

  void Put(ValueKind kind, bool flag, std::uint32_t begin, std::size_t length) {
    document_.nodes_.push_back({kind, flag, Next() + 1, begin, static_cast<std::uint32_t>(length)});
  }

  // Values one after the other, with a stack of the open containers instead of recursion.
  bool ReadAll() {
    if (!ReadValue()) return false;
    while (!document_.open_.empty()) {
      if (!ReadNextInContainer()) return false;
    }
    return Peek() == '\0' && at_ == end_ ? true : Fail("nothing may follow the value");
  }

  // Behind an opening bracket or a value in a container: the next value, or the end.
  bool ReadNextInContainer() {
    const std::uint32_t container = document_.open_.back();
    const bool is_object = document_.nodes_[container].kind == ValueKind::kObject;
    const bool is_first = container + 1 == Next();
    const char c = Peek();
    if (c == (is_object ? '}' : ']')) return Close(container);
    if (!is_first) {
      if (c != ',') return Fail(is_object ? "expected ',' or '}'" : "expected ',' or ']'");
      ++at_;
    }
    return !is_object || ReadKey() ? ReadValue() : false;
  }

  bool ReadKey() {
    if (Peek() != '"') return Fail("expected a key between quotes");
    if (!ReadString()) return false;
    if (Peek() != ':') return Fail("expected ':'");
    ++at_;
    return true;
  }

  bool ReadValue() {
    switch (Peek()) {
      case '{':
        return Open(ValueKind::kObject);
      case '[':
        return Open(ValueKind::kArray);
      case '"':
        return ReadString();
      case 't':
        return ReadWord("true", ValueKind::kBool, true);
      case 'f':
        return ReadWord("false", ValueKind::kBool, false);
      case 'n':
        return ReadWord("null", ValueKind::kNull, false);
      default:
        return ReadNumber();
    }
  }

  bool Open(ValueKind kind) {
    if (document_.open_.size() >= kMaxDepth) return Fail("nested more than 200 deep");
    document_.open_.push_back(Next());
    Put(kind, false, Offset(at_), 0);
    ++at_;
    return true;
  }

  bool Close(std::uint32_t container) {
    ++at_;
    Node& node = document_.nodes_[container];
    node.next = Next();
    node.length = Offset(at_) - node.begin;
    document_.open_.pop_back();
    return true;
  }

  bool ReadWord(std::string_view word, ValueKind kind, bool flag) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) !=
        word) {
      return Fail("expected a value");
    }
    Put(kind, flag, Offset(at_), word.size());
    at_ += word.size();
    return true;
  }

  bool SkipDigits() {
    if (at_ == end_ || !IsDigit(*at_)) return Fail("expected a digit");
    while (at_ != end_ && IsDigit(*at_)) ++at_;
    return true;
  }

  bool ReadNumber() {
    const char* const first = at_;
    if (at_ == end_ || (*at_ != '-' && !IsDigit(*at_))) return Fail("expected a value");
    if (*at_ == '-') ++at_;
    if (at_ != end_ && *at_ == '0') {
      ++at_;
    } else if (!SkipDigits()) {
      return false;
    }
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      if (!SkipDigits()) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!SkipDigits()) return false;
    }
    Put(ValueKind::kNumber, false, Offset(first), static_cast<std::size_t>(at_ - first));
    return true;
  }

  // At the opening quote.
  bool ReadString() {
    const char* const first = ++at_;
    bool is_ascii = true;
    for (;;) {
      at_ = SkipPlain(at_, end_);
      if (at_ == end_) return Fail("the string has no end");
      const auto c = static_cast<unsigned char>(*at_);
      if (c == '"') break;
      if (c == '\\') return ReadEscaped(first);
      if (c < 0x20) return Fail("a control byte in a string");
      is_ascii = false;
      ++at_;
    }
    const std::string_view text(first, static_cast<std::size_t>(at_ - first));
    if (!is_ascii && !IsUtf8(text)) return Fail("the string is no UTF-8");
    Put(ValueKind::kString, false, Offset(first), text.size());
    ++at_;
    return true;
  }

  // A string that began at `first` and has its first backslash at at_.
  bool ReadEscaped(const char* first) {
    std::string& out = document_.unescaped_;
    const std::size_t begin = out.size();
    out.append(first, at_);
    while (*at_ != '"') {
      if (*at_ == '\\') {
        if (!ReadEscape(out)) return false;
      } else if (static_cast<unsigned char>(*at_) < 0x20) {
        return Fail("a control byte in a string");
      } else {
        out.push_back(*at_++);
      }
      const char* const plain = at_;
      at_ = SkipPlain(at_, end_);
      out.append(plain, at_);
      if (at_ == end_) return Fail("the string has no end");
    }
    ++at_;
    if (!IsUtf8(std::string_view(out).substr(begin))) return Fail("the string is no UTF-8");
    Put(ValueKind::kString, true, static_cast<std::uint32_t>(begin), out.size() - begin);
    return true;
  }

  // At a backslash.
  bool ReadEscape(std::string& out) {
    if (end_ - at_ < 2) return Fail("the string has no end");
    ++at_;
    if (*at_ != 'u') {
      const char c = ShortEscape(*at_);
      if (c == 0) return Fail("unknown escape");
      out.push_back(c);
      ++at_;
      return true;
    }
    ++at_;
    std::uint32_t code = 0;
    if (!ReadHex(code)) return false;
    if (code >= 0xdc00 && code < 0xe000) return Fail("half of a surrogate pair");
    if (code >= 0xd800 && code < 0xdc00) {
      std::uint32_t low = 0;
      if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u')
        return Fail("half of a surrogate pair");
      at_ += 2;
      if (!ReadHex(low)) return false;
      if (low < 0xdc00 || low >= 0xe000) return Fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    AppendUtf8(out, code);
    return true;
  }

  bool ReadHex(std::uint32_t& code) {
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return Fail("the string has no end");
      const char lower = static_cast<char>(*at_ | 0x20);
      if (IsDigit(*at_)) {
        code = code * 16 + static_cast<std::uint32_t>(*at_ - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        code = code * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
      } else {
        return Fail("expected four hexadecimal digits");
      }
    }
    return true;
  }

  Document& document_;
  const char* begin_;
  const char* at_;
  const char* end_;
  const char* problem_ = "";
};

Status Document::Parse(std::string_view text) {
  text_ = text;
  unescaped_.clear();
  nodes_.clear();
  open_.clear();
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    return Invalid("JSON: larger than 4 GiB");
  }
  return Reader(*this, text).Run();
}

Element Document::root() const { return {this, 0}; }

std::string_view Element::text() const {
  if (!IsString() && !IsNumber()) return {};
  const std::string_view source = node().flag ? document_->unescaped_ : document_->text_;
  return source.substr(node().begin, node().length);
}

std::string_view Element::raw() const {
  if (!IsNumber() && !IsArray() && !IsObject()) return {};
  return document_->text_.substr(node().begin, node().length);
}

double Element::number() const { return IsNumber() ? ParseDouble(text()).value_or(0) : 0; }

std::optional<std::int64_t> Element::AsInt() const {
  if (!IsNumber()) return std::nullopt;
  if (const std::optional<std::int64_t> exact = ParseInt(text())) return exact;
  const double value = number();
  if (std::trunc(value) != value || std::fabs(value) >= 9223372036854775808.0) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

Element::Items Element::items() const {
  if (!IsArray()) return {nullptr, 0, 0};
  return {document_, index_ + 1, node().next};
}

Element::Members Element::members() const {
  if (!IsObject()) return {nullptr, 0, 0};
  return {document_, index_ + 1, node().next};
}

Element Element::Find(std::string_view key) const {
  Element found;
  for (const auto& [name, value] : members()) {
    if (name == key) found = value;
  }
  return found;
}

}  // namespace skep::json
