// Answers of OTLP/HTTP in both encodings. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/http_message.h"
#include "exporter/ingest/otlp_decode.h"

namespace skep::ingest {

// By a Content-Type header; nothing where it is neither application/x-protobuf nor
// application/json.
std::optional<OtlpEncoding> EncodingOf(std::string_view content_type);

// 200 with ExportMetricsServiceResponse and its like. `rejected` 0 and no reason: an empty message.
net::HttpResponse SuccessAnswer(OtlpSignal signal, OtlpEncoding encoding, std::uint64_t rejected,
                                std::string_view reason);

// google.rpc.Status. With Retry-After where the client shall come again (429, 503), and
// WWW-Authenticate at 401.
net::HttpResponse ErrorAnswer(OtlpEncoding encoding, int status, std::string_view message);

}  // namespace skep::ingest
