#include "exporter/registry/page_guard.h"

#include <algorithm>
#include <cstring>

#include "common/base/hash.h"

namespace skep::exporter {
namespace {

constexpr std::size_t kFirstSlots = 1024;

// "name" of `# TYPE name gauge` and `# HELP "my.name" text`, quotes included; "" of other lines.
std::string_view MetadataName(std::string_view line) {
  if (!line.starts_with("# HELP ") && !line.starts_with("# TYPE ") &&
      !line.starts_with("# UNIT ")) {
    return {};
  }
  line.remove_prefix(7);
  if (!line.starts_with('"')) return line.substr(0, line.find(' '));
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      return line.substr(0, i + 1);
    }
  }
  return line;
}

// One family as it stands in the text: its metadata lines and its samples.
struct Family {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t name_offset = 0;  // behind `begin`
  std::size_t name_length = 0;
  std::size_t series = 0;
};

// The family that begins at `begin`: up to metadata of another name, or to metadata after samples.
Family NextFamily(std::string_view text, std::size_t begin) {
  Family family{begin, begin};
  std::string_view name;
  while (family.end < text.size()) {
    const std::size_t newline = text.find('\n', family.end);
    const std::size_t next = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::string_view line = text.substr(family.end, next - family.end);
    const std::string_view named = line[0] == '#' ? MetadataName(line) : std::string_view();
    if (!named.empty()) {
      if (family.series > 0 || (!name.empty() && named != name)) return family;
      if (name.empty()) family.name_offset = static_cast<std::size_t>(named.data() - &text[begin]);
      name = named;
      family.name_length = named.size();
    } else if (line[0] != '#') {
      ++family.series;
    }
    family.end = next;
  }
  return family;
}

}  // namespace

PageGuard::PageGuard(std::size_t max_series, std::string_view reserved)
    : max_series_(max_series), reserved_(reserved), slots_(kFirstSlots) {
  constexpr std::string_view kTotal = "_total";
  for (std::size_t at = 0; at < reserved_.size();) {
    const std::size_t end = std::min(reserved_.find('\n', at), reserved_.size());
    std::string_view name = reserved_.substr(at, end - at);
    Remember(name, at, true);
    if (name.ends_with(kTotal)) {
      name.remove_suffix(kTotal.size());
      Remember(name, at, true);
    }
    at = end + 1;
  }
}

PageGuard::Verdict PageGuard::Admit(std::string& page, std::size_t begin) {
  Verdict verdict;
  std::size_t kept = begin;  // the page is good up to here
  for (std::size_t at = begin; at < page.size();) {
    const Family family = NextFamily(page, at);
    const std::size_t length = family.end - family.begin;
    const std::string_view name(&page[at + family.name_offset], family.name_length);
    const bool known = IsKnown(page, name);
    const bool over = max_series_ != 0 && series_ + family.series > max_series_;
    at = family.end;
    if (known || over) {
      ++(known ? verdict.duplicate_families : verdict.families_over_limit);
      if (verdict.first_dropped.empty()) verdict.first_dropped = name;
      continue;
    }
    Remember(name, kept + family.name_offset);
    if (kept != family.begin) std::memmove(&page[kept], &page[family.begin], length);
    kept += length;
    series_ += family.series;
  }
  page.resize(kept);
  return verdict;
}

bool PageGuard::IsKnown(const std::string& page, std::string_view name) const {
  const std::uint64_t hash = HashBytes(name);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].length != 0; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.hash != hash) continue;
    const std::string_view text = slot.is_reserved ? reserved_ : std::string_view(page);
    if (name == text.substr(slot.offset, slot.length)) return true;
  }
  return false;
}

void PageGuard::Remember(std::string_view name, std::size_t offset, bool is_reserved) {
  if (name.empty()) return;
  if (++families_ * 2 > slots_.size()) {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.length != 0) Insert(slot);
    }
  }
  Insert({HashBytes(name), offset, static_cast<std::uint32_t>(name.size()), is_reserved});
}

void PageGuard::Insert(Slot slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = slot.hash & mask;
  while (slots_[i].length != 0) i = (i + 1) & mask;
  slots_[i] = slot;
}

}  // namespace skep::exporter
