// Go's names of TLS versions, cipher suites and curves, which Prometheus's configuration uses, as
// OpenSSL knows them. Private to the folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skep::net {

// OpenSSL's number of "TLS10" .. "TLS13"; 0 (no bound) for ""; nothing for another text.
std::optional<int> TlsVersionNumber(std::string_view name);

// Whether OpenSSL has a suite of this name ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").
bool IsCipherSuite(const std::string& name);
bool IsTls13CipherSuite(std::string_view name);
// OpenSSL's own name of it. Requires: IsCipherSuite.
std::string OpenSslCipherName(const std::string& name);

// "CurveP256", "CurveP384", "CurveP521", "X25519".
bool IsCurve(std::string_view name);
std::string OpenSslCurveName(std::string_view name);  // Requires: IsCurve

}  // namespace skep::net
