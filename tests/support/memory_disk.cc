#include "tests/support/memory_disk.h"

#include <algorithm>
#include <utility>

#include "common/base/file.h"

namespace skep::test {

using tsdb::AppendFile;
using tsdb::DiskEntry;
using tsdb::MappedFilePtr;

namespace {

constexpr std::size_t kBlockBytes = 512;

Error Gone(const std::string& path) { return NotFound(path + ": no such file"); }
Error Broken(const std::string& what) { return Error(ErrorKind::kIo, what); }

std::string FolderOf(const std::string& path) {
  const std::string folder = DirName(path);
  return folder == "." ? std::string() : folder;
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

class Copy final : public tsdb::MappedFile {
 public:
  explicit Copy(std::string content) : content_(std::move(content)) { bytes_ = content_; }

 private:
  const std::string content_;
};

}  // namespace

class MemoryDisk::File final : public AppendFile {
 public:
  File(MemoryDisk& disk, std::string path, std::shared_ptr<Node> node)
      : disk_(disk), path_(std::move(path)), node_(std::move(node)) {}

  using AppendFile::Append;
  Status Append(std::span<const std::string_view> parts) override {
    const std::lock_guard lock(disk_.mutex_);
    RETURN_IF_ERROR(disk_.CheckWritable(path_));
    for (const std::string_view part : parts) {
      const std::uint64_t used = disk_.UsedBytes();
      const std::uint64_t room =
          disk_.faults_.capacity_bytes - std::min(used, disk_.faults_.capacity_bytes);
      node_->bytes.append(part.substr(0, std::min<std::uint64_t>(room, part.size())));
      if (part.size() > room) return Unavailable("write " + path_ + ": no space left on device");
    }
    return {};
  }
  Status Truncate(std::uint64_t size_bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    RETURN_IF_ERROR(disk_.CheckWritable(path_));
    if (disk_.faults_.cuts_fail) return Broken("cut " + path_ + ": input/output error");
    node_->bytes.resize(size_bytes);
    return {};
  }
  Status Sync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (disk_.faults_.syncs_fail) return Broken("sync " + path_ + ": input/output error");
    node_->synced = node_->bytes;
    return {};
  }
  std::uint64_t size() const override {
    const std::lock_guard lock(disk_.mutex_);
    return node_->bytes.size();
  }

 private:
  MemoryDisk& disk_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
};

// --- names ---

void MemoryDisk::Apply(const Change& change, Tree& tree) {
  switch (change.kind) {
    case Change::Kind::kAdd:
      tree[change.path] = change.node;
      return;
    case Change::Kind::kDrop:
      tree.erase(change.path);
      return;
    case Change::Kind::kMove: {
      const auto moved = tree.find(change.path);
      if (moved == tree.end()) return;  // it was never there: its creation was lost
      Tree there = {{change.to, moved->second}};
      for (const auto& [path, node] : tree) {
        if (IsBelow(path, change.path)) {
          there[change.to + path.substr(change.path.size())] = node;
        }
      }
      std::erase_if(tree, [&](const auto& entry) {
        return entry.first == change.path || IsBelow(entry.first, change.path);
      });
      for (auto& [path, node] : there) tree[path] = node;
      return;
    }
  }
}

bool MemoryDisk::IsIn(const Change& change, const std::string& folder) {
  return FolderOf(change.kind == Change::Kind::kMove ? change.to : change.path) == folder;
}

Status MemoryDisk::CheckWritable(const std::string& path) const {
  if (faults_.read_only) return Broken("write " + path + ": read-only file system");
  return {};
}

Status MemoryDisk::Do(Change change) {
  RETURN_IF_ERROR(CheckWritable(change.path));
  Apply(change, tree_);
  changes_.push_back(std::move(change));
  return {};
}

Result<std::shared_ptr<MemoryDisk::Node>> MemoryDisk::Find(const std::string& path) const {
  const auto found = tree_.find(path);
  if (found == tree_.end()) return Gone(path);
  return found->second;
}

Result<std::unique_ptr<AppendFile>> MemoryDisk::Create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const std::string folder = FolderOf(path);
  if (!folder.empty() && !tree_.contains(folder)) return Gone(folder);
  if (tree_.contains(path)) return Broken("open " + path + ": file exists");
  auto node = std::make_shared<Node>();
  RETURN_IF_ERROR(Do({.kind = Change::Kind::kAdd, .path = path, .to = "", .node = node}));
  return {std::make_unique<File>(*this, path, node)};
}

Result<std::unique_ptr<AppendFile>> MemoryDisk::Reopen(const std::string& path) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(CheckWritable(path));
  const auto node = Find(path);
  if (!node) return node.error();
  return {std::make_unique<File>(*this, path, *node)};
}

Result<MappedFilePtr> MemoryDisk::Map(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (faults_.maps_fail) return Broken("open " + path + ": too many open files");
  const auto node = Find(path);
  if (!node) return node.error();
  return {std::make_shared<const Copy>((*node)->bytes)};
}

Status MemoryDisk::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (!tree_.contains(from)) return Gone(from);
  return Do({.kind = Change::Kind::kMove, .path = from, .to = to, .node = nullptr});
}

Status MemoryDisk::Link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto node = Find(from);
  if (!node) return node.error();
  if (!tree_.contains(FolderOf(to))) return Gone(FolderOf(to));
  if (tree_.contains(to)) return Broken("link " + from + " to " + to + ": file exists");
  return Do({.kind = Change::Kind::kAdd, .path = to, .to = "", .node = *node});
}

Status MemoryDisk::Remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!tree_.contains(path)) return Gone(path);
  return Do({.kind = Change::Kind::kDrop, .path = path, .to = "", .node = nullptr});
}

Status MemoryDisk::RemoveFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!tree_.contains(path)) return Gone(path);
  std::vector<std::string> inside;
  for (const auto& [name, node] : tree_) {
    if (name == path || IsBelow(name, path)) inside.push_back(name);
  }
  for (auto name = inside.rbegin(); name != inside.rend(); ++name) {  // what is in it comes first
    RETURN_IF_ERROR(Do({.kind = Change::Kind::kDrop, .path = *name, .to = "", .node = nullptr}));
  }
  return {};
}

Status MemoryDisk::MakeFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  for (std::size_t slash = 0; slash != std::string::npos && !path.empty();) {
    slash = path.find('/', slash + 1);
    const std::string folder = path.substr(0, slash);
    if (tree_.contains(folder)) continue;
    auto node = std::make_shared<Node>(Node{.is_folder = true, .bytes = "", .synced = ""});
    RETURN_IF_ERROR(Do({.kind = Change::Kind::kAdd, .path = folder, .to = "", .node = node}));
  }
  return {};
}

Status MemoryDisk::SyncFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!path.empty() && !tree_.contains(path)) return Gone(path);
  if (faults_.syncs_fail) return Broken("sync " + path + ": input/output error");
  for (const Change& change : changes_) {
    if (IsIn(change, path)) Apply(change, durable_);
  }
  std::erase_if(changes_, [&path](const Change& change) { return IsIn(change, path); });
  return {};
}

Result<std::vector<DiskEntry>> MemoryDisk::List(const std::string& folder) const {
  const std::lock_guard lock(mutex_);
  if (!folder.empty() && !tree_.contains(folder)) return Gone(folder);
  std::vector<DiskEntry> entries;
  for (const auto& [path, node] : tree_) {
    if (FolderOf(path) != folder) continue;
    entries.push_back({.name = std::string(BaseName(path)),
                       .kind = node->is_folder ? DiskEntry::Kind::kFolder : DiskEntry::Kind::kFile,
                       .size_bytes = node->bytes.size()});
  }
  return entries;
}

// --- room ---

std::uint64_t MemoryDisk::UsedBytes() const {
  std::uint64_t used = 0;
  for (const auto& [path, node] : tree_) used += node->bytes.size();
  return used;
}

std::uint64_t MemoryDisk::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return UsedBytes();
}

Result<std::uint64_t> MemoryDisk::FreeBytes() const {
  const std::lock_guard lock(mutex_);
  return faults_.capacity_bytes - std::min(UsedBytes(), faults_.capacity_bytes);
}

void MemoryDisk::set_faults(DiskFaults faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
}

// --- misfortune ---

std::string MemoryDisk::AfterPowerCut(const Node& node, Random& random) {
  const std::string& before = node.synced;
  const std::string& after = node.bytes;
  switch (random() % 3) {
    case 0:
      return after;
    case 1:
      return before;
    default:
      break;
  }
  const auto [least, most] = std::minmax({before.size(), after.size()});
  // Where a block was never written, the file has a hole.
  std::string left(least + random() % (most - least + 1), '\0');
  for (std::size_t at = 0; at < left.size(); at += kBlockBytes) {
    const std::string& from = random() % 2 == 0 ? before : after;
    if (at < from.size()) {
      const std::size_t size = std::min({kBlockBytes, left.size() - at, from.size() - at});
      left.replace(at, size, from, at, size);
    }
  }
  return left;
}

void MemoryDisk::PowerCut(Random& random) {
  const std::lock_guard lock(mutex_);
  Tree left = durable_;
  const std::size_t first = random() % (changes_.size() + 1);
  const bool in_order = random() % 2 == 0;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    if (in_order ? i < first : random() % 2 == 0) Apply(changes_[i], left);
  }
  tree_.clear();
  for (const auto& [path, node] : left) {
    const std::string folder = FolderOf(path);
    if (!folder.empty() && !tree_.contains(folder)) continue;  // gone with its folder
    const std::string bytes = AfterPowerCut(*node, random);
    tree_[path] =
        std::make_shared<Node>(Node{.is_folder = node->is_folder, .bytes = bytes, .synced = bytes});
  }
  durable_ = tree_;
  changes_.clear();
  faults_ = {};
}

std::string MemoryDisk::Content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return tree_.at(path)->bytes;
}

void MemoryDisk::FlipBit(const std::string& path, std::uint64_t bit) {
  const std::lock_guard lock(mutex_);
  char& byte = tree_.at(path)->bytes.at(bit / 8);
  byte = static_cast<char>(byte ^ (1 << (bit % 8)));
  tree_.at(path)->synced = tree_.at(path)->bytes;
}

void MemoryDisk::SetContent(const std::string& path, std::string content) {
  const std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>(Node{.is_folder = false, .bytes = content, .synced = content});
  for (Tree* tree : {&tree_, &durable_}) {
    const std::string folder = FolderOf(path);
    if (!folder.empty() && !tree->contains(folder)) {
      (*tree)[folder] = std::make_shared<Node>(Node{.is_folder = true, .bytes = "", .synced = ""});
    }
    (*tree)[path] = node;
  }
}

}  // namespace skep::test
