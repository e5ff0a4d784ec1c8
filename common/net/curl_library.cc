#include "common/net/curl_library.h"

#include <dlfcn.h>
#include <signal.h>

#include <string>

namespace skep::net {
namespace {

// The name that its authors promise to keep for as long as calls fit.
constexpr const char* kFile = "libcurl.so.4";

struct Opened {
  CurlLibrary library;
  Status status;
};

class Finder {
 public:
  explicit Finder(void* file) : file_(file) {}

  template <typename Function>
  void Find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(file_, name));
    if (function == nullptr && missing_.empty()) missing_ = name;
  }
  // "": all were found.
  const std::string& missing() const { return missing_; }

 private:
  void* file_;
  std::string missing_;
};

void FindAll(Finder& finder, CurlLibrary& curl) {
  finder.Find("curl_easy_cleanup", curl.easy_cleanup);
  finder.Find("curl_easy_getinfo", curl.easy_getinfo);
  finder.Find("curl_easy_init", curl.easy_init);
  finder.Find("curl_easy_reset", curl.easy_reset);
  finder.Find("curl_easy_setopt", curl.easy_setopt);
  finder.Find("curl_easy_strerror", curl.easy_strerror);
  finder.Find("curl_free", curl.free);
  finder.Find("curl_global_init", curl.global_init);
  finder.Find("curl_multi_add_handle", curl.multi_add_handle);
  finder.Find("curl_multi_cleanup", curl.multi_cleanup);
  finder.Find("curl_multi_info_read", curl.multi_info_read);
  finder.Find("curl_multi_init", curl.multi_init);
  finder.Find("curl_multi_perform", curl.multi_perform);
  finder.Find("curl_multi_poll", curl.multi_poll);
  finder.Find("curl_multi_remove_handle", curl.multi_remove_handle);
  finder.Find("curl_multi_setopt", curl.multi_setopt);
  finder.Find("curl_multi_wakeup", curl.multi_wakeup);
  finder.Find("curl_slist_append", curl.slist_append);
  finder.Find("curl_slist_free_all", curl.slist_free_all);
  finder.Find("curl_url", curl.url);
  finder.Find("curl_url_cleanup", curl.url_cleanup);
  finder.Find("curl_url_get", curl.url_get);
  finder.Find("curl_url_set", curl.url_set);
  finder.Find("curl_url_strerror", curl.url_strerror);
}

// OpenSSL writes to a connection that the peer has closed without MSG_NOSIGNAL.
void IgnoreBrokenPipes() {
  struct sigaction now {};
  if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
    signal(SIGPIPE, SIG_IGN);
  }
}

Opened Open() {
  Opened opened;
  // Never closed: its handles and threads may live until the end.
  void* file = dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr) {
    const char* why = dlerror();
    opened.status = Error(ErrorKind::kUnavailable, why != nullptr ? why : kFile);
    return opened;
  }
  Finder finder(file);
  FindAll(finder, opened.library);
  if (!finder.missing().empty()) {
    opened.status = Error(ErrorKind::kUnavailable,
                          std::string(kFile) + ": has no function " + finder.missing());
    return opened;
  }
  opened.library.global_init(CURL_GLOBAL_DEFAULT);
  IgnoreBrokenPipes();
  return opened;
}

const Opened& TheLibrary() {
  static const Opened opened = Open();
  return opened;
}

}  // namespace

Status OpenCurl() { return TheLibrary().status; }

const CurlLibrary& Curl() { return TheLibrary().library; }

}  // namespace skep::net
