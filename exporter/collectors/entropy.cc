// The kernel's pool of random bits.
#include "exporter/collectors/family_set.h"

namespace skep::exporter {

CollectorPtr MakeEntropyCollector(const Paths& paths) {
  std::string folder = paths.Proc("sys/kernel/random");
  return MakeFunctionCollector("entropy", [folder](CollectContext& context) -> Status {
    std::optional<std::uint64_t> available = ReadUint(folder + "/entropy_avail");
    std::optional<std::uint64_t> size = ReadUint(folder + "/poolsize");
    if (available) {
      context.page.Family("node_entropy_available_bits", "Bits of available entropy.",
                          MetricType::kGauge);
      context.page.Sample(static_cast<double>(*available));
    }
    if (size) {
      context.page.Family("node_entropy_pool_size_bits", "Bits of entropy pool.",
                          MetricType::kGauge);
      context.page.Sample(static_cast<double>(*size));
    }
    if (!available || !size) return Error(ErrorKind::kIo, "no number in a file of " + folder);
    return {};
  });
}

}  // namespace skep::exporter
