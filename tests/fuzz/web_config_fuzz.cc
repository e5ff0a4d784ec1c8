// A web configuration file of any bytes, and the HTTP client configuration of the same bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/net/client_config.h"
#include "common/net/web_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)skep::net::ParseWebConfig(text, "fuzz.yml");
  const skep::Result<skep::yaml::Node> node = skep::yaml::Node::Parse(text, "fuzz.yml");
  if (node) (void)skep::net::ReadHttpClientConfig(*node, "/etc");
  return 0;
}
