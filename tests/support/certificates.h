// Certificates for tests of TLS, made anew in each run.
#pragma once

#include <string>

namespace skep::test {

struct KeyPair {
  std::string cert;  // PEM
  std::string key;   // PEM, unencrypted
};

// A certificate authority of its own. Throws where OpenSSL fails.
KeyPair MakeAuthority(const std::string& name);

// Signed by `authority`, for one day. `sans`: "DNS:localhost,IP:127.0.0.1".
KeyPair MakeCertificate(const KeyPair& authority, const std::string& name, const std::string& sans);

}  // namespace skep::test
