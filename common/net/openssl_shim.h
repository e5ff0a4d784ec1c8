// Why TLS works with Debian's civetweb 1.15. Private to the folder.
//
// It opens "libssl.so" and "libcrypto.so" at run time, names that only libssl-dev installs, and
// looks up SSL_get_peer_certificate, which OpenSSL 3 no longer exports. The two shared libraries
// made of shim_ssl.cc and shim_crypto.cc bear those names as SONAME and depend on the real
// libraries. A program that links common_net has them loaded before civetweb asks, so the loader
// hands them out, whatever lies in the system's folders.
#pragma once

extern "C" {
// Exported by the shims and by nothing else: using them is what keeps the linker from leaving the
// shims out.
int skep_openssl_shim_ssl();
int skep_openssl_shim_crypto();
}
