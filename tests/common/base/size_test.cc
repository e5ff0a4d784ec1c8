#include "common/base/size.h"

#include <catch2/catch.hpp>

namespace skep {
namespace {

TEST_CASE("Sizes are read as Prometheus reads them") {
  CHECK(ParseSizeBytes("512") == 512);
  CHECK(ParseSizeBytes("0B") == 0);
  CHECK(ParseSizeBytes("1KB") == 1024);
  CHECK(ParseSizeBytes("1.5GiB") == 1'610'612'736);
  for (const char* bad : {"", "x", "1X", "1kB", "-1", "1.5", "1.2.3MB", "99999EB", "1 KB"}) {
    CAPTURE(bad);
    CHECK(ParseSizeBytes(bad) == std::nullopt);
  }
}

TEST_CASE("Sizes are shown in the unit that suits them") {
  CHECK(FormatSizeBytes(0) == "0B");
  CHECK(FormatSizeBytes(1023) == "1023B");
  CHECK(FormatSizeBytes(1024) == "1KiB");
  CHECK(FormatSizeBytes(1'610'612'736) == "1.5GiB");
}

}  // namespace
}  // namespace skep
