// A collector made from its spec over a Tree, with everything that must outlive it.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "exporter/collectors/spec.h"
#include "tests/exporter/collectors/tree.h"

namespace skep::test {

// Always the same moment: 2026-11-21T10:00:00.5Z.
class StandingClock final : public Clock {
 public:
  Timestamp Now() const override { return FromMillis(1'795'255'200'500); }
  Steady SteadyNow() const override { return {}; }
};

class Made {
 public:
  using Options = std::map<std::string, std::vector<std::string>>;

  Made(const exporter::CollectorSpec& spec, const Tree& tree, const Options& options = {})
      : paths_(tree.paths()) {
    paths_.udev_data = tree.File("udev");
    exporter::OptionValues values(spec);
    for (const auto& [name, texts] : options) {
      if (const Status set = values.Set(name, texts); !set) {
        throw std::runtime_error(set.error().message());
      }
    }
    Result<std::unique_ptr<exporter::Collector>> made =
        spec.create({paths_, values, clock_, Logger::Silent()});
    if (!made) throw std::runtime_error(made.error().message());
    collector_ = std::move(*made);
  }

  Collected Collect() const { return test::Collect(*collector_); }
  std::string_view name() const { return collector_->name(); }

 private:
  StandingClock clock_;
  exporter::Paths paths_;
  std::unique_ptr<exporter::Collector> collector_;
};

}  // namespace skep::test
