// Checking basic authentication against bcrypt hashes. Private to the folder.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace skep::net {

// Remembers what it verified, because one bcrypt costs 70 ms and more and a scraper sends the same
// password each time. Thread-safe; only one bcrypt runs at a time, so that guessing passwords does
// not take all cores.
class PasswordChecker {
 public:
  using Users = std::map<std::string, std::string>;  // name and bcrypt hash

  // The user of an Authorization header whom `users` allow; nothing where they do not.
  std::optional<std::string> Check(const Users& users, std::string_view authorization);

 private:
  bool Verify(const std::string& hash, const std::string& password);

  std::mutex crypt_mutex_;  // held while bcrypt runs
  std::mutex mutex_;
  std::unordered_map<std::string, bool>
      seen_;  // guarded by mutex_; by SHA-256 of hash and password
};

}  // namespace skep::net
