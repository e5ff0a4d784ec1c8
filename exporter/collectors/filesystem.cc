// Space and inodes of mounted file systems.
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/mount_table.h"
#include "exporter/collectors/source_file.h"
#include "exporter/collectors/statfs_guard.h"

namespace skep::exporter {
namespace {

using exposition::MetricType;
using exposition::PageWriter;

constexpr std::string_view kMountPointsExclude =
    R"(^/(dev|proc|run|sys|mnt|media|var/lib/docker/.+|var/lib/containers/storage/.+)($|/))";
constexpr std::string_view kTypesExclude =
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|"
    "mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)"
    "$";

// The kernel answers for these from memory: they cannot hang, and no thread is needed to ask.
constexpr std::string_view kNeverHang[] = {"btrfs", "ext2",  "ext3", "ext4", "f2fs",
                                           "ramfs", "tmpfs", "vfat", "xfs"};

// A mount to be shown, with its labels rendered once.
struct Shown {
  std::string path;    // where we reach it
  std::string labels;  // device, fstype, mountpoint
  bool readonly = false;
  bool can_hang = false;
  StatfsGuard::Answer answer;
};

struct Column {
  std::string_view family;
  std::string_view help;
  double (*value)(const Shown& shown);
};

double Bytes(fsblkcnt_t blocks, const struct statvfs& space) {
  return static_cast<double>(blocks) * static_cast<double>(space.f_frsize);
}

constexpr Column kColumns[] = {
    {"node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.",
     [](const Shown& s) { return Bytes(s.answer.space.f_bavail, s.answer.space); }},
    {"node_filesystem_files", "Filesystem total file nodes.",
     [](const Shown& s) { return static_cast<double>(s.answer.space.f_files); }},
    {"node_filesystem_files_free", "Filesystem total free file nodes.",
     [](const Shown& s) { return static_cast<double>(s.answer.space.f_ffree); }},
    {"node_filesystem_free_bytes", "Filesystem free space in bytes.",
     [](const Shown& s) { return Bytes(s.answer.space.f_bfree, s.answer.space); }},
    {"node_filesystem_readonly", "Filesystem read-only status.",
     [](const Shown& s) { return s.readonly ? 1.0 : 0.0; }},
    {"node_filesystem_size_bytes", "Filesystem size in bytes.",
     [](const Shown& s) { return Bytes(s.answer.space.f_blocks, s.answer.space); }},
};

class FilesystemCollector final : public Collector {
 public:
  explicit FilesystemCollector(const CollectorSetup& setup)
      : paths_(setup.paths),
        mount_points_exclude_(setup.options.Pattern("mount-points-exclude")),
        types_exclude_(setup.options.Pattern("fs-types-exclude")),
        init_mounts_(setup.paths.Proc("1/mounts")),
        own_mounts_(setup.paths.Proc("self/mounts")),
        guard_(setup.options.Span("mount-timeout")) {}

  std::string_view name() const override { return "filesystem"; }

  Status Collect(CollectContext& context) override {
    // Those of process 1 are the machine's; its file may be hidden from us.
    Result<std::string_view> text = init_mounts_.Read();
    if (!text) text = own_mounts_.Read();
    if (!text) return text.error();
    RETURN_IF_ERROR(Follow(*text));
    Ask(context.deadline);
    Write(context.page);
    return {};
  }

 private:
  // The table changes rarely, so the work per mount is done when the text differs.
  Status Follow(std::string_view text) {
    if (text == text_) return {};
    Result<std::vector<Mount>> mounts = ParseMounts(text);
    if (!mounts) return mounts.error();
    text_ = text;
    shown_.clear();
    std::set<std::tuple<std::string, std::string, std::string>> seen;
    for (const Mount& mount : *mounts) {
      const std::string point = WithoutRoot(mount.mountpoint);
      if (mount_points_exclude_ && mount_points_exclude_->PartialMatch(point)) continue;
      if (types_exclude_ && types_exclude_->PartialMatch(mount.type)) continue;
      // One sample per label set, also where something is mounted over the same thing twice.
      if (!seen.emplace(mount.device, point, mount.type).second) continue;
      shown_.push_back(Prepare(mount, point));
    }
    return {};
  }

  Shown Prepare(const Mount& mount, const std::string& point) const {
    Shown shown;
    shown.path = paths_.rootfs == "/" ? point : paths_.rootfs + point;
    shown.labels = exposition::RenderLabels(
        {{"device", mount.device}, {"fstype", mount.type}, {"mountpoint", point}});
    shown.readonly = mount.readonly;
    shown.can_hang =
        std::find(std::begin(kNeverHang), std::end(kNeverHang), mount.type) == std::end(kNeverHang);
    return shown;
  }

  // In a container the host's root is mounted at rootfs and its mounts are seen below that.
  std::string WithoutRoot(const std::string& path) const {
    const std::string& root = paths_.rootfs;
    if (root == "/" || !path.starts_with(root)) return path;
    if (path.size() == root.size()) return "/";
    return path[root.size()] == '/' ? path.substr(root.size()) : path;
  }

  void Ask(std::chrono::steady_clock::time_point deadline) {
    std::vector<std::string> risky;
    for (Shown& shown : shown_) {
      if (shown.can_hang) {
        risky.push_back(shown.path);
      } else {
        const int failed = ::statvfs(shown.path.c_str(), &shown.answer.space);
        shown.answer.error = failed == 0 ? 0 : errno;
      }
    }
    const std::vector<StatfsGuard::Answer> answers = guard_.Ask(risky, deadline);
    std::size_t next = 0;
    for (Shown& shown : shown_) {
      if (shown.can_hang) shown.answer = answers[next++];
    }
  }

  void Write(PageWriter& page) const {
    const bool any = std::any_of(shown_.begin(), shown_.end(),
                                 [](const Shown& shown) { return shown.answer.error == 0; });
    if (any) WriteColumn(page, kColumns[0]);
    if (!shown_.empty()) {
      page.Family("node_filesystem_device_error",
                  "Whether an error occurred while getting statistics for the given device.",
                  MetricType::kGauge);
    }
    for (const Shown& shown : shown_) {
      page.RenderedSample(shown.labels, shown.answer.error == 0 ? 0 : 1);
    }
    if (!any) return;
    for (std::size_t i = 1; i < std::size(kColumns); ++i) WriteColumn(page, kColumns[i]);
  }

  void WriteColumn(PageWriter& page, const Column& column) const {
    page.Family(column.family, column.help, MetricType::kGauge);
    for (const Shown& shown : shown_) {
      if (shown.answer.error == 0) page.RenderedSample(shown.labels, column.value(shown));
    }
  }

  const Paths& paths_;
  const std::optional<Regex> mount_points_exclude_;
  const std::optional<Regex> types_exclude_;
  SourceFile init_mounts_;
  SourceFile own_mounts_;
  StatfsGuard guard_;
  std::string text_;  // of the table that shown_ was made from
  std::vector<Shown> shown_;
};

Result<std::unique_ptr<Collector>> Create(const CollectorSetup& setup) {
  return std::unique_ptr<Collector>(std::make_unique<FilesystemCollector>(setup));
}

}  // namespace

CollectorSpec FilesystemSpec() {
  return {.name = "filesystem",
          .options = {{"mount-points-exclude", OptionKind::kRegex, std::string(kMountPointsExclude),
                       "Regexp of mount points to exclude"},
                      {"fs-types-exclude", OptionKind::kRegex, std::string(kTypesExclude),
                       "Regexp of filesystem types to exclude"},
                      {"mount-timeout", OptionKind::kDuration, "5s",
                       "How long to wait for a mount before it counts as stuck"}},
          .create = Create};
}

}  // namespace skep::exporter
