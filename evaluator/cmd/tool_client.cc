#include "evaluator/cmd/tool_client.h"

#include <utility>

#include "common/base/file.h"
#include "common/net/client_config.h"
#include "common/yaml/node.h"

namespace skep::tool {

Result<std::unique_ptr<net::HttpClient>> MakeClient(const std::string& config_file) {
  net::HttpClientOptions options;
  if (!config_file.empty()) {
    const Result<std::string> text = ReadFile(config_file);
    if (!text) return text.error();
    const Result<yaml::Node> node = yaml::Node::Parse(*text, config_file);
    if (!node) return node.error();
    Result<net::HttpClientOptions> read = net::ReadHttpClientConfig(*node, DirName(config_file));
    if (!read) return read.error();
    options = *std::move(read);
  }
  options.user_agent = "skep";
  return net::HttpClient::Create(std::move(options));
}

std::string JoinUrl(std::string server, std::string_view path) {
  while (server.ends_with('/')) server.pop_back();
  return server.append(path);
}

}  // namespace skep::tool
