#include "exporter/ingest/otlp_model.h"

#include <cmath>

#include "common/base/number.h"

namespace skep::ingest {

std::optional<double> AttributeValue::AsNumber() const {
  std::optional<double> value;
  if (kind_ == Kind::kInt) value = static_cast<double>(integer_);
  if (kind_ == Kind::kDouble) value = number_;
  if (kind_ == Kind::kString) value = ParseDouble(text_);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<bool> AttributeValue::AsBool() const {
  if (kind_ == Kind::kBool) return integer_ != 0;
  if (kind_ == Kind::kString && text_ == "true") return true;
  if (kind_ == Kind::kString && text_ == "false") return false;
  return std::nullopt;
}

void AttributeValue::AppendTo(std::string& out) const {
  switch (kind_) {
    case Kind::kString:
      out.append(text_);
      return;
    case Kind::kBool:
      out.append(integer_ != 0 ? "true" : "false");
      return;
    case Kind::kInt:
      out.append(std::to_string(integer_));
      return;
    case Kind::kDouble:
      AppendDouble(out, number_);
      return;
    case Kind::kNone:
    case Kind::kOther:
      return;
  }
}

const AttributeValue* FindAttribute(Attributes attributes, std::string_view key) {
  for (std::size_t i = attributes.size(); i > 0; --i) {
    if (attributes[i - 1].key == key) return &attributes[i - 1].value;
  }
  return nullptr;
}

std::string_view AttributeText(Attributes attributes, std::string_view key) {
  const AttributeValue* const value = FindAttribute(attributes, key);
  return value != nullptr && value->kind() == AttributeValue::Kind::kString ? value->text()
                                                                            : std::string_view();
}

void OtlpBatch::Clear() {
  resources.clear();
  scopes.clear();
  metrics.clear();
  points.clear();
  histograms.clear();
  logs.clear();
  spans.clear();
  dropped = 0;
  dropped_reason.clear();
  attributes.Clear();
  numbers.Clear();
  counts.Clear();
  events.Clear();
  text.Clear();
}

}  // namespace skep::ingest
