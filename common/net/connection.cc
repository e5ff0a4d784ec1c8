#include "common/net/connection.h"

#include <civetweb.h>

#include <algorithm>
#include <cstddef>

namespace skep::net {

Connection* KnownOf(const mg_connection* connection) {
  return static_cast<Connection*>(mg_get_user_connection_data(connection));
}

// civetweb shows the name that the lobby has given the connection as its peer's address; before the
// first request of a thread it shows nothing.
Lobby::Id IdOf(const mg_connection* connection) {
  Connection* const known = KnownOf(connection);
  if (known != nullptr && known->id != Lobby::kNone) return known->id;
  const mg_request_info* const info = mg_get_request_info(connection);
  const Lobby::Id id = info == nullptr ? Lobby::kNone : Lobby::IdOf(info->remote_addr);
  if (known != nullptr) known->id = id;
  return id;
}

std::string_view ReasonOf(const mg_connection* connection, int status) {
  return mg_get_response_code_text(connection, status);
}

bool WriteAll(mg_connection* connection, std::string_view bytes) {
  constexpr std::size_t kPart = 1UL << 30;  // mg_write counts in int
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kPart);
    if (mg_write(connection, part.data(), part.size()) != static_cast<int>(part.size())) {
      return false;
    }
    bytes.remove_prefix(part.size());
  }
  return true;
}

void AppendField(std::string& head, std::string_view name, std::string_view value) {
  const std::size_t begin = head.size();
  head.append(name).append(": ").append(value);
  std::replace_if(
      head.begin() + static_cast<std::ptrdiff_t>(begin), head.end(),
      [](char c) { return c == '\r' || c == '\n'; }, ' ');
  head += "\r\n";
}

void CloseAfterAnswer(mg_connection* connection) { mg_disable_connection_keep_alive(connection); }

}  // namespace skep::net
