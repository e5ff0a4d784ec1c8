// From an HttpResponse to bytes on a connection: head, gzip, pieces. Private to the folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/net/gzip.h"
#include "common/net/http_message.h"

struct mg_connection;

namespace skep::net {

enum class AfterAnswer : std::uint8_t { kKeep, kClose };  // what becomes of the connection

struct Reply {
  HttpResponse response;
  AfterAnswer after = AfterAnswer::kKeep;
};

// Thread-safe; each connection is written by one thread.
class ResponseWriter {
 public:
  // `giving_up` must outlive this: once true, streams end.
  explicit ResponseWriter(const std::atomic<bool>& giving_up) : giving_up_(giving_up) {}

  // Answers `request`; `fields` are sent with each response. Where the client goes away the rest is
  // dropped.
  void Send(mg_connection* connection, const HttpRequest& request, Reply reply,
            const Headers& fields);

 private:
  // A stream's pieces on their way out.
  class Pieces;
  enum class Packing : std::uint8_t { kNone, kGzip };
  void SendStream(const HttpResponse& response, Packing packing, Pieces& pieces);
  std::string Compress(const std::string& body);
  std::unique_ptr<GzipWriter> TakeGzip();
  void ReturnGzip(std::unique_ptr<GzipWriter> writer);

  const std::atomic<bool>& giving_up_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<GzipWriter>> idle_;  // guarded by mutex_
};

}  // namespace skep::net
