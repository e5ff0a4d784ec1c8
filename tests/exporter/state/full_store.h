// A store on a disk that can be full.
#pragma once

#include <functional>
#include <utility>

#include "exporter/state/store.h"

namespace skep::state::test {

// An update fails and leaves nothing, as on a full disk.
class FullStore final : public Store {
 public:
  explicit FullStore(Store& real) : real_(real) {}
  Result<FamilyId> Define(FamilySpec spec) override { return real_.Define(std::move(spec)); }
  void Release(FamilyId family) override { real_.Release(family); }
  Status Update(const std::function<Status(Changes&)>& change) override {
    if (!is_full) return real_.Update(change);
    (void)real_.Update([&](Changes& changes) -> Status {
      (void)change(changes);
      return Error(ErrorKind::kIo, "no space left");
    });
    return Error(ErrorKind::kIo, "no space left");
  }
  void WritePage(exposition::PageWriter& page) override { real_.WritePage(page); }
  void WriteOwn(exposition::PageWriter& page) override { real_.WriteOwn(page); }

  bool is_full = true;

 private:
  Store& real_;
};

}  // namespace skep::state::test
