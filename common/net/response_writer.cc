#include "common/net/response_writer.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "common/net/connection.h"

namespace skep::net {
namespace {

constexpr std::size_t kGzipFrom = 1024;
constexpr std::size_t kCopiedBelow = 64UL << 10;
constexpr std::size_t kIdleWriters = 2;

// What the head says of the body.
struct Form {
  bool may_be_packed = false;  // by its size and kind, whatever the client takes
  bool gzip = false;
  bool has_body = true;
  bool is_stream = false;
  bool is_head = false;  // answers HEAD
};

Form FormOf(const HttpRequest& request, const HttpResponse& response) {
  Form form;
  form.is_stream = static_cast<bool>(response.stream);
  form.may_be_packed = (form.is_stream || response.body.size() >= kGzipFrom) &&
                       FindHeader(response.headers, "Content-Encoding").empty();
  form.gzip = form.may_be_packed && AcceptsGzip(request.Header("Accept-Encoding"));
  form.has_body = response.status != 204 && response.status != 304;
  form.is_head = request.method == "HEAD";
  return form;
}

// Without what says the body's length and without the empty line.
std::string BeginHead(const mg_connection* connection, const Reply& reply, const Form& form,
                      const Headers& fields) {
  const HttpResponse& response = reply.response;
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(ReasonOf(connection, response.status)).append("\r\n");
  if (form.has_body) AppendField(head, "Content-Type", response.content_type);
  for (const auto& [name, value] : fields) AppendField(head, name, value);
  for (const auto& [name, value] : response.headers) AppendField(head, name, value);
  if (form.may_be_packed) AppendField(head, "Vary", "Accept-Encoding");
  if (form.gzip) AppendField(head, "Content-Encoding", "gzip");
  AppendField(head, "Connection", reply.after == AfterAnswer::kClose ? "close" : "keep-alive");
  return head;
}

}  // namespace

// The head goes with the first piece, in one write.
class ResponseWriter::Pieces {
 public:
  Pieces(mg_connection* connection, std::string head, AfterAnswer after)
      : connection_(connection), unsent_(std::move(head)), chunked_(after == AfterAnswer::kKeep) {}

  // False once the client is gone.
  bool Send(std::string_view bytes) {
    if (!open_ || bytes.empty()) return open_;
    if (chunked_) AppendSize(bytes.size());
    unsent_ += bytes;
    if (chunked_) unsent_ += "\r\n";
    open_ = WriteAll(connection_, unsent_);
    unsent_.clear();
    return open_;
  }

  void GiveUp() { open_ = false; }

  void End() {
    if (chunked_) unsent_ += "0\r\n\r\n";
    if (open_) open_ = WriteAll(connection_, unsent_);
  }

 private:
  void AppendSize(std::size_t size) {
    constexpr std::string_view kHex = "0123456789abcdef";
    for (int shift = 28; shift >= 0; shift -= 4) unsent_.push_back(kHex[(size >> shift) & 15]);
    unsent_ += "\r\n";
  }

  mg_connection* const connection_;
  std::string unsent_;
  const bool chunked_;
  bool open_ = true;
};

void ResponseWriter::Send(mg_connection* connection, const HttpRequest& request, Reply reply,
                          const Headers& fields) {
  HttpResponse& response = reply.response;
  const Form form = FormOf(request, response);
  std::string head = BeginHead(connection, reply, form, fields);
  if (form.is_stream) {
    const bool chunked = reply.after == AfterAnswer::kKeep || form.is_head;
    if (chunked) AppendField(head, "Transfer-Encoding", "chunked");
    head += "\r\n";
    if (form.is_head) return (void)WriteAll(connection, head);
    Pieces pieces(connection, std::move(head), reply.after);
    return SendStream(response, form.gzip ? Packing::kGzip : Packing::kNone, pieces);
  }
  if (form.gzip) response.body = Compress(response.body);
  if (form.has_body) AppendField(head, "Content-Length", std::to_string(response.body.size()));
  head += "\r\n";
  if (form.is_head || !form.has_body) response.body.clear();
  // One write for what is small; a large body is not copied behind its head.
  if (response.body.size() < kCopiedBelow) return (void)WriteAll(connection, head + response.body);
  if (WriteAll(connection, head)) (void)WriteAll(connection, response.body);
}

void ResponseWriter::SendStream(const HttpResponse& response, Packing packing, Pieces& pieces) {
  std::unique_ptr<GzipWriter> writer = packing == Packing::kGzip ? TakeGzip() : nullptr;
  std::string packed;
  response.stream([&](std::string_view piece) {
    if (giving_up_) pieces.GiveUp();
    if (writer == nullptr || piece.empty()) return pieces.Send(piece);
    packed.clear();
    writer->Flush(piece, packed);
    return pieces.Send(packed);
  });
  if (writer != nullptr) {
    packed.clear();
    writer->Finish("", packed);
    (void)pieces.Send(packed);  // End knows whether the client is gone
    ReturnGzip(std::move(writer));
  }
  pieces.End();
}

std::string ResponseWriter::Compress(const std::string& body) {
  std::unique_ptr<GzipWriter> writer = TakeGzip();
  std::string packed;
  writer->Finish(body, packed);
  ReturnGzip(std::move(writer));
  return packed;
}

std::unique_ptr<GzipWriter> ResponseWriter::TakeGzip() {
  std::unique_ptr<GzipWriter> writer;
  {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<GzipWriter>();
    writer = std::move(idle_.back());
    idle_.pop_back();
  }
  writer->Reset();
  return writer;
}

void ResponseWriter::ReturnGzip(std::unique_ptr<GzipWriter> writer) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleWriters) idle_.push_back(std::move(writer));
}

}  // namespace skep::net
