// The shared library "libcrypto.so"; see openssl_shim.h.
extern "C" {
int skep_openssl_shim_crypto();

int skep_openssl_shim_crypto() { return 1; }
}
