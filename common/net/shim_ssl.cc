// The shared library "libssl.so"; see openssl_shim.h.
struct ssl_st;
struct x509_st;

extern "C" {
x509_st* SSL_get1_peer_certificate(const ssl_st* ssl);
x509_st* SSL_get_peer_certificate(const ssl_st* ssl);
int skep_openssl_shim_ssl();

// What OpenSSL 1.1 called it; both give a reference that the caller frees.
x509_st* SSL_get_peer_certificate(const ssl_st* ssl) { return SSL_get1_peer_certificate(ssl); }

int skep_openssl_shim_ssl() { return 1; }
}
