#include "exporter/collectors/catalogue.h"

#include <algorithm>
#include <iterator>

#include "exporter/collectors/basic_collectors.h"
#include "exporter/collectors/device_specs.h"

namespace skep::exporter {
namespace {

std::vector<CollectorSpec> MakeCatalogue() {
  std::vector<CollectorSpec> specs = {
      ConntrackSpec(),  CpuSpec(),     CpufreqSpec(),  DiskstatsSpec(), FilefdSpec(),
      FilesystemSpec(), LoadavgSpec(), MeminfoSpec(),  NetclassSpec(),  NetdevSpec(),
      NetstatSpec(),    OsSpec(),      PressureSpec(), SockstatSpec(),  SoftnetSpec(),
      StatSpec(),       TimeSpec(),    TimexSpec(),    UnameSpec(),     VmstatSpec()};
  std::vector<CollectorSpec> devices = DeviceSpecs();
  std::move(devices.begin(), devices.end(), std::back_inserter(specs));
  std::sort(specs.begin(), specs.end(),
            [](const CollectorSpec& a, const CollectorSpec& b) { return a.name < b.name; });
  return specs;
}

}  // namespace

const std::vector<CollectorSpec>& Catalogue() {
  static const std::vector<CollectorSpec> specs = MakeCatalogue();
  return specs;
}

}  // namespace skep::exporter
