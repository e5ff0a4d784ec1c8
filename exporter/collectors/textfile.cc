#include "exporter/collectors/textfile.h"

#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <memory>

#include "common/base/file.h"
#include "exporter/collectors/family_set.h"
#include "exporter/collectors/textfile_page.h"

namespace skep::exporter {

namespace {

constexpr std::string_view kSuffix = ".prom";

// Changes whenever the file is written or replaced.
struct Version {
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  timespec modified{};
  timespec changed{};

  bool operator==(const Version& other) const {
    auto same = [](const timespec& a, const timespec& b) {
      return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
    };
    return inode == other.inode && size == other.size && same(modified, other.modified) &&
           same(changed, other.changed);
  }
};

Result<Version> Look(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return FromErrno("look at " + path, errno);
  // Opening a pipe would wait for its writer.
  if (!S_ISREG(info.st_mode)) return Invalid(path + ": not a regular file");
  return Version{info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
}

struct File {
  Version version;
  Result<TextfileFamilies> families = TextfileFamilies();
  bool seen = false;
};

class TextfileCollector : public Collector {
 public:
  TextfileCollector(TextfileOptions options, Logger logger)
      : options_(std::move(options)), logger_(std::move(logger)) {}

  std::string_view name() const override { return "textfile"; }

  Status Collect(CollectContext& context) override {
    failed_ = false;
    for (auto& [path, file] : files_) file.seen = false;
    TextfilePage page;
    std::map<std::string, double> mtimes;
    for (const std::string& folder : Folders()) AddFolder(folder, page, mtimes);
    page.Write(context.page);
    WriteMtimes(context.page, mtimes);
    context.page.Family("node_textfile_scrape_error",
                        "1 if there was an error opening or reading a file, 0 otherwise",
                        MetricType::kGauge);
    context.page.Sample(failed_ ? 1 : 0);
    std::erase_if(files_, [](const auto& entry) { return !entry.second.seen; });
    std::erase_if(told_, [&](const auto& entry) { return complaints_.count(entry.first) == 0; });
    complaints_.clear();
    return {};
  }

 private:
  // A pattern that matches nothing stands for itself, so that its absence is noticed.
  std::vector<std::string> Folders() const {
    std::vector<std::string> folders;
    for (const std::string& pattern : options_.folders) {
      Result<std::vector<std::string>> found = Glob(pattern);
      if (found && !found->empty()) {
        folders.insert(folders.end(), found->begin(), found->end());
      } else if (!pattern.empty()) {
        folders.push_back(pattern);
      }
    }
    return folders;
  }

  void AddFolder(const std::string& folder, TextfilePage& page,
                 std::map<std::string, double>& mtimes) {
    Result<std::vector<std::string>> names = ListFolder(folder);
    if (!names) {
      bool forgiven = !options_.folders_must_exist && names.error().kind() == ErrorKind::kNotFound;
      if (!forgiven) Complain(folder, names.error());
      return;
    }
    for (const std::string& name : *names) {
      if (!name.ends_with(kSuffix)) continue;
      std::string path = JoinPath(folder, name);
      Status added = AddFile(path, page, mtimes);
      if (!added) Complain(path, added.error());
    }
  }

  Status AddFile(const std::string& path, TextfilePage& page,
                 std::map<std::string, double>& mtimes) {
    Result<Version> version = Look(path);
    if (!version) return version.error();
    File& file = files_[path];
    bool is_new = !(file.version == *version);
    file.version = *version;
    file.seen = true;
    if (is_new) file.families = Read(path);
    if (!file.families) {
      Error error = file.families.error();
      if (error.kind() == ErrorKind::kIo) file.version = {};  // may go well the next time
      return error;
    }
    RETURN_IF_ERROR(page.Add(path, *file.families));
    mtimes[path] = static_cast<double>(version->modified.tv_sec) +
                   static_cast<double>(version->modified.tv_nsec) / 1e9;
    return {};
  }

  Result<TextfileFamilies> Read(const std::string& path) {
    RETURN_IF_ERROR(ReadFileInto(path, buffer_, options_.max_file_bytes));
    return ParseTextfile(buffer_);
  }

  static void WriteMtimes(exposition::PageWriter& page,
                          const std::map<std::string, double>& mtimes) {
    if (mtimes.empty()) return;
    page.Family("node_textfile_mtime_seconds", "Unixtime mtime of textfiles successfully read.",
                MetricType::kGauge);
    for (const auto& [path, seconds] : mtimes) page.Sample({{"file", ValidUtf8(path)}}, seconds);
  }

  // Once for each new complaint, not at every scrape.
  void Complain(const std::string& path, const Error& error) {
    failed_ = true;
    complaints_[path] = error.message();
    std::string& told = told_[path];
    if (told == error.message()) return;
    told = error.message();
    logger_.Error("textfile left out", {{"path", path}, {"err", error}});
  }

  const TextfileOptions options_;
  Logger logger_;
  std::map<std::string, File> files_;
  std::map<std::string, std::string> complaints_;  // of this scrape, by path
  std::map<std::string, std::string> told_;        // the same, as last logged
  std::string buffer_;
  bool failed_ = false;
};

}  // namespace

CollectorPtr MakeTextfileCollector(TextfileOptions options, Logger logger) {
  return std::make_unique<TextfileCollector>(std::move(options), std::move(logger));
}

}  // namespace skep::exporter
