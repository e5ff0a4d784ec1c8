// Memory errors that the controllers corrected, and those that they could not.
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

namespace {

constexpr std::string_view kCorrected = "node_edac_correctable_errors_total";
constexpr std::string_view kUncorrected = "node_edac_uncorrectable_errors_total";
constexpr std::string_view kRowCorrected = "node_edac_csrow_correctable_errors_total";
constexpr std::string_view kRowUncorrected = "node_edac_csrow_uncorrectable_errors_total";

std::string_view Help(std::string_view name) {
  if (name == kCorrected) return "Total correctable memory errors.";
  if (name == kUncorrected) return "Total uncorrectable memory errors.";
  if (name == kRowCorrected) return "Total correctable memory errors for this csrow.";
  return "Total uncorrectable memory errors for this csrow.";
}

// "3" of "mc3"; nothing for other names.
std::optional<std::string_view> NumberAfter(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  std::string_view number = name.substr(prefix.size());
  bool digits = !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
  return digits ? std::optional(number) : std::nullopt;
}

class Reader {
 public:
  explicit Reader(FamilySet& families) : families_(families) {}

  void Controller(const std::string& path, std::string_view number) {
    Add(kCorrected, path + "/ce_count", {{"controller", number}});
    Add(kUncorrected, path + "/ue_count", {{"controller", number}});
    LabelPairs unknown = {{"controller", number}, {"csrow", "unknown"}};
    Add(kRowCorrected, path + "/ce_noinfo_count", unknown);
    Add(kRowUncorrected, path + "/ue_noinfo_count", unknown);
    for (const std::string& name : ListFolderOrNone(path)) {
      std::optional<std::string_view> row = NumberAfter("csrow", name);
      if (!row) continue;
      LabelPairs labels = {{"controller", number}, {"csrow", *row}};
      Add(kRowCorrected, path + "/" + name + "/ce_count", labels);
      Add(kRowUncorrected, path + "/" + name + "/ue_count", labels);
    }
  }

 private:
  void Add(std::string_view name, const std::string& file, LabelPairs labels) {
    std::optional<std::uint64_t> count = ReadUint(file);
    if (!count) return;
    families_.Add(name, Help(name), MetricType::kCounter, labels, static_cast<double>(*count));
  }

  FamilySet& families_;
};

}  // namespace

CollectorPtr MakeEdacCollector(const Paths& paths) {
  std::string folder = paths.Sys("devices/system/edac/mc");
  return MakeFunctionCollector("edac", [folder](CollectContext& context) -> Status {
    FamilySet families;
    Reader reader(families);
    for (const std::string& name : ListFolderOrNone(folder)) {
      std::optional<std::string_view> number = NumberAfter("mc", name);
      if (number) reader.Controller(folder + "/" + name, *number);
    }
    families.Write(context.page);
    return {};
  });
}

}  // namespace skep::exporter
