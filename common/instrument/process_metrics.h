// What a program tells about itself: process_* and its build.
#pragma once

#include <string>
#include <string_view>

#include "common/exposition/writer.h"

namespace skep::instrument {

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_open_fds, process_max_fds, process_threads and process_start_time_seconds, read from
// `proc_self`. What cannot be read is left out.
void WriteProcessMetrics(exposition::PageWriter& page, const std::string& proc_self = "/proc/self");

// PREFIX_build_info{version,revision,branch,compiler} 1.
void WriteBuildInfo(exposition::PageWriter& page, std::string_view prefix, std::string_view version,
                    std::string_view revision = {}, std::string_view branch = {});

}  // namespace skep::instrument
