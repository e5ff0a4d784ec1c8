// The collectors of device_collectors.h, textfile.h, cgroup.h and process_group.h as the catalogue
// lists them.
#pragma once

#include <vector>

#include "exporter/collectors/spec.h"

namespace skep::exporter {

std::vector<CollectorSpec> DeviceSpecs();

}  // namespace skep::exporter
