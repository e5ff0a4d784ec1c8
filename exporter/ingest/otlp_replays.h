// Which requests were accepted lately: a client that lost our answer sends the same bytes again.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "exporter/ingest/otlp_stream_key.h"
#include "exporter/state/store.h"

namespace skep::ingest {

// The digests of the last 16,384 requests that carried times (two requests without may be equal and
// both new). Used inside Store::Update only.
class RequestDigests final : public state::Section {
 public:
  static constexpr std::size_t kMax = 16'384;

  std::string_view name() const override { return "otlp_requests"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

  bool Has(const StreamKey& digest) const { return known_.contains(digest); }
  // Writes it into the unit; known once that is in the file.
  void Add(const StreamKey& digest, state::Changes& changes);

 private:
  struct Hash {
    std::size_t operator()(const StreamKey& key) const { return key.low; }
  };

  void Insert(const StreamKey& digest);

  std::vector<StreamKey> ring_;  // the oldest at next_ once it is full
  std::size_t next_ = 0;
  std::unordered_set<StreamKey, Hash> known_;
};

}  // namespace skep::ingest
