// A procfs and a sysfs made of files that a test writes, and what a collector says of them.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "exporter/collectors/device_collectors.h"
#include "tests/support/temp_folder.h"

namespace skep::test {

class Tree {
 public:
  exporter::Paths paths() const {
    exporter::Paths paths;
    paths.procfs = folder_.File("proc");
    paths.sysfs = folder_.File("sys");
    paths.rootfs = folder_.File("root");
    return paths;
  }
  std::string File(std::string_view name) const { return folder_.File(name); }

  // "proc/..." or "sys/...", as it stands.
  void Write(std::string_view name, std::string_view text) const {
    std::filesystem::path path = File(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }
  void Link(std::string_view name, const std::string& target) const {
    std::filesystem::path path = File(name);
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::create_symlink(target, path);
  }
  void Folder(std::string_view name) const { std::filesystem::create_directories(File(name)); }
  void Remove(std::string_view name) const { std::filesystem::remove_all(File(name)); }

 private:
  TempFolder folder_;
};

struct Collected {
  Status status;
  std::string page;

  bool Has(std::string_view line) const {
    return ("\n" + page).find("\n" + std::string(line) + "\n") != std::string::npos;
  }
  bool Mentions(std::string_view text) const { return page.find(text) != std::string::npos; }
};

inline Collected Collect(
    exporter::Collector& collector,
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max()) {
  Collected out;
  exposition::PageWriter page(exposition::Format::kText, out.page);
  exporter::CollectContext context{page, deadline};
  out.status = collector.Collect(context);
  return out;
}
inline Collected Collect(const exporter::CollectorPtr& collector) { return Collect(*collector); }

}  // namespace skep::test
