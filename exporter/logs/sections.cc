#include "exporter/logs/sections.h"

#include <algorithm>
#include <concepts>

#include "common/base/hash.h"
#include "common/base/number.h"

namespace skep::logs {
namespace {

void AppendField(std::string& out, std::string_view field) {
  if (!out.empty()) out.push_back(' ');
  out.append(field);
}
void AppendField(std::string& out, std::integral auto number) {
  AppendField(out, std::string_view(std::to_string(number)));
}
// Fields with blanks between them; a bool is 0 or 1.
template <typename... Fields>
std::string Join(const Fields&... fields) {
  std::string out;
  (AppendField(out, fields), ...);
  return out;
}

// Takes fields between blanks; remembers whether all that were asked for were there.
class FieldReader {
 public:
  explicit FieldReader(std::string_view record) : rest_(record) {}

  std::string Text() { return std::string(Take()); }
  std::uint64_t Unsigned() {
    const std::optional<std::uint64_t> value = ParseUint(Take());
    failed_ = failed_ || !value;
    return value.value_or(0);
  }
  std::int64_t Signed() {
    const std::optional<std::int64_t> value = ParseInt(Take());
    failed_ = failed_ || !value;
    return value.value_or(0);
  }
  Timestamp Time() { return FromMillis(Signed()); }
  std::string Rest() { return std::string(std::exchange(rest_, {})); }

  bool AtEnd() const { return rest_.empty(); }
  Status Finish() const {
    if (failed_ || !rest_.empty()) return Corrupt("a record that is none of ours");
    return {};
  }

 private:
  std::string_view Take() {
    failed_ = failed_ || rest_.empty();
    const std::size_t end = rest_.find(' ');
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return field;
  }

  std::string_view rest_;
  bool failed_ = false;
};

std::string Encode(const std::string& source, const Bookmark& b) {
  return Join("at", source, b.file.device, b.file.inode, b.offset, b.head.length, b.head.hash,
              b.tail.length, b.tail.hash, b.skips_line, b.skips_record, ToMillis(b.modified),
              b.origin.size(), b.origin + b.path);
}

Bookmark DecodeBookmark(FieldReader& fields) {
  Bookmark b;
  b.file.device = fields.Unsigned();
  b.file.inode = fields.Unsigned();
  b.offset = fields.Unsigned();
  b.head.length = static_cast<std::uint32_t>(fields.Unsigned());
  b.head.hash = fields.Unsigned();
  b.tail.length = static_cast<std::uint32_t>(fields.Unsigned());
  b.tail.hash = fields.Unsigned();
  b.skips_line = fields.Unsigned() != 0;
  b.skips_record = fields.Unsigned() != 0;
  b.modified = fields.Time();
  const std::uint64_t origin = fields.Unsigned();
  b.path = fields.Rest();
  b.origin = b.path.substr(0, origin);
  b.path.erase(0, origin);
  return b;
}

std::string Encode(const std::string& source, std::uint32_t number, const Template& value) {
  std::string out =
      Join("put", source, number, ToMillis(value.first_seen), value.last_day, value.counted);
  for (const std::uint32_t token : value.tokens) AppendField(out, token);
  return out;
}

std::string Encode(const std::string& source, const KnownTemplates& times) {
  return Join("times", source, times.begin ? ToMillis(*times.begin) : -1, ToMillis(times.learned),
              ToMillis(times.deployment));
}

std::string EncodeDeployment(Timestamp at) { return Join("deployment", ToMillis(at)); }

}  // namespace

Fingerprint Fingerprint::Of(std::string_view bytes) {
  return {static_cast<std::uint32_t>(bytes.size()), Fnv1a(bytes)};
}

Status BookmarkSection::Restore(std::string_view record) {
  FieldReader fields(record);
  const std::string what = fields.Text();
  const std::string source = fields.Text();
  if (what == "at") {
    Bookmark bookmark = DecodeBookmark(fields);
    RETURN_IF_ERROR(fields.Finish());
    bookmarks_[source][bookmark.file] = std::move(bookmark);
  } else if (what == "gone") {
    const FileKey file{fields.Unsigned(), fields.Unsigned()};
    RETURN_IF_ERROR(fields.Finish());
    bookmarks_[source].erase(file);
  } else if (what == "seen") {
    seen_[source].insert(fields.Rest());
  } else if (what == "forget") {
    RETURN_IF_ERROR(fields.Finish());
    bookmarks_.erase(source);
    seen_.erase(source);
  } else {
    return Corrupt("a record that is none of ours");
  }
  return {};
}

void BookmarkSection::Save(const std::function<void(std::string_view record)>& write) const {
  for (const auto& [source, patterns] : seen_) {
    for (const std::string& pattern : patterns) write("seen " + source + " " + pattern);
  }
  for (const auto& [source, bookmarks] : bookmarks_) {
    for (const auto& [file, bookmark] : bookmarks) write(Encode(source, bookmark));
  }
}

std::map<FileKey, Bookmark> BookmarkSection::Of(std::string_view source) const {
  const auto found = bookmarks_.find(source);
  return found == bookmarks_.end() ? std::map<FileKey, Bookmark>() : found->second;
}

bool BookmarkSection::HasSeen(std::string_view source, std::string_view pattern) const {
  const auto found = seen_.find(source);
  return found != seen_.end() && found->second.contains(pattern);
}

void BookmarkSection::Put(state::Changes& changes, const std::string& source, Bookmark bookmark) {
  changes.Record(kName, Encode(source, bookmark));
  changes.OnCommitted([this, source, bookmark = std::move(bookmark)] {
    bookmarks_[source][bookmark.file] = bookmark;
  });
}

void BookmarkSection::Remove(state::Changes& changes, const std::string& source, FileKey file) {
  changes.Record(kName, Join("gone", source, file.device, file.inode));
  changes.OnCommitted([this, source, file] { bookmarks_[source].erase(file); });
}

void BookmarkSection::MarkSeen(state::Changes& changes, const std::string& source,
                               const std::string& pattern) {
  changes.Record(kName, "seen " + source + " " + pattern);
  changes.OnCommitted([this, source, pattern] { seen_[source].insert(pattern); });
}

std::vector<std::string> BookmarkSection::Stale(const std::set<std::string>& configured,
                                                Timestamp since) const {
  std::set<std::string> known;
  for (const auto& [source, patterns] : seen_) known.insert(source);
  for (const auto& [source, bookmarks] : bookmarks_) known.insert(source);
  std::vector<std::string> stale;
  for (const std::string& source : known) {
    if (configured.contains(source)) continue;
    const auto files = bookmarks_.find(source);
    const bool is_recent =
        files != bookmarks_.end() && std::ranges::any_of(files->second, [&](const auto& entry) {
          return entry.second.modified >= since;
        });
    if (!is_recent) stale.push_back(source);
  }
  return stale;
}

void BookmarkSection::Forget(state::Changes& changes, const std::string& source) {
  changes.Record(kName, "forget " + source);
  changes.OnCommitted([this, source] {
    bookmarks_.erase(source);
    seen_.erase(source);
  });
}

Status TemplateSection::Restore(std::string_view record) {
  FieldReader fields(record);
  const std::string what = fields.Text();
  if (what == "deployment") {
    const Timestamp at = fields.Time();
    RETURN_IF_ERROR(fields.Finish());
    deployment_ = at;
    return {};
  }
  const std::string source = fields.Text();
  if (what == "put") {
    const auto number = static_cast<std::uint32_t>(fields.Unsigned());
    Template value;
    value.first_seen = fields.Time();
    value.last_day = fields.Signed();
    value.counted = fields.Unsigned() != 0;
    while (!fields.AtEnd()) value.tokens.push_back(static_cast<std::uint32_t>(fields.Unsigned()));
    RETURN_IF_ERROR(fields.Finish());
    sources_[source].templates[number] = std::move(value);
  } else if (what == "removed") {
    const auto number = static_cast<std::uint32_t>(fields.Unsigned());
    RETURN_IF_ERROR(fields.Finish());
    sources_[source].templates.erase(number);
  } else if (what == "times") {
    const std::int64_t begin = fields.Signed();
    const Timestamp learned = fields.Time();
    const Timestamp deployment = fields.Time();
    RETURN_IF_ERROR(fields.Finish());
    KnownTemplates& known = sources_[source];
    known.begin = begin < 0 ? std::nullopt : std::optional(FromMillis(begin));
    known.learned = learned;
    known.deployment = deployment;
  } else if (what == "forget") {
    RETURN_IF_ERROR(fields.Finish());
    sources_.erase(source);
  } else {
    return Corrupt("a record that is none of ours");
  }
  return {};
}

void TemplateSection::Save(const std::function<void(std::string_view record)>& write) const {
  if (deployment_ != kMinTimestamp) write(EncodeDeployment(deployment_));
  for (const auto& [source, known] : sources_) {
    write(Encode(source, known));
    for (const auto& [number, value] : known.templates) write(Encode(source, number, value));
  }
}

KnownTemplates TemplateSection::Of(std::string_view source) const {
  const auto found = sources_.find(source);
  return found == sources_.end() ? KnownTemplates() : found->second;
}

void TemplateSection::Put(state::Changes& changes, const std::string& source, std::uint32_t number,
                          Template value) {
  changes.Record(kName, Encode(source, number, value));
  changes.OnCommitted([this, source, number, value = std::move(value)] {
    sources_[source].templates[number] = value;
  });
}

void TemplateSection::Remove(state::Changes& changes, const std::string& source,
                             std::uint32_t number) {
  changes.Record(kName, Join("removed", source, number));
  changes.OnCommitted([this, source, number] { sources_[source].templates.erase(number); });
}

void TemplateSection::PutTimes(state::Changes& changes, const std::string& source,
                               const KnownTemplates& times) {
  changes.Record(kName, Encode(source, times));
  changes.OnCommitted(
      [this, source, begin = times.begin, learned = times.learned, deployment = times.deployment] {
        KnownTemplates& known = sources_[source];
        known.begin = begin;
        known.learned = learned;
        known.deployment = deployment;
      });
}

void TemplateSection::Forget(state::Changes& changes, const std::string& source) {
  changes.Record(kName, "forget " + source);
  changes.OnCommitted([this, source] { sources_.erase(source); });
}

void TemplateSection::PutDeployment(state::Changes& changes, Timestamp at) {
  changes.Record(kName, EncodeDeployment(at));
  changes.OnCommitted([this, at] { deployment_ = at; });
}

}  // namespace skep::logs
