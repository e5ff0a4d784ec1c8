#include "exporter/collectors/mount_table.h"

#include <algorithm>
#include <optional>

#include "common/base/quote.h"
#include "exporter/collectors/proc_files.h"

namespace skep::exporter {
namespace {

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// The kernel writes blank, tab, newline and backslash as \040, \011, \012 and \134.
std::string Unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view code = text.substr(i + 1, 3);
    if (text[i] == '\\' && code.size() == 3 && code[0] <= '3' && IsOctal(code[0]) &&
        IsOctal(code[1]) && IsOctal(code[2])) {
      out += static_cast<char>((code[0] - '0') * 64 + (code[1] - '0') * 8 + (code[2] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool HasOption(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const std::size_t comma = std::min(options.find(','), options.size());
    if (options.substr(0, comma) == wanted) return true;
    options.remove_prefix(std::min(comma + 1, options.size()));
  }
  return false;
}

}  // namespace

Result<std::vector<Mount>> ParseMounts(std::string_view text) {
  std::vector<Mount> mounts;
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::string_view rest = *line;
    const std::string_view device = NextField(rest);
    const std::string_view mountpoint = NextField(rest);
    const std::string_view type = NextField(rest);
    const std::string_view options = NextField(rest);
    if (options.empty()) return Invalid("malformed mount " + Quote(*line));
    mounts.push_back(
        {Unescaped(device), Unescaped(mountpoint), std::string(type), HasOption(options, "ro")});
  }
  return mounts;
}

}  // namespace skep::exporter
