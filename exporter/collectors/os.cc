// Which distribution runs, by its os-release file.
#include <sys/stat.h>

#include <array>
#include <map>
#include <optional>
#include <string>

#include "common/base/number.h"
#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/source_file.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;

// In the order of the specification: the first that exists counts.
constexpr std::string_view kPlaces[] = {"/etc/os-release", "/usr/lib/os-release"};

// The value of KEY=value with shell quotes and backslashes resolved.
std::string Unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  const bool has_escapes = quoted ? text.front() == '"' : true;
  if (quoted) text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (has_escapes && text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::map<std::string, std::string> ParseOsRelease(std::string_view text) {
  std::map<std::string, std::string> values;
  while (std::optional<std::string_view> line = NextLine(text)) {
    const std::string_view entry = Trim(*line);
    const std::size_t equals = entry.find('=');
    if (entry.starts_with('#') || equals == std::string_view::npos) continue;
    values[std::string(entry.substr(0, equals))] = Unquoted(Trim(entry.substr(equals + 1)));
  }
  return values;
}

// "22.04" of "22.04.1": digits, and a fraction where there is one.
std::optional<double> MajorMinor(std::string_view version) {
  constexpr std::string_view kDigits = "0123456789";
  std::size_t end = std::min(version.find_first_not_of(kDigits), version.size());
  if (end == 0) return std::nullopt;
  if (end < version.size() && version[end] == '.') {
    end = std::min(version.find_first_not_of(kDigits, end + 1), version.size());
    if (version[end - 1] == '.') --end;
  }
  return ParseDouble(version.substr(0, end));
}

class OsCollector final : public Collector {
 public:
  explicit OsCollector(const Paths& paths) {
    const std::string prefix = paths.rootfs == "/" ? "" : paths.rootfs;
    for (const std::string_view place : kPlaces) paths_.push_back(prefix + std::string(place));
  }

  std::string_view name() const override { return "os"; }

  Status Collect(CollectContext& context) override {
    RETURN_IF_ERROR(Refresh());
    context.page.Family("node_os_info",
                        "A metric with a constant '1' value labeled by build_id, id, id_like, "
                        "image_id, image_version, name, pretty_name, variant, variant_id, "
                        "version, version_codename, version_id.",
                        MetricType::kGauge);
    context.page.RenderedSample(info_labels_, 1);
    if (!version_) return {};
    context.page.Family("node_os_version",
                        "Metric containing the major.minor part of the OS version.",
                        MetricType::kGauge);
    context.page.RenderedSample(version_labels_, *version_);
    return {};
  }

 private:
  // Reads the file again where its time, size or inode changed.
  Status Refresh() {
    struct stat info {};
    std::size_t place = 0;
    while (place < paths_.size() && ::stat(paths_[place].c_str(), &info) != 0) ++place;
    if (place == paths_.size()) return NotFound("no os-release file");
    const Identity now{place, info.st_ino, static_cast<std::uint64_t>(info.st_size),
                       static_cast<std::uint64_t>(info.st_mtim.tv_sec),
                       static_cast<std::uint64_t>(info.st_mtim.tv_nsec)};
    if (now == identity_) return {};
    SourceFile file(paths_[place], SourceFile::Keep::kReopen);
    const Result<std::string_view> text = file.Read();
    if (!text) return text.error();
    Describe(ParseOsRelease(*text));
    identity_ = now;
    return {};
  }

  void Describe(std::map<std::string, std::string> os) {
    info_labels_ = exposition::RenderLabels({{"build_id", os["BUILD_ID"]},
                                             {"id", os["ID"]},
                                             {"id_like", os["ID_LIKE"]},
                                             {"image_id", os["IMAGE_ID"]},
                                             {"image_version", os["IMAGE_VERSION"]},
                                             {"name", os["NAME"]},
                                             {"pretty_name", os["PRETTY_NAME"]},
                                             {"variant", os["VARIANT"]},
                                             {"variant_id", os["VARIANT_ID"]},
                                             {"version", os["VERSION"]},
                                             {"version_codename", os["VERSION_CODENAME"]},
                                             {"version_id", os["VERSION_ID"]}});
    version_labels_ = exposition::RenderLabels(
        {{"id", os["ID"]}, {"id_like", os["ID_LIKE"]}, {"name", os["NAME"]}});
    version_ = MajorMinor(os["VERSION_ID"]);
  }

  using Identity = std::array<std::uint64_t, 5>;  // place, inode, size, time

  std::vector<std::string> paths_;
  std::optional<Identity> identity_;
  std::string info_labels_;
  std::string version_labels_;
  std::optional<double> version_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<OsCollector>(setup.paths));
}

}  // namespace

CollectorSpec OsSpec() { return {.name = "os", .create = Create}; }

}  // namespace skep::exporter
