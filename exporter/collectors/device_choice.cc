#include "exporter/collectors/device_choice.h"

namespace skep::exporter {
namespace {

constexpr std::size_t kMostVerdicts = 4096;

}  // namespace

bool DeviceChoice::Keeps(std::string_view device) {
  if (const auto known = verdicts_.find(device); known != verdicts_.end()) return known->second;
  const bool keeps = filter_.Keeps(device);
  if (verdicts_.size() >= kMostVerdicts) verdicts_.clear();
  verdicts_.emplace(device, keeps);
  return keeps;
}

}  // namespace skep::exporter
