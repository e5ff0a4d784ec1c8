#include "evaluator/cmd/share_folder.h"

#include <cstdlib>
#include <filesystem>

namespace skep::evaluator {
namespace {

namespace fs = std::filesystem;

bool HoldsRules(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "rules" / "runbooks.md", ignored);
}

}  // namespace

std::string FindShareFolder() {
  if (const char* folder = std::getenv("SKEP_SHARE"); folder != nullptr && *folder != '\0') {
    return HoldsRules(folder) ? folder : "";
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return "";
  const fs::path installed = (program.parent_path() / ".." / "share" / "skep").lexically_normal();
  if (HoldsRules(installed)) return installed.string();
  // build/bin/skep-evaluator in a source tree, or another build folder that was told where it is.
  for (fs::path folder = program.parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (HoldsRules(folder)) return folder.string();
  }
  return HoldsRules(SKEP_SOURCE_DIR) ? SKEP_SOURCE_DIR : "";
}

}  // namespace skep::evaluator
