#include "common/net/password.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

#include "common/net/text.h"

namespace skep::net {
namespace {

constexpr std::size_t kMaxSeen = 256;
// Of nothing in particular: an unknown user costs as much time as a known one.
constexpr const char* kNobody = "$2b$10$CwTycUXWue0Thq9StjUM0uJ8e1oG8E3r7dI1xO7pZ0b1kqv1p6JqS";

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 4096) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string Digest(const std::string& text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             EVP_sha256(), nullptr);
  digest.resize(size);
  return digest;
}

bool MatchesBcrypt(const std::string& hash, const std::string& password) {
  // crypt stops at a NUL; such a password must not equal its beginning.
  if (password.find('\0') != std::string::npos) return false;
  const auto room = std::make_unique<crypt_data>();  // 32 KiB, too much for the stack
  const char* got = crypt_r(password.c_str(), hash.c_str(), room.get());
  return got != nullptr && hash.size() == std::string_view(got).size() &&
         CRYPTO_memcmp(got, hash.data(), hash.size()) == 0;
}

}  // namespace

std::optional<std::string> PasswordChecker::Check(const Users& users,
                                                  std::string_view authorization) {
  const std::string_view scheme = NextToken(authorization, ' ');
  if (!EqualsIgnoringCase(scheme, "Basic")) return std::nullopt;
  const std::optional<std::string> pair = DecodeBase64(Trim(authorization));
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  const std::string name = pair->substr(0, colon);
  const auto found = users.find(name);
  const std::string hash = found == users.end() ? kNobody : found->second;
  const bool matches = Verify(hash, pair->substr(colon + 1));
  if (!matches || found == users.end()) return std::nullopt;
  return name;
}

bool PasswordChecker::Verify(const std::string& hash, const std::string& password) {
  const std::string key = Digest(hash + '\0' + password);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = seen_.find(key); found != seen_.end()) return found->second;
  }
  bool matches = false;
  {
    const std::lock_guard lock(crypt_mutex_);
    matches = MatchesBcrypt(hash, password);
  }
  const std::lock_guard lock(mutex_);
  if (seen_.size() >= kMaxSeen) seen_.clear();
  seen_.emplace(key, matches);
  return matches;
}

}  // namespace skep::net
