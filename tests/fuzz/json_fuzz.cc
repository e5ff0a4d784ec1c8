// JSON of any bytes: read or refused; what was read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/json/value.h"
#include "common/json/writer.h"

namespace {

using skep::json::JsonWriter;
using skep::json::Value;
using skep::json::ValueKind;

void Write(const Value& value, JsonWriter& json) {
  switch (value.kind()) {
    case ValueKind::kNull:
      json.Null();
      return;
    case ValueKind::kBool:
      json.Bool(value.boolean());
      return;
    case ValueKind::kNumber:
      json.Double(value.number());
      return;
    case ValueKind::kString:
      json.String(value.text());
      return;
    case ValueKind::kArray:
      json.BeginArray();
      for (const Value& item : value.items()) Write(item, json);
      json.EndArray();
      return;
    case ValueKind::kObject:
      json.BeginObject();
      for (const auto& [key, member] : value.members()) Write(member, json.Key(key));
      json.EndObject();
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const skep::Result<Value> value = Value::Parse(text);
  if (!value) return 0;
  std::string out;
  JsonWriter json(out);
  Write(*value, json);
  if (!Value::Parse(out)) std::abort();
  return 0;
}
