#include "evaluator/rules/on_scrape.h"

#include <algorithm>
#include <filesystem>

#include "common/base/file.h"
#include "common/base/quote.h"

namespace skep::rules {
namespace {

// "rules/./a.yml" and "rules/a.yml" are one file.
std::string PlainPath(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

Result<OnScrapeGroup> ReadOne(const yaml::Node& node, const std::string& folder) {
  OnScrapeGroup one;
  one.place = node.place();
  yaml::MapReader map(node);
  map.Require("file", one.file);
  map.Require("group", one.group);
  map.Read("min_spacing", one.min_spacing);
  RETURN_IF_ERROR(map.Finish("on_scrape"));
  if (one.file.empty()) return node.Complain("on_scrape: file is empty");
  one.file = JoinPath(folder, one.file);
  return one;
}

bool IsSame(const OnScrapeGroup& a, const OnScrapeGroup& b) {
  return a.group == b.group && PlainPath(a.file) == PlainPath(b.file);
}

Error NoSuch(const OnScrapeGroup& one, const std::string& what) {
  return NotFound(one.place + ": on_scrape: " + what);
}

}  // namespace

Result<std::vector<OnScrapeGroup>> ReadOnScrape(const yaml::Node& node, const std::string& folder) {
  std::vector<OnScrapeGroup> all;
  yaml::MapReader map(node);
  const yaml::Node list = map.Take("on_scrape");
  RETURN_IF_ERROR(map.Finish("rules"));
  if (!list.IsNull() && !list.IsSequence()) return list.Complain("on_scrape: expected a list");
  for (const yaml::Node& item : list.items()) {
    Result<OnScrapeGroup> one = ReadOne(item, folder);
    if (!one) return one.error();
    if (std::any_of(all.begin(), all.end(), [&](const auto& old) { return IsSame(old, *one); })) {
      return item.Complain("on_scrape: group " + Quote(one->group) + " of " + Quote(one->file) +
                           " is named twice");
    }
    all.push_back(std::move(*one));
  }
  return all;
}

Status CheckOnScrape(const std::vector<OnScrapeGroup>& wanted, const std::vector<RuleFile>& files) {
  for (const OnScrapeGroup& one : wanted) {
    const std::string path = PlainPath(one.file);
    const auto file = std::find_if(files.begin(), files.end(), [&](const RuleFile& each) {
      return PlainPath(each.file) == path;
    });
    if (file == files.end()) {
      return NoSuch(one, "no file of rule_files is " + Quote(one.file));
    }
    const auto has_name = [&](const GroupDefinition& group) { return group.name == one.group; };
    if (std::any_of(file->groups.begin(), file->groups.end(), has_name)) continue;
    std::string there;
    for (const GroupDefinition& group : file->groups) {
      there += (there.empty() ? "" : ", ") + Quote(group.name);
    }
    return NoSuch(one, Quote(one.file) + " has no group " + Quote(one.group) + ", but " +
                           (there.empty() ? "none at all" : there));
  }
  return {};
}

const OnScrapeGroup* FindOnScrape(const std::vector<OnScrapeGroup>& wanted,
                                  const GroupDefinition& group) {
  for (const OnScrapeGroup& one : wanted) {
    if (one.group == group.name && PlainPath(one.file) == PlainPath(group.file)) return &one;
  }
  return nullptr;
}

}  // namespace skep::rules
