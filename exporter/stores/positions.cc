#include "exporter/stores/positions.h"

namespace skep::stores {

std::optional<std::string> Positions::Get(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  auto found = values_.find(name);
  if (found == values_.end()) return {};
  return found->second;
}

void Positions::Put(state::Changes& changes, const std::string& name, const std::string& value) {
  changes.Record(this->name(), name + '\n' + value);
  changes.OnCommitted([this, name, value] { Keep(name, value); });
}

void Positions::Keep(const std::string& name, const std::string& value) {
  const std::lock_guard lock(mutex_);
  if (values_.size() >= kMaxNames && !values_.contains(name)) return;
  values_[name] = value;
}

Status Positions::Restore(std::string_view record) {
  const std::size_t newline = record.find('\n');
  if (newline == std::string_view::npos) return Corrupt("a position without a name");
  Keep(std::string(record.substr(0, newline)), std::string(record.substr(newline + 1)));
  return {};
}

void Positions::Save(const std::function<void(std::string_view record)>& write) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, value] : values_) write(name + '\n' + value);
}

}  // namespace skep::stores
