#include "common/net/tls_names.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace skep::net {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;
constexpr std::array<Pair, 4> kCurves = {Pair{"CurveP256", "P-256"}, Pair{"CurveP384", "P-384"},
                                         Pair{"CurveP521", "P-521"}, Pair{"X25519", "X25519"}};
constexpr std::array<std::string_view, 3> kTls13Suites = {
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};

const Pair* FindCurve(std::string_view name) {
  const auto* found = std::find_if(kCurves.begin(), kCurves.end(),
                                   [&](const Pair& curve) { return curve.first == name; });
  return found == kCurves.end() ? nullptr : found;
}

// Go leaves the hash off these two, IANA does not.
std::string IanaName(const std::string& name) {
  const bool bare =
      name.size() > 17 && name.compare(name.size() - 17, 17, "CHACHA20_POLY1305") == 0;
  return bare ? name + "_SHA256" : name;
}

}  // namespace

std::optional<int> TlsVersionNumber(std::string_view name) {
  if (name.empty()) return 0;
  if (name == "TLS10") return TLS1_VERSION;
  if (name == "TLS11") return TLS1_1_VERSION;
  if (name == "TLS12") return TLS1_2_VERSION;
  if (name == "TLS13") return TLS1_3_VERSION;
  return std::nullopt;
}

bool IsTls13CipherSuite(std::string_view name) {
  return std::find(kTls13Suites.begin(), kTls13Suites.end(), name) != kTls13Suites.end();
}

bool IsCipherSuite(const std::string& name) {
  return IsTls13CipherSuite(name) ||
         std::strcmp(OPENSSL_cipher_name(IanaName(name).c_str()), "(NONE)") != 0;
}

std::string OpenSslCipherName(const std::string& name) {
  return IsTls13CipherSuite(name) ? name : OPENSSL_cipher_name(IanaName(name).c_str());
}

bool IsCurve(std::string_view name) { return FindCurve(name) != nullptr; }

std::string OpenSslCurveName(std::string_view name) { return std::string(FindCurve(name)->second); }

}  // namespace skep::net
