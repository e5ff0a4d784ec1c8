#include "common/json/reader.h"

// Sixteen bytes of a string at a time, which every x86-64 can.
#ifdef __SSE2__
#define RAPIDJSON_SSE2
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/ascii.h"
#include "common/base/number.h"
#include "common/model/labels.h"

namespace skep::json {
namespace {

constexpr std::size_t kMaxDepth = 200;
constexpr std::size_t kBlock = 64;
// Decoding in place costs no memory per string; a number is checked, but left as it is written.
// kParseValidateEncodingFlag is not here: it goes byte by byte, and a parse takes twice as long.
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;

// May stand nowhere in JSON. RapidJSON 1.1.0 lets 0x1a to 0x1f pass in strings where it looks at
// sixteen bytes at once, and takes a zero byte for the end.
constexpr bool IsForbidden(char c) {
  return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
}

constexpr bool IsHigh(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// What of a text needs a second look.
class Survey {
 public:
  // Of `blocks` whole blocks: a count that the compiler knows makes it use vectors.
  Survey(const char* text, std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i) Add(text + i * kBlock);
  }

  bool has_forbidden() const { return forbidden_ != 0; }
  bool has_escapes() const { return backslash_ != 0; }
  bool is_ascii() const { return all_ < 0x80; }

 private:
  void Add(const char* block) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      forbidden_ |= static_cast<unsigned char>(IsForbidden(block[i]));
      backslash_ |= static_cast<unsigned char>(block[i] == '\\');
      all_ |= static_cast<unsigned char>(block[i]);
    }
  }

  unsigned char forbidden_ = 0;
  unsigned char backslash_ = 0;
  unsigned char all_ = 0;
};

Error Refuse(std::size_t offset, const std::string& problem) {
  return Invalid("JSON: byte " + std::to_string(offset + 1) + ": " + problem);
}

// RapidJSON's sentence as the rest of a line: small, without its full stop.
std::string Describe(rapidjson::ParseErrorCode code) {
  std::string text = rapidjson::GetParseError_En(code);
  if (text.ends_with('.')) text.pop_back();
  if (IsLetter(text[0])) text[0] = static_cast<char>(text[0] | 0x20);
  return text;
}

}  // namespace

// What RapidJSON calls for each value: puts it into the Document. False ends the parse. RapidJSON
// calls itself for each container, so the limit of depth guards its stack, too.
class FlatBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, FlatBuilder> {
 public:
  FlatBuilder(Document& document, const Survey& survey)
      : document_(document),
        stream_(document.copy_.data()),
        is_plain_(survey.is_ascii() && !survey.has_escapes()),
        has_escapes_(survey.has_escapes()) {}

  Status Run() {
    if (document_.text_.starts_with("\xef\xbb\xbf")) stream_.src_ += 3;
    rapidjson::Reader reader;
    const rapidjson::ParseResult result = reader.Parse<kFlags>(stream_, *this);
    if (!problem_.empty()) return Refuse(problem_at_, problem_);
    if (result.IsError()) return Refuse(result.Offset(), Describe(result.Code()));
    return {};
  }

  bool Default() { return false; }  // numbers come to RawNumber only
  bool Null() { return Put(ValueKind::kNull, false, 0, 0); }
  bool Bool(bool value) { return Put(ValueKind::kBool, value, 0, 0); }
  bool RawNumber(const char* text, std::uint32_t length, bool) {
    return Put(ValueKind::kNumber, false, OffsetOf(text), length);
  }
  bool Key(const char* text, std::uint32_t length, bool copy) { return String(text, length, copy); }
  bool String(const char* text, std::uint32_t length, bool) {
    const std::uint32_t begin = OffsetOf(text);
    if (!is_plain_ && !IsGood({text, length})) return Fail(begin, "the string is no UTF-8");
    // A first escape stands in as many bytes as the unescaped string has.
    const bool is_escaped =
        has_escapes_ && document_.text_.substr(begin, length).find('\\') != std::string_view::npos;
    return Put(ValueKind::kString, is_escaped, begin, length);
  }
  bool StartObject() { return Open(ValueKind::kObject); }
  bool StartArray() { return Open(ValueKind::kArray); }
  bool EndObject(std::uint32_t) { return Close(); }
  bool EndArray(std::uint32_t) { return Close(); }

 private:
  // An escape of half a surrogate pair gets through RapidJSON, too.
  static bool IsGood(std::string_view decoded) {
    return std::none_of(decoded.begin(), decoded.end(), IsHigh) || IsUtf8(decoded);
  }

  bool Fail(std::size_t offset, const char* problem) {
    problem_at_ = offset;
    problem_ = problem;
    return false;
  }

  std::uint32_t OffsetOf(const char* at) const {
    return static_cast<std::uint32_t>(at - stream_.head_);
  }
  // Behind what was read last. Not while a string or number is read: then a copy of it moves.
  std::uint32_t Here() const { return OffsetOf(stream_.src_); }
  std::uint32_t Next() const { return static_cast<std::uint32_t>(document_.nodes_.size()); }

  bool Put(ValueKind kind, bool flag, std::uint32_t begin, std::uint32_t length) {
    document_.nodes_.push_back({kind, flag, Next() + 1, begin, length});
    return true;
  }

  // Behind the opening bracket.
  bool Open(ValueKind kind) {
    if (document_.open_.size() >= kMaxDepth) return Fail(Here() - 1, "nested more than 200 deep");
    document_.open_.push_back(Next());
    return Put(kind, false, Here() - 1, 0);
  }

  // Behind the closing bracket.
  bool Close() {
    Document::Node& node = document_.nodes_[document_.open_.back()];
    node.next = Next();
    node.length = Here() - node.begin;
    document_.open_.pop_back();
    return true;
  }

  Document& document_;
  rapidjson::InsituStringStream stream_;
  bool is_plain_;  // no string can be broken UTF-8
  bool has_escapes_;
  std::size_t problem_at_ = 0;
  std::string problem_;
};

Status Document::Parse(std::string_view text) {
  text_ = text;
  nodes_.clear();
  open_.clear();
  if (text.size() > std::numeric_limits<std::uint32_t>::max() - kBlock) {
    return Invalid("JSON: larger than 4 GiB");
  }
  // One to 64 blanks make the last block whole. RapidJSON ends at a zero byte, and looks at fifteen
  // bytes behind it at most.
  const std::size_t blocks = text.size() / kBlock + 1;
  copy_.reserve(blocks * kBlock);
  copy_.assign(text).append(blocks * kBlock - text.size(), ' ');
  const Survey survey(copy_.data(), blocks);
  if (survey.has_forbidden()) {
    const auto* const found = std::find_if(text.begin(), text.end(), IsForbidden);
    return Refuse(static_cast<std::size_t>(found - text.begin()), "a control byte");
  }
  copy_[text.size()] = '\0';
  return FlatBuilder(*this, survey).Run();
}

Element Document::root() const { return {this, 0}; }

std::string_view Element::text() const {
  if (!IsString() && !IsNumber()) return {};
  const std::string_view source = node().flag ? document_->copy_ : document_->text_;
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
