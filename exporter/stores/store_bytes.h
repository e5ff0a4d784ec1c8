// Reading the files of others: what the system says becomes a reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/base/time.h"
#include "exporter/stores/reading.h"

namespace skep::stores {

// kMissing for ENOENT and ENOTDIR, kPermission for EACCES and EPERM, else kIo.
ReadFailure FailureOfErrno(int error);

struct StoreBytes {
  std::string bytes;
  Timestamp modified;
};

// The whole content of a regular file of at most `max_bytes`. A pipe, folder or device is kSchema
// and is not waited for.
Reading<StoreBytes> ReadStoreBytes(const std::string& path, std::uint64_t max_bytes);

}  // namespace skep::stores
