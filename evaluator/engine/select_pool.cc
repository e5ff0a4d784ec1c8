#include "evaluator/engine/select_pool.h"

#include <algorithm>

namespace skep::engine {
namespace {

std::string KeyOf(const std::vector<Matcher>& matchers, SelectReach reach) {
  std::string key = std::to_string(reach.back.count()) + ' ' + std::to_string(reach.ahead.count());
  for (const Matcher& matcher : matchers) {
    for (const std::string_view part :
         {std::string_view(matcher.name()), MatchTypeName(matcher.type()),
          std::string_view(matcher.value())}) {
      key += '\n';
      key += std::to_string(part.size());
      key += ':';
      key += part;
    }
  }
  return key;
}

}  // namespace

std::shared_ptr<SharedSelect> SelectPool::Of(const std::vector<Matcher>& matchers,
                                             SelectReach reach) {
  const std::string key = KeyOf(matchers, reach);
  const std::lock_guard lock(mutex_);
  std::weak_ptr<SharedSelect>& known = selects_[key];
  std::shared_ptr<SharedSelect> select = known.lock();
  if (select != nullptr) return select;
  select = std::make_shared<SharedSelect>();
  known = select;
  if (selects_.size() >= forget_at_) ForgetUnused();
  return select;
}

void SelectPool::ForgetUnused() {
  std::erase_if(selects_, [](const auto& entry) { return entry.second.expired(); });
  forget_at_ = std::max<std::size_t>(64, 2 * selects_.size());
}

}  // namespace skep::engine
