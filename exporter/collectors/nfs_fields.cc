#include "exporter/collectors/nfs_fields.h"

#include <array>

#include "common/base/number.h"

namespace skep::exporter {

namespace {

constexpr std::array<std::string_view, 18> kMethods2 = {
    "Null",   "GetAttr", "SetAttr", "Root", "Lookup",  "ReadLink", "Read",  "WrCache", "Write",
    "Create", "Remove",  "Rename",  "Link", "SymLink", "MkDir",    "RmDir", "ReadDir", "FsStat"};

constexpr std::array<std::string_view, 22> kMethods3 = {
    "Null",    "GetAttr",     "SetAttr", "Lookup", "Access",   "ReadLink", "Read",   "Write",
    "Create",  "MkDir",       "SymLink", "MkNod",  "Remove",   "RmDir",    "Rename", "Link",
    "ReadDir", "ReadDirPlus", "FsStat",  "FsInfo", "PathConf", "Commit"};

}  // namespace

const std::span<const std::string_view> kNfs2Methods = kMethods2;
const std::span<const std::string_view> kNfs3Methods = kMethods3;

void ForEachRpcLine(std::string_view text,
                    const std::function<void(std::string_view, const RpcNumbers&)>& handle) {
  RpcNumbers numbers;
  while (std::optional<std::string_view> line = NextLine(text)) {
    std::string_view word = NextField(*line);
    numbers.clear();
    bool good = !word.empty();
    for (std::string_view field = NextField(*line); !field.empty(); field = NextField(*line)) {
      std::optional<std::uint64_t> number = ParseUint(field.substr(0, field.find('.')));
      good = good && number.has_value();
      numbers.push_back(number.value_or(0));
    }
    if (good) handle(word, numbers);
  }
}

void AddProcedures(FamilySet& families, const RpcProcedures& procedures,
                   const RpcNumbers& numbers) {
  // The first number says how many follow: fewer means that the line was cut.
  if (numbers.empty() || numbers.size() - 1 != numbers[0]) return;
  for (std::size_t i = 0; i < procedures.methods.size(); ++i) {
    std::string_view method = procedures.methods[i];
    bool missing = i + 1 >= numbers.size();
    if (method.empty() || (missing && !procedures.missing_as_zero)) continue;
    families.Add(procedures.metric, procedures.help, MetricType::kCounter,
                 {{"method", method}, {"proto", procedures.proto}},
                 missing ? 0 : static_cast<double>(numbers[i + 1]));
  }
}

}  // namespace skep::exporter
