#include "exporter/stores/fields.h"

#include <algorithm>
#include <cmath>

#include "common/base/number.h"

namespace skep::stores {
namespace {

constexpr std::string_view kVaultMagic = "RFE1";
constexpr double kEarliestMillis = 978'307'200'000;  // 2001
constexpr double kLatestMillis = 4'102'444'800'000;  // 2100

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0'; }

std::optional<Timestamp> PlausibleTime(const Result<Timestamp>& time) {
  if (!time) return {};
  return PlausibleMillis(static_cast<double>(ToMillis(*time)));
}

}  // namespace

Reading<json::Value> ParseStore(std::string_view bytes) {
  if (bytes.starts_with(kVaultMagic)) return ReadFailure::kEncrypted;
  // A crash leaves files full of zeros on some file systems.
  if (std::ranges::all_of(bytes, IsBlank)) return ReadFailure::kEmpty;
  Result<json::Value> value = json::Value::Parse(bytes);
  if (!value) return ReadFailure::kTruncated;
  return std::move(*value);
}

const std::string& TextField(const json::Value& object, std::string_view key) {
  static const std::string none;
  const json::Value& value = object[key];
  return value.IsString() ? value.text() : none;
}

std::optional<double> NumberField(const json::Value& object, std::string_view key) {
  const json::Value& value = object[key];
  std::optional<double> number;
  if (value.IsNumber()) number = value.number();
  if (value.IsString()) number = ParseDouble(value.text());
  if (number && !std::isfinite(*number)) return {};
  return number;
}

std::optional<double> CountField(const json::Value& object, std::string_view key) {
  std::optional<double> number = NumberField(object, key);
  if (number && *number < 0) return {};
  return number;
}

std::optional<Timestamp> TimeField(const json::Value& object, std::string_view key) {
  const json::Value& value = object[key];
  if (value.IsNumber()) return PlausibleMillis(value.number());
  if (!value.IsString() || value.text().find('T') == std::string::npos) return {};
  return PlausibleTime(ParseTimestamp(value.text()));
}

std::optional<Timestamp> ParseSqlTime(std::string_view text) {
  if (text.size() < 19 || text[4] != '-') return {};
  std::string rfc(text);
  if (rfc[10] == ' ') rfc[10] = 'T';
  if (rfc.find_first_of("Z+", 19) == std::string::npos) rfc += 'Z';
  return PlausibleTime(ParseTimestamp(rfc));
}

std::optional<Timestamp> PlausibleMillis(double milliseconds) {
  if (!(milliseconds >= kEarliestMillis && milliseconds <= kLatestMillis)) return {};
  return FromMillis(static_cast<std::int64_t>(milliseconds));
}

}  // namespace skep::stores
