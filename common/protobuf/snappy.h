// Snappy's block format, in which remote write sends its messages. The only user of the library.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace skep::protobuf {

// What `packed` says that it is when unpacked. Nothing: it does not say.
std::optional<std::size_t> UnpackedSnappyBytes(std::string_view packed);

// kInvalid: not Snappy's block format. Takes the memory that UnpackedSnappyBytes says, which is up
// to the sender, but none where `packed` cannot be that much.
Result<std::string> UnpackSnappy(std::string_view packed);

std::string PackSnappy(std::string_view bytes);

}  // namespace skep::protobuf
