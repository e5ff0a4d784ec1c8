// The store of what is counted as a collector of the page.
#pragma once

#include "exporter/registry/collector.h"
#include "exporter/state/store.h"

namespace skep::exporter {

class StateCollector final : public Collector {
 public:
  // The store must outlive it.
  explicit StateCollector(state::Store& store) : store_(store) {}

  std::string_view name() const override { return "state"; }
  Status Collect(CollectContext& context) override {
    store_.WritePage(context.page);
    store_.WriteOwn(context.page);
    return {};
  }

 private:
  state::Store& store_;
};

}  // namespace skep::exporter
