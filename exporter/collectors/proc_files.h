// Where procfs and sysfs stand, and reading their small files cheaply.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace skep::exporter {

// --path.procfs, --path.sysfs, --path.rootfs, --path.udev.data. No slash at the end, but for "/".
struct Paths {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
  std::string rootfs = "/";
  std::string udev_data = "/run/udev/data";

  std::string Proc(std::string_view name) const { return procfs + "/" + std::string(name); }
  std::string Sys(std::string_view name) const { return sysfs + "/" + std::string(name); }
};

// White space at both ends taken away, as kernel files end in a newline.
std::string_view Trim(std::string_view text);
// Taken from the front: up to the next newline, which is eaten. Nothing at the end of the text.
std::optional<std::string_view> NextLine(std::string_view& text);
// Taken from the front: up to the next blank or tab, runs of which are eaten. "" at the end.
std::string_view NextField(std::string_view& line);
// All fields of a line into `fields`, whose capacity is reused.
void SplitFields(std::string_view line, std::vector<std::string_view>& fields);

// The first line's worth of a file that holds one value. What cannot be read or is no number is
// nothing: sysfs files come and go with their devices, and drivers answer EIO or EINVAL.
std::optional<std::string> ReadText(const std::string& path);
std::optional<std::uint64_t> ReadUint(const std::string& path);
std::optional<std::int64_t> ReadInt(const std::string& path);
std::optional<double> ReadNumber(const std::string& path);

// Names in a folder, sorted, without "." and "..". kNotFound where there is no such folder.
Result<std::vector<std::string>> ListFolder(const std::string& path);
// The same, and none where the folder cannot be read.
std::vector<std::string> ListFolderOrNone(const std::string& path);

bool FileExists(const std::string& path);
bool IsFolder(const std::string& path);
// The last component of what a symbolic link points to; "" where it is none.
std::string LinkBaseName(const std::string& path);

}  // namespace skep::exporter
