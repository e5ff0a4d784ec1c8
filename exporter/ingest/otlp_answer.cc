#include "exporter/ingest/otlp_answer.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/json/writer.h"
#include "common/protobuf/message.h"

namespace skep::ingest {
namespace {

constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kRetrySeconds = "5";

// What gRPC has for the status: OTLP's Status carries its codes.
int GrpcCodeOf(int status) {
  switch (status) {
    case 400:
    case 415:
      return 3;  // INVALID_ARGUMENT
    case 401:
      return 16;  // UNAUTHENTICATED
    case 404:
      return 12;  // UNIMPLEMENTED
    case 408:
      return 4;  // DEADLINE_EXCEEDED
    case 413:
      return 8;  // RESOURCE_EXHAUSTED
    case 429:
    case 503:
      return 14;  // UNAVAILABLE
    default:
      return 13;  // INTERNAL
  }
}

net::HttpResponse Answer(OtlpEncoding encoding, int status) {
  net::HttpResponse response;
  response.status = status;
  response.content_type = encoding == OtlpEncoding::kJson ? kJson : kProtobuf;
  return response;
}

// Names of the field that counts what was refused; in protobuf it is field 1 in all of them.
std::string_view RejectedField(OtlpSignal signal) {
  constexpr std::array<std::string_view, 3> kNames = {"rejectedDataPoints", "rejectedLogRecords",
                                                      "rejectedSpans"};
  return kNames[static_cast<std::size_t>(signal)];
}

}  // namespace

std::optional<OtlpEncoding> EncodingOf(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  const auto is = [&](std::string_view name) {
    return std::equal(
        name.begin(), name.end(), content_type.begin(), content_type.end(),
        [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
  };
  if (is(kProtobuf)) return OtlpEncoding::kProtobuf;
  if (is(kJson)) return OtlpEncoding::kJson;
  return std::nullopt;
}

net::HttpResponse SuccessAnswer(OtlpSignal signal, OtlpEncoding encoding, std::uint64_t rejected,
                                std::string_view reason) {
  net::HttpResponse response = Answer(encoding, 200);
  const bool is_partial = rejected > 0 || !reason.empty();
  if (encoding == OtlpEncoding::kProtobuf) {
    if (!is_partial) return response;
    std::string partial;
    protobuf::MessageWriter(partial).Varint(1, rejected).Bytes(2, reason);
    protobuf::MessageWriter(response.body).Bytes(1, partial);
    return response;
  }
  json::JsonWriter json(response.body);
  json.BeginObject();
  if (is_partial) {
    json.Key("partialSuccess").BeginObject();
    // A 64-bit integer is a string in proto3 JSON.
    json.Field(RejectedField(signal), std::to_string(rejected));
    json.Field("errorMessage", reason).EndObject();
  }
  json.EndObject();
  return response;
}

net::HttpResponse ErrorAnswer(OtlpEncoding encoding, int status, std::string_view message) {
  net::HttpResponse response = Answer(encoding, status);
  if (encoding == OtlpEncoding::kProtobuf) {
    const auto code = static_cast<std::uint64_t>(GrpcCodeOf(status));
    protobuf::MessageWriter(response.body).Varint(1, code).Bytes(2, message);
  } else {
    json::JsonWriter json(response.body);
    json.BeginObject().Key("code").Int(GrpcCodeOf(status)).Field("message", message).EndObject();
  }
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", kRetrySeconds);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace skep::ingest
