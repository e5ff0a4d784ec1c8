#include "common/base/digest.h"

#include <catch2/catch.hpp>

TEST_CASE("Digests equal the published vectors", "[digest]") {
  // RFC 1321, A.5, and FIPS 180-4's example.
  const auto md5 = skep::Md5("abc");
  CHECK(md5[0] == 0x90);
  CHECK(md5[15] == 0x72);
  CHECK(skep::Sha256Hex("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
