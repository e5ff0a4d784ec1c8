// JSON of any bytes: read or refused, by tree and flat reader alike; what was read can be written
// and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/json/reader.h"
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

bool Same(const Value& tree, skep::json::Element flat) {
  if (tree.kind() != flat.kind() || tree.boolean() != flat.boolean()) return false;
  if (tree.IsString() && tree.text() != flat.text()) return false;
  if (tree.IsNumber() && tree.number() != flat.number()) return false;
  std::size_t i = 0;
  for (const skep::json::Element item : flat.items()) {
    if (i == tree.items().size() || !Same(tree.items()[i++], item)) return false;
  }
  if (i != tree.items().size()) return false;
  i = 0;
  for (const auto& [key, value] : flat.members()) {
    if (i == tree.members().size() || tree.members()[i].first != key) return false;
    if (!Same(tree.members()[i++].second, value)) return false;
  }
  return i == tree.members().size();
}

bool Says(const skep::Error& error, std::string_view words) {
  return error.message().find(words) != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const skep::Result<Value> value = Value::Parse(text);
  skep::json::Document document;
  const skep::Status flat = document.Parse(text);
  // They may differ about numbers at the end of a double's range only.
  if (value && !flat && !Says(flat.error(), "number too big")) std::abort();
  if (!value && flat && !Says(value.error(), "number overflow")) std::abort();
  if (value && flat && !Same(*value, document.root())) std::abort();
  if (!value) return 0;
  std::string out;
  JsonWriter json(out);
  Write(*value, json);
  if (!Value::Parse(out)) std::abort();
  return 0;
}
