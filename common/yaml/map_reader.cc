#include <algorithm>
#include <limits>

#include "common/yaml/node.h"

namespace skep::yaml {
namespace {

// Puts a read value into `out`, or its error into `reader`.
template <typename T>
void Put(MapReader& reader, Result<T> value, T& out) {
  if (value) {
    out = std::move(*value);
  } else {
    reader.Fail(value.error());
  }
}

}  // namespace

MapReader::MapReader(Node node) : node_(std::move(node)) {
  if (!node_.IsNull() && !node_.IsMap()) Fail(node_.Complain("expected a map"));
}

void MapReader::Read(std::string_view key, std::string& out) {
  if (const Node child = Take(key); !child.IsNull()) Put(*this, child.AsString(), out);
}

void MapReader::Read(std::string_view key, bool& out) {
  if (const Node child = Take(key); !child.IsNull()) Put(*this, child.AsBool(), out);
}

void MapReader::Read(std::string_view key, int& out) {
  const Node child = Take(key);
  if (child.IsNull()) return;
  const Result<std::int64_t> value = child.AsInt();
  if (!value) return Fail(value.error());
  using Limits = std::numeric_limits<int>;
  if (*value < Limits::min() || *value > Limits::max()) {
    return Fail(child.Complain("integer " + child.text() + " is out of range"));
  }
  out = static_cast<int>(*value);
}

void MapReader::Read(std::string_view key, std::int64_t& out) {
  if (const Node child = Take(key); !child.IsNull()) Put(*this, child.AsInt(), out);
}

void MapReader::Read(std::string_view key, double& out) {
  if (const Node child = Take(key); !child.IsNull()) Put(*this, child.AsDouble(), out);
}

void MapReader::Read(std::string_view key, Duration& out) {
  if (const Node child = Take(key); !child.IsNull()) Put(*this, child.AsDuration(), out);
}

void MapReader::Read(std::string_view key, std::vector<std::string>& out) {
  if (const Node child = Take(key); !child.IsNull()) Put(*this, child.AsStrings(), out);
}

void MapReader::ReadSizeBytes(std::string_view key, std::uint64_t& out) {
  if (const Node child = Take(key); !child.IsNull()) Put(*this, child.AsSizeBytes(), out);
}

Node MapReader::Take(std::string_view key) {
  Ignore(key);
  return node_.Get(key);
}

void MapReader::Ignore(std::string_view key) { asked_.emplace_back(key); }

void MapReader::Fail(Error error) {
  if (!error_) error_ = std::move(error);
}

Status MapReader::Finish(std::string_view what) {
  if (error_) return *error_;
  for (const auto& [key, value] : node_.entries()) {
    if (std::find(asked_.begin(), asked_.end(), key.text()) != asked_.end()) continue;
    return key.Complain("field " + key.text() + " not found in " + std::string(what));
  }
  return {};
}

}  // namespace skep::yaml
