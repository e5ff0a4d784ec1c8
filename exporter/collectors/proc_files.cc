#include "exporter/collectors/proc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "common/base/ascii.h"
#include "common/base/number.h"

namespace skep::exporter {

namespace {

constexpr std::string_view kBlank = " \t\r\n\v\f";

// One read is enough for a file of one value, and a driver that answers in pieces does not exist.
std::optional<std::string_view> ReadOnce(const std::string& path, std::array<char, 4096>& buffer) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  ssize_t size = ::read(file, buffer.data(), buffer.size());
  ::close(file);
  if (size < 0) return std::nullopt;
  return Trim(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
}

}  // namespace

std::string_view Trim(std::string_view text) { return skep::Trim(text, kBlank); }

std::optional<std::string_view> NextLine(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view NextField(std::string_view& line) {
  std::size_t begin = std::min(line.find_first_not_of(kBlank), line.size());
  std::size_t end = std::min(line.find_first_of(kBlank, begin), line.size());
  std::string_view field = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return field;
}

void SplitFields(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (std::string_view field = NextField(line); !field.empty(); field = NextField(line)) {
    fields.push_back(field);
  }
}

std::optional<std::string> ReadText(const std::string& path) {
  std::array<char, 4096> buffer;
  std::optional<std::string_view> text = ReadOnce(path, buffer);
  if (!text) return std::nullopt;
  return std::string(*text);
}

std::optional<std::uint64_t> ReadUint(const std::string& path) {
  std::array<char, 4096> buffer;
  std::optional<std::string_view> text = ReadOnce(path, buffer);
  return text ? ParseUint(*text) : std::nullopt;
}

std::optional<std::int64_t> ReadInt(const std::string& path) {
  std::array<char, 4096> buffer;
  std::optional<std::string_view> text = ReadOnce(path, buffer);
  return text ? ParseInt(*text) : std::nullopt;
}

std::optional<double> ReadNumber(const std::string& path) {
  std::array<char, 4096> buffer;
  std::optional<std::string_view> text = ReadOnce(path, buffer);
  return text ? ParseDouble(*text) : std::nullopt;
}

Result<std::vector<std::string>> ListFolder(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (folder == nullptr) return FromErrno("open folder " + path, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> ListFolderOrNone(const std::string& path) {
  Result<std::vector<std::string>> names = ListFolder(path);
  return names ? std::move(*names) : std::vector<std::string>();
}

bool FileExists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool IsFolder(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string LinkBaseName(const std::string& path) {
  std::array<char, 4096> buffer;
  ssize_t size = ::readlink(path.c_str(), buffer.data(), buffer.size());
  if (size <= 0) return {};
  std::string_view target(buffer.data(), static_cast<std::size_t>(size));
  return std::string(target.substr(target.rfind('/') + 1));
}

}  // namespace skep::exporter
