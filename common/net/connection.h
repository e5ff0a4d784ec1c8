// One of civetweb's connections as the server sees it: what we know of it, what it is sent. Private
// to the folder.
#pragma once

#include <string>
#include <string_view>

#include "common/net/lobby.h"

struct mg_connection;

namespace skep::net {

// civetweb carries the pointer from the connection's begin to its end.
struct Connection {
  Lobby::Id id = Lobby::kNone;
  bool refused = false;  // the last request, before any handler
};

// Null before the begin and after the end.
Connection* KnownOf(const mg_connection* connection);

// The lobby's number of a connection; kNone where civetweb does not show it yet.
Lobby::Id IdOf(const mg_connection* connection);

// "Not Found" for 404.
std::string_view ReasonOf(const mg_connection* connection, int status);

// Waits until the client has taken all or is gone: false.
[[nodiscard]] bool WriteAll(mg_connection* connection, std::string_view bytes);

// "Name: value" with its line end. A line end in a value would begin another field: it becomes a
// space.
void AppendField(std::string& head, std::string_view name, std::string_view value);

// The next request on this connection is not read.
void CloseAfterAnswer(mg_connection* connection);

}  // namespace skep::net
