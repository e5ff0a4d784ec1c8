// Bytes of an OTLP request to plain values. Pure: no clock, no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/json/reader.h"
#include "exporter/ingest/otlp_model.h"

namespace skep::ingest {

enum class OtlpSignal : std::uint8_t { kMetrics, kLogs, kTraces };
enum class OtlpEncoding : std::uint8_t { kProtobuf, kJson };

struct DecodeLimits {
  // Points, records or spans of one request; those beyond are left out and counted in
  // OtlpBatch::dropped.
  std::size_t max_items = 20'000;
  // Of one point, record, span, resource or scope; an item with more is left out and counted, a
  // resource or scope keeps its first ones.
  std::size_t max_attributes = 64;
  // Buckets of one histogram point, of one with more the same.
  std::size_t max_buckets = 512;
};

// Both fill `batch`, which was cleared, with views into `body`. kInvalid: the bytes are no such
// request as a whole; the batch is then to be cleared. Unknown fields are ignored.
Status DecodeProtobuf(OtlpSignal signal, std::string_view body, const DecodeLimits& limits,
                      OtlpBatch& batch);
// proto3 JSON as clients send it: names in lowerCamelCase or as in the .proto files, enums as
// numbers or names, 64-bit integers as numbers or strings, ids in hexadecimal. A value of a wrong
// kind is kInvalid and names its path ("resourceMetrics[0].scopeMetrics[1]..."). `document` is
// memory to work in and must live as long as the batch.
Status DecodeJson(OtlpSignal signal, std::string_view body, const DecodeLimits& limits,
                  json::Document& document, OtlpBatch& batch);

}  // namespace skep::ingest
