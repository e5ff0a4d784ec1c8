#include "exporter/collectors/scan.h"

#include <charconv>

#include "common/base/number.h"
#include "exporter/collectors/proc_files.h"

namespace skep::exporter {
namespace {

template <typename T>
bool ParseWhole(std::string_view text, T& value, int base) {
  T number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return false;
  value = number;
  return true;
}

}  // namespace

bool NextUint(std::string_view& line, std::uint64_t& value) {
  return ParseWhole(NextField(line), value, 10);
}

bool NextDouble(std::string_view& line, double& value) {
  const auto number = ParseDouble(NextField(line));
  if (number) value = *number;
  return number.has_value();
}

bool NextHex(std::string_view& line, std::uint64_t& value) {
  return ParseHex(NextField(line), value);
}

bool ParseHex(std::string_view text, std::uint64_t& value) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  return ParseWhole(text, value, 16);
}

}  // namespace skep::exporter
