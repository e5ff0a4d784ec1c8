// Numbers as text: shortest form that reads back to the same double, and strict reading. No locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skep {

// As Go's strconv 'g' with shortest precision prints it, hence Prometheus's text page, templates
// and PromQL printer: "1", "0.1", "123456", "1.234567e+06", "1e-05", "NaN", "+Inf", "-Inf". An
// exponent stands where the decimal exponent is below -4 or at least 6, with two digits or more.
std::string FormatDouble(double value);
void AppendDouble(std::string& out, double value);

// As Prometheus's HTTP API prints sample values: no exponent from 1e-6 up to 1e21: "1000000",
// "0.00001".
std::string FormatPlainDouble(double value);
void AppendPlainDouble(std::string& out, double value);

// The whole text as a number: decimal, exponent, hexadecimal float, "Inf", "+inf", "-Infinity",
// "NaN" in any case. Nothing before or after. Out of range becomes infinity or zero as in strtod.
std::optional<double> ParseDouble(std::string_view text);

// The whole text as a decimal integer.
std::optional<std::int64_t> ParseInt(std::string_view text);
std::optional<std::uint64_t> ParseUint(std::string_view text);

}  // namespace skep
