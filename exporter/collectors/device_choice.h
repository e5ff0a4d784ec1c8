// Which devices a collector shows, decided once per name.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/hash.h"
#include "exporter/collectors/device_collectors.h"

namespace skep::exporter {

// A DeviceFilter that remembers its verdicts, so that no expression runs twice for one name.
// Thread-compatible.
class DeviceChoice {
 public:
  explicit DeviceChoice(DeviceFilter filter) : filter_(std::move(filter)) {}

  bool Keeps(std::string_view device);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return HashBytes(text); }
  };

  DeviceFilter filter_;
  // Cleared when it grows large: container machines invent ever new interface names.
  std::unordered_map<std::string, bool, Hash, std::equal_to<>> verdicts_;
};

}  // namespace skep::exporter
