#include "exporter/stores/reading.h"

namespace skep::stores {

std::string_view ReadFailureName(ReadFailure failure) {
  switch (failure) {
    case ReadFailure::kMissing:
      return "missing";
    case ReadFailure::kEmpty:
      return "empty";
    case ReadFailure::kTruncated:
      return "truncated";
    case ReadFailure::kSchema:
      return "schema";
    case ReadFailure::kPermission:
      return "permission";
    case ReadFailure::kLocked:
      return "locked";
    case ReadFailure::kEncrypted:
      return "encrypted";
    case ReadFailure::kCorrupt:
      return "corrupt";
    case ReadFailure::kTooLarge:
      return "too_large";
    case ReadFailure::kTimeout:
      return "timeout";
    case ReadFailure::kIo:
      return "io";
  }
  return "io";
}

}  // namespace skep::stores
