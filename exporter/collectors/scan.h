// Numbers taken from the front of a line, field by field; beside NextLine and NextField.
#pragma once

#include <cstdint>
#include <string_view>

namespace skep::exporter {

// The next field as a number of that kind. False: none is left, or it is no such number; `value` is
// untouched then.
bool NextUint(std::string_view& line, std::uint64_t& value);
bool NextDouble(std::string_view& line, double& value);
bool NextHex(std::string_view& line, std::uint64_t& value);

// Hexadecimal with or without "0x", the whole text. False: it is none, or does not fit 64 bits.
bool ParseHex(std::string_view text, std::uint64_t& value);

}  // namespace skep::exporter
