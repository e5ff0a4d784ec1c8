#include "common/net/http_message.h"

#include <algorithm>
#include <string>

#include "common/net/text.h"

namespace skep::net {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

HttpResponse Typed(int status, std::string content_type, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

}  // namespace

std::string DecodePercent(std::string_view encoded, bool plus_is_space) {
  std::string text;
  text.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const char c = encoded[i];
    const bool complete = c == '%' && i + 2 < encoded.size();
    const int high = complete ? HexDigit(encoded[i + 1]) : -1;
    const int low = complete ? HexDigit(encoded[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      text.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      text.push_back(c == '+' && plus_is_space ? ' ' : c);
    }
  }
  return text;
}

std::string_view NextToken(std::string_view& list, char separator) {
  const std::size_t end = list.find(separator);
  const std::string_view token = Trim(list.substr(0, end));
  list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  return token;
}

std::string_view FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoringCase(key, name)) return value;
  }
  return {};
}

Parameters ParseParameters(std::string_view encoded) {
  Parameters parameters;
  while (!encoded.empty()) {
    const std::string_view pair = encoded.substr(0, encoded.find('&'));
    encoded.remove_prefix(std::min(pair.size() + 1, encoded.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : "";
    parameters.emplace_back(DecodePercent(pair.substr(0, equals), true),
                            DecodePercent(value, true));
  }
  return parameters;
}

std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool plain = letter || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::optional<std::string_view> HttpRequest::Parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> HttpRequest::ParameterValues(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : parameters) {
    if (key == name) values.emplace_back(value);
  }
  return values;
}

HttpResponse HttpResponse::Text(int status, std::string body) {
  return Typed(status, "text/plain; charset=utf-8", std::move(body));
}

HttpResponse HttpResponse::Html(std::string body) {
  return Typed(200, "text/html; charset=utf-8", std::move(body));
}

HttpResponse HttpResponse::Json(int status, std::string body) {
  return Typed(status, "application/json", std::move(body));
}

HttpResponse HttpResponse::Redirect(std::string location) {
  HttpResponse response = Typed(302, "text/plain; charset=utf-8", "Found\n");
  response.headers.emplace_back("Location", std::move(location));
  return response;
}

}  // namespace skep::net
