#include "common/json/value.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <nlohmann/json.hpp>

#include "common/base/number.h"

namespace skep::json {

// nlohmann's parser keeps its own stack and calls this: neither recursion nor its tree is needed.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Value& root() { return root_; }
  const std::string& problem() const { return problem_; }

  bool null() override { return Place({}); }
  bool boolean(bool value) override {
    Value node;
    node.kind_ = ValueKind::kBool;
    node.boolean_ = value;
    return Place(std::move(node));
  }
  bool number_integer(std::int64_t value) override {
    return PlaceNumber(static_cast<double>(value), std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value) override {
    return PlaceNumber(static_cast<double>(value), std::to_string(value));
  }
  bool number_float(double value, const std::string& text) override {
    return PlaceNumber(value, text);
  }
  bool string(std::string& text) override {
    Value node;
    node.kind_ = ValueKind::kString;
    node.text_ = std::move(text);
    return Place(std::move(node));
  }
  bool binary(nlohmann::json::binary_t&) override { return false; }  // JSON has none

  bool start_object(std::size_t) override { return Begin(ValueKind::kObject); }
  bool key(std::string& text) override {
    keys_.back() = std::move(text);
    return true;
  }
  bool end_object() override { return End(); }
  bool start_array(std::size_t) override { return Begin(ValueKind::kArray); }
  bool end_array() override { return End(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& failure) override {
    problem_ = "byte " + std::to_string(position) + ": " + Brief(failure.what());
    return false;
  }

 private:
  static constexpr std::size_t kMaxDepth = 200;

  // nlohmann's text without its own number and place: "[json.exception…] parse error at …: REST".
  static std::string Brief(std::string_view text) {
    const std::size_t at = text.find("syntax error");
    return std::string(at == std::string_view::npos ? text : text.substr(at));
  }

  bool PlaceNumber(double value, std::string text) {
    Value node;
    node.kind_ = ValueKind::kNumber;
    node.number_ = value;
    node.text_ = std::move(text);
    return Place(std::move(node));
  }

  bool Begin(ValueKind kind) {
    if (open_.size() >= kMaxDepth) {
      problem_ = "nested more than 200 deep";
      return false;
    }
    Value& node = open_.emplace_back();
    node.kind_ = kind;
    keys_.emplace_back();
    return true;
  }

  bool End() {
    Value done = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return Place(std::move(done));
  }

  // A finished value goes below the innermost open one, or is the root.
  bool Place(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().kind_ == ValueKind::kArray) {
      open_.back().items_.push_back(std::move(value));
    } else {
      open_.back().members_.emplace_back(std::move(keys_.back()), std::move(value));
    }
    return true;
  }

  Value root_;
  std::vector<Value> open_;
  std::vector<std::string> keys_;  // of the member to come, per open value
  std::string problem_;
};

Result<Value> Value::Parse(std::string_view text) {
  // nlohmann takes a zero byte for the end, whatever follows.
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
    return Invalid("JSON: byte " + std::to_string(at + 1) + ": a zero byte");
  }
  TreeBuilder builder;
  try {
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
      return std::move(builder.root());
    }
  } catch (const std::exception& failure) {
    return Invalid(std::string("JSON: ") + failure.what());
  }
  return Invalid("JSON: " + builder.problem());
}

std::optional<std::int64_t> Value::AsInt() const {
  if (!IsNumber()) return std::nullopt;
  if (const std::optional<std::int64_t> exact = ParseInt(text_)) return exact;
  if (std::trunc(number_) != number_ || std::fabs(number_) >= 9223372036854775808.0) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number_);
}

const Value* Value::Find(std::string_view key) const {
  const auto found = std::find_if(members_.rbegin(), members_.rend(),
                                  [&](const Member& member) { return member.first == key; });
  return found == members_.rend() ? nullptr : &found->second;
}

const Value& Value::operator[](std::string_view key) const {
  static const Value kNothing;
  const Value* found = Find(key);
  return found == nullptr ? kNothing : *found;
}

}  // namespace skep::json
