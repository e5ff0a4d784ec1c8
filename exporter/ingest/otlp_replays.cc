#include "exporter/ingest/otlp_replays.h"

#include <cstring>

namespace skep::ingest {

Status RequestDigests::Restore(std::string_view record) {
  if (record.size() != sizeof(StreamKey)) return Corrupt("otlp_requests: no digest");
  StreamKey digest;
  std::memcpy(&digest, record.data(), sizeof digest);
  Insert(digest);
  return {};
}

void RequestDigests::Save(const std::function<void(std::string_view record)>& write) const {
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const StreamKey& digest = ring_[(next_ + i) % ring_.size()];
    write({reinterpret_cast<const char*>(&digest), sizeof digest});
  }
}

void RequestDigests::Add(const StreamKey& digest, state::Changes& changes) {
  changes.Record(name(), {reinterpret_cast<const char*>(&digest), sizeof digest});
  changes.OnCommitted([this, digest] { Insert(digest); });
}

void RequestDigests::Insert(const StreamKey& digest) {
  if (!known_.insert(digest).second) return;
  if (ring_.size() < kMax) {
    ring_.push_back(digest);
    return;
  }
  known_.erase(ring_[next_]);
  ring_[next_] = digest;
  next_ = (next_ + 1) % kMax;
}

}  // namespace skep::ingest
