// Numbers put at the end of a column's bytes, as ByteReader reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "evaluator/tsdb/bytes.h"

namespace skep::tsdb {

inline void AppendVarint(std::string& out, std::uint64_t n) {
  char bytes[kMaxVarintBytes];
  out.append(bytes, StoreVarint(bytes, n));
}
inline void AppendSigned(std::string& out, std::int64_t n) { AppendVarint(out, ZigZag(n)); }
inline void AppendU64(std::string& out, std::uint64_t n) {
  char bytes[sizeof(n)];
  StoreU64(bytes, n);
  out.append(bytes, sizeof(n));
}

// What `reader` has not read yet.
inline std::string_view RestOf(const ByteReader& reader) { return {reader.at(), reader.left()}; }

}  // namespace skep::tsdb
