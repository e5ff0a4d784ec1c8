#include "common/net/tls_context.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/net/tls_names.h"

namespace skep::net {
namespace {

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* value) const { Free(value); }
};
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;
using SanNames = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES, GENERAL_NAMES_free>>;

// The newest of OpenSSL's reasons; the queue is empty afterwards.
std::string OpenSslReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "not usable" : reason;
}

// A PEM text and the name that errors give it.
struct Pem {
  std::string text;
  std::string name;
};

Result<Pem> LoadPem(const std::string& file, const std::string& text, const std::string& what) {
  if (file.empty()) return Pem{text, what};
  Result<std::string> content = ReadFile(file, 16UL << 20);
  if (!content) return content.error().Wrap(what);
  return Pem{std::move(*content), what + " " + file};
}

Memory Open(const Pem& pem) {
  return Memory(BIO_new_mem_buf(pem.text.data(), static_cast<int>(pem.text.size())));
}

std::vector<Certificate> ReadCertificates(const Pem& pem) {
  std::vector<Certificate> certificates;
  const Memory memory = Open(pem);
  while (X509* next = PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(next);
  }
  return certificates;
}

// No terminal prompt for a pass phrase: an encrypted key is an error.
int NoPassPhrase(char*, int, int, void*) { return -1; }

Status UseKeyPair(SSL_CTX* context, const Pem& cert, const Pem& key) {
  const std::vector<Certificate> chain = ReadCertificates(cert);
  if (chain.empty()) return Invalid(cert.name + ": " + OpenSslReason());
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return Invalid(cert.name + ": " + OpenSslReason());
  }
  for (std::size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
  const Memory memory = Open(key);
  const Key parsed(PEM_read_bio_PrivateKey(memory.get(), nullptr, NoPassPhrase, nullptr));
  if (parsed == nullptr || SSL_CTX_use_PrivateKey(context, parsed.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Invalid(key.name + ": " + OpenSslReason());
  }
  ERR_clear_error();
  return {};
}

Status UseClientCa(SSL_CTX* context, const Pem& ca) {
  const std::vector<Certificate> certificates = ReadCertificates(ca);
  if (certificates.empty()) return Invalid(ca.name + ": " + OpenSslReason());
  for (const Certificate& certificate : certificates) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    SSL_CTX_add_client_CA(context, certificate.get());
  }
  ERR_clear_error();
  return {};
}

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ":") + name;
  return joined;
}

Status UseNames(SSL_CTX* context, const TlsServerOptions& options) {
  std::vector<std::string> old_suites;
  std::vector<std::string> tls13_suites;
  for (const std::string& name : options.cipher_suites) {
    (IsTls13CipherSuite(name) ? tls13_suites : old_suites).push_back(OpenSslCipherName(name));
  }
  std::vector<std::string> curves;
  for (const std::string& name : options.curve_preferences) {
    curves.push_back(OpenSslCurveName(name));
  }
  const bool fine =
      (old_suites.empty() || SSL_CTX_set_cipher_list(context, Join(old_suites).c_str()) == 1) &&
      (tls13_suites.empty() ||
       SSL_CTX_set_ciphersuites(context, Join(tls13_suites).c_str()) == 1) &&
      (curves.empty() || SSL_CTX_set1_curves_list(context, Join(curves).c_str()) == 1);
  if (!fine) return Invalid("cipher_suites or curve_preferences: " + OpenSslReason());
  return {};
}

void UseVersions(SSL_CTX* context, const TlsServerOptions& options) {
  const int minimum = TlsVersionNumber(options.min_version).value_or(0);
  SSL_CTX_set_min_proto_version(context, minimum);
  SSL_CTX_set_max_proto_version(context, TlsVersionNumber(options.max_version).value_or(0));
  // OpenSSL 3 refuses the signatures of TLS 1.0 and 1.1 above security level 0.
  if (minimum != 0 && minimum < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
}

std::string NameText(const GENERAL_NAME& name) {
  const auto text = [](const ASN1_STRING* string) {
    return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                       static_cast<std::size_t>(ASN1_STRING_length(string)));
  };
  if (name.type == GEN_DNS) return text(name.d.dNSName);
  if (name.type == GEN_EMAIL) return text(name.d.rfc822Name);
  if (name.type == GEN_URI) return text(name.d.uniformResourceIdentifier);
  if (name.type != GEN_IPADD) return "";
  const int family = ASN1_STRING_length(name.d.iPAddress) == 4 ? AF_INET : AF_INET6;
  char address[INET6_ADDRSTRLEN] = {};
  inet_ntop(family, ASN1_STRING_get0_data(name.d.iPAddress), address, sizeof(address));
  return address;
}

bool HasAllowedSan(X509* certificate, const std::vector<std::string>& allowed) {
  const SanNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string name = NameText(*sk_GENERAL_NAME_value(names.get(), i));
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) return true;
  }
  return false;
}

// Where a context keeps its allowed names; freed with it.
using Names = std::vector<std::string>;
int NamesIndex() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* value, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<Names*>(value);
      });
  return index;
}

int AcceptAny(int, X509_STORE_CTX*) { return 1; }

int CheckSans(int verified, X509_STORE_CTX* store) {
  if (verified == 0 || X509_STORE_CTX_get_error_depth(store) != 0) return verified;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* allowed =
      static_cast<Names*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), NamesIndex()));
  if (HasAllowedSan(X509_STORE_CTX_get_current_cert(store), *allowed)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

void UseClientAuth(SSL_CTX* context, const TlsServerOptions& options) {
  const auto check = options.client_allowed_sans.empty() ? nullptr : CheckSans;
  if (check != nullptr) {
    SSL_CTX_set_ex_data(context, NamesIndex(), new Names(options.client_allowed_sans));
  }
  constexpr int kRequired = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  switch (options.client_auth) {
    case ClientAuth::kNone:
      SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
      return;
    case ClientAuth::kRequest:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, AcceptAny);
      return;
    case ClientAuth::kRequireAny:
      SSL_CTX_set_verify(context, kRequired, AcceptAny);
      return;
    case ClientAuth::kVerifyIfGiven:
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, check);
      return;
    case ClientAuth::kRequireAndVerify:
      SSL_CTX_set_verify(context, kRequired, check);
      return;
  }
}

// After the ClientHello, before anything of the certificate is needed.
int SwitchContext(SSL* ssl, int*, void* source) {
  const TlsContext current = static_cast<TlsContextSource*>(source)->CurrentTls();
  if (current == nullptr) return SSL_CLIENT_HELLO_SUCCESS;
  SSL_set_SSL_CTX(ssl, current.get());
  SSL_set_verify(ssl, SSL_CTX_get_verify_mode(current.get()),
                 SSL_CTX_get_verify_callback(current.get()));
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace

Result<TlsContext> MakeTlsContext(const TlsServerOptions& options) {
  const TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return Internal("TLS: " + OpenSslReason());
  const Result<Pem> cert = LoadPem(options.cert_file, options.cert, "cert");
  if (!cert) return cert.error();
  const Result<Pem> key = LoadPem(options.key_file, options.key, "key");
  if (!key) return key.error();
  RETURN_IF_ERROR(UseKeyPair(context.get(), *cert, *key));
  if (!options.client_ca_file.empty() || !options.client_ca.empty()) {
    const Result<Pem> ca = LoadPem(options.client_ca_file, options.client_ca, "client CA");
    if (!ca) return ca.error();
    RETURN_IF_ERROR(UseClientCa(context.get(), *ca));
  }
  RETURN_IF_ERROR(UseNames(context.get(), options));
  UseVersions(context.get(), options);
  UseClientAuth(context.get(), options);
  if (options.prefer_server_cipher_suites) {
    SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  // Without sessions a client shows its certificate to each connection anew.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

void FollowTlsContext(ssl_ctx_st* listener, TlsContextSource& current) {
  SSL_CTX_set_client_hello_cb(listener, SwitchContext, &current);
}

}  // namespace skep::net
