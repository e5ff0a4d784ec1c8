// Go's fmt, as far as templates reach it: the verbs of printf, and how values print.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "evaluator/template/value.h"

namespace skep::templates {

// %v of one value. Nil is "<nil>".
std::string FormatValue(const Value& value);

// Go's Sprint: a space between neighbours of which neither is a string. Sprintln: always, and a
// newline at the end.
std::string Sprint(std::span<const Value> values);
std::string Sprintln(std::span<const Value> values);

// Go's Sprintf with flags "+-# 0", width and precision (also `*` and `[n]`) and the verbs
// v s q d f F e E g G x X o O b c U t T %. What does not fit is told in the text as Go does it:
// "%!d(string=hi)", "%!d(MISSING)", "%!(EXTRA int=1)". Widths over 1,000,000 are refused so as
// well.
std::string Sprintf(std::string_view format, std::span<const Value> values);

// "1h30m0s", "1.5s", "250ms", "0s".
std::string FormatDurationGo(Nanoseconds duration);
// "2026-11-21 10:00:00.5 +0000 UTC".
std::string FormatTimeGo(Timestamp time);
// By a Go layout ("2006-01-02T15:04:05Z07:00"), in UTC.
std::string FormatTimeLayout(Timestamp time, std::string_view layout);

// `value` with `precision` significant digits, as %.Ng prints it.
std::string FormatGeneral(double value, int precision);

// One code point from the front of `text` (U+FFFD and one byte for what is no UTF-8), and its
// length in bytes. Requires: `text` is not empty.
struct Rune {
  char32_t code;
  std::size_t size;
};
Rune DecodeRune(std::string_view text);

}  // namespace skep::templates
