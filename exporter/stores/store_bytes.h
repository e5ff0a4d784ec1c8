// Reading the files of others: what the system says becomes a reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "exporter/stores/reading.h"

namespace skep::stores {

// kMissing for ENOENT and ENOTDIR, kPermission for EACCES and EPERM, else kIo.
ReadFailure FailureOfErrno(int error);

// The whole content of a regular file of at most `max_bytes`. A pipe, folder or device is kSchema
// and is not waited for.
Reading<std::string> ReadStoreBytes(const std::string& path, std::uint64_t max_bytes);

}  // namespace skep::stores
