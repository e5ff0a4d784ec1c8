#include "tests/support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace skep::test {
namespace {

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* value) const { Free(value); }
};
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;

template <typename T>
T* Check(T* value) {
  if (value == nullptr) throw std::runtime_error("OpenSSL");
  return value;
}

std::string Text(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

KeyPair ToPem(X509* certificate, EVP_PKEY* key) {
  const Memory cert_text(Check(BIO_new(BIO_s_mem())));
  const Memory key_text(Check(BIO_new(BIO_s_mem())));
  PEM_write_bio_X509(cert_text.get(), certificate);
  PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {Text(cert_text.get()), Text(key_text.get())};
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = Check(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Subject, serial number, one day of life and `key`; neither issuer nor signature.
Certificate Blank(const std::string& name, EVP_PKEY* key) {
  static std::atomic<long> serial{1};
  Certificate certificate(Check(X509_new()));
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

KeyPair MakeAuthority(const std::string& name) {
  const Key key(Check(EVP_EC_gen("P-256")));
  const Certificate certificate = Blank(name, key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  AddExtension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return ToPem(certificate.get(), key.get());
}

KeyPair MakeCertificate(const KeyPair& authority, const std::string& name,
                        const std::string& sans) {
  const Memory cert_text(BIO_new_mem_buf(authority.cert.data(), -1));
  const Memory key_text(BIO_new_mem_buf(authority.key.data(), -1));
  const Certificate issuer(Check(PEM_read_bio_X509(cert_text.get(), nullptr, nullptr, nullptr)));
  const Key issuer_key(Check(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr)));
  const Key key(Check(EVP_EC_gen("P-256")));
  const Certificate certificate = Blank(name, key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  if (!sans.empty()) {
    AddExtension(certificate.get(), issuer.get(), NID_subject_alt_name, sans);
  }
  X509_sign(certificate.get(), issuer_key.get(), EVP_sha256());
  return ToPem(certificate.get(), key.get());
}

}  // namespace skep::test
