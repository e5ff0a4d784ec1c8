// Collectors of processor, memory, disks, file systems, network and clock: one .cc each. Names,
// labels and help are node_exporter 1.5's, so that its dashboards and rules work unchanged;
// families stand in the order of its page where that costs nothing.
#pragma once

#include "exporter/collectors/spec.h"

namespace skep::exporter {

CollectorSpec ConntrackSpec();
CollectorSpec CpuSpec();
CollectorSpec CpufreqSpec();
CollectorSpec DiskstatsSpec();
CollectorSpec FilefdSpec();
CollectorSpec FilesystemSpec();
CollectorSpec LoadavgSpec();
CollectorSpec MeminfoSpec();
CollectorSpec NetclassSpec();
CollectorSpec NetdevSpec();
CollectorSpec NetstatSpec();
CollectorSpec OsSpec();
CollectorSpec PressureSpec();
CollectorSpec SockstatSpec();
CollectorSpec SoftnetSpec();
CollectorSpec StatSpec();
CollectorSpec TimeSpec();
CollectorSpec TimexSpec();
CollectorSpec UnameSpec();
CollectorSpec VmstatSpec();

}  // namespace skep::exporter
