// Writes JSON piece by piece into a string: for answers of many megabytes, without a tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skep::json {

// Adds `text` with quotes, escaped as Go's encoding/json does it (also < > & and U+2028, U+2029),
// so that our bytes equal Prometheus's. A byte that is no UTF-8 becomes U+FFFD.
void AppendString(std::string& out, std::string_view text);

// Puts commas and colons; that Begin and End, Key and value alternate rightly is the caller's.
// Thread-compatible.
//
//   JsonWriter json(out);
//   json.BeginObject().Key("status").String("success").Key("data").BeginArray();
//   ...
//   json.EndArray().EndObject();
class JsonWriter {
 public:
  // Appends to `out`, which must outlive the writer and may be read or swapped out between calls.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);

  JsonWriter& String(std::string_view text);
  JsonWriter& Int(std::int64_t value);
  JsonWriter& Uint(std::uint64_t value);
  // A bare number, shortest; NaN and infinities, which JSON has not, become null.
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }
  // `json` as a value, as it stands.
  JsonWriter& Raw(std::string_view json);

  // "key": value, for the common kinds.
  JsonWriter& Field(std::string_view key, std::string_view text) { return Key(key).String(text); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate() {
    if (need_comma_) out_.push_back(',');
    need_comma_ = true;
  }

  std::string& out_;
  bool need_comma_ = false;
};

}  // namespace skep::json
