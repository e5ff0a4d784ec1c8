// How far each source was counted: what must change together with the counters and be there after
// a restart.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/state/store.h"

namespace skep::stores {

// Short texts by name. A Section: made before the store. Thread-safe; a name has one writer.
class Positions final : public state::Section {
 public:
  // As of the last unit that came to be.
  std::optional<std::string> Get(const std::string& name) const;
  // Inside Store::Update. Neither text holds a newline. Names beyond kMaxNames are not remembered.
  void Put(state::Changes& changes, const std::string& name, const std::string& value);

  std::string_view name() const override { return "store_positions"; }
  Status Restore(std::string_view record) override;
  void Save(const std::function<void(std::string_view record)>& write) const override;

  static constexpr std::size_t kMaxNames = 20'000;

 private:
  void Keep(const std::string& name, const std::string& value);

  mutable std::mutex mutex_;
  std::map<std::string, std::string> values_;  // guarded by mutex_
};

}  // namespace skep::stores
