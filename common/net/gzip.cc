#include "common/net/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

#include "common/base/number.h"
#include "common/net/text.h"

namespace skep::net {
namespace {

// Windows as powers of two; 16 more is zlib's way to say: gzip, not zlib, around it.
constexpr int kAnyWindow = 15 + 16;
// A writer takes 128 KB so, half of what zlib takes by itself; pages come out as small.
constexpr int kWindow = 14 + 16;
constexpr int kMemoryLevel = 7;
constexpr std::size_t kStep = 64UL << 10;

// zlib counts input in 32 bits and never writes to it.
std::size_t Feed(z_stream& stream, std::string_view text) {
  const std::size_t part = std::min<std::size_t>(text.size(), 1U << 30);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(part);
  return part;
}

struct Inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, kAnyWindow) == Z_OK;
  ~Inflater() { inflateEnd(&stream); }
};

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    std::string_view item = NextToken(accept_encoding, ',');
    const std::string_view name = NextToken(item, ';');
    if (!EqualsIgnoringCase(name, "gzip") && name != "*") continue;
    const bool has_weight = item.substr(0, 2) == "q=";
    return !has_weight || ParseDouble(item.substr(2)).value_or(0) > 0;
  }
  return false;
}

Result<std::string> Gunzip(std::string_view compressed, std::size_t limit_bytes) {
  Inflater inflater;
  if (!inflater.ready) throw std::bad_alloc();
  z_stream& stream = inflater.stream;
  std::string text;
  int state = Z_OK;
  std::array<char, kStep> buffer;
  while (!compressed.empty() || state == Z_OK) {
    if (state == Z_STREAM_END && inflateReset(&stream) != Z_OK) return Corrupt("gzip: broken");
    const std::size_t fed = Feed(stream, compressed);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    compressed.remove_prefix(fed - stream.avail_in);
    const std::size_t produced = buffer.size() - stream.avail_out;
    if (text.size() + produced > limit_bytes) {
      return Invalid("body larger than " + std::to_string(limit_bytes) + " bytes");
    }
    text.append(buffer.data(), produced);
    if (state == Z_BUF_ERROR) return Corrupt("gzip: cut short");
    if (state != Z_OK && state != Z_STREAM_END) return Corrupt("gzip: broken");
  }
  return text;
}

struct GzipReader::State {
  Inflater inflater;
  int result = Z_OK;  // of the last step
};

GzipReader::GzipReader() : state_(std::make_unique<State>()) {
  if (!state_->inflater.ready) throw std::bad_alloc();
}
GzipReader::~GzipReader() = default;

bool GzipReader::ended() const { return state_->result == Z_STREAM_END; }

Status GzipReader::Read(std::string_view& compressed, std::size_t least, std::string& out) {
  z_stream& stream = state_->inflater.stream;
  const std::size_t begin = out.size();
  while (out.size() - begin < least && !(compressed.empty() && ended())) {
    if (ended() && inflateReset(&stream) != Z_OK) return Corrupt("gzip: broken");
    const std::size_t fed = Feed(stream, compressed);
    const std::size_t old = out.size();
    out.resize(old + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + old);
    stream.avail_out = static_cast<uInt>(kStep);
    state_->result = inflate(&stream, Z_NO_FLUSH);
    out.resize(old + kStep - stream.avail_out);
    compressed.remove_prefix(fed - stream.avail_in);
    if (state_->result == Z_BUF_ERROR) return Corrupt("gzip: cut short");
    if (state_->result != Z_OK && !ended()) return Corrupt("gzip: broken");
  }
  return {};
}

struct GzipWriter::State {
  z_stream stream{};
};

GzipWriter::GzipWriter() : state_(std::make_unique<State>()) {
  if (deflateInit2(&state_->stream, 1, Z_DEFLATED, kWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
}

GzipWriter::~GzipWriter() { deflateEnd(&state_->stream); }

void GzipWriter::Reset() { deflateReset(&state_->stream); }

void GzipWriter::Flush(std::string_view text, std::string& out) {
  Deflate(text, Z_SYNC_FLUSH, out);
}

void GzipWriter::Finish(std::string_view text, std::string& out) { Deflate(text, Z_FINISH, out); }

void GzipWriter::Deflate(std::string_view text, int flush, std::string& out) {
  z_stream& stream = state_->stream;
  bool done = false;
  while (!done) {
    const std::size_t fed = Feed(stream, text);
    const bool last = fed == text.size();
    const std::size_t old = out.size();
    out.resize(old + kStep);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + old);
    stream.avail_out = static_cast<uInt>(kStep);
    (void)deflate(&stream, last ? flush : Z_NO_FLUSH);  // fails only on a broken state
    out.resize(old + kStep - stream.avail_out);
    text.remove_prefix(fed - stream.avail_in);
    done = last && stream.avail_in == 0 && stream.avail_out != 0;
  }
}

}  // namespace skep::net
