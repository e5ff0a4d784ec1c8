#include "common/net/http_fetcher.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/thread.h"
#include "common/net/curl_exchange.h"
#include "common/net/curl_library.h"

namespace skep::net {
namespace {

// One request on its way. Stays at its place: curl keeps pointers into it.
struct Job {
  std::shared_ptr<const HttpClientOptions> client;
  ClientRequest request;
  HttpFetcher::Done done;
  Exchange exchange;
  Easy easy{Curl().easy_init()};
  Status prepared;
};

}  // namespace

struct HttpFetcher::Impl {
  explicit Impl(Options o) : options(std::move(o)) {}

  void Run();
  void TakeIncoming();
  void Complete(CURL* easy, CURLcode code);
  void CancelAll();
  void Finish(std::unique_ptr<Job> job, Result<ClientResponse> response);

  Options options;
  Multi multi{Curl().multi_init()};
  std::vector<std::unique_ptr<Job>> active;  // of the thread alone
  std::mutex mutex;
  std::vector<std::unique_ptr<Job>> incoming;  // guarded by mutex
  bool stopping = false;                       // guarded by mutex
  std::jthread thread;
};

void HttpFetcher::Impl::Finish(std::unique_ptr<Job> job, Result<ClientResponse> response) {
  try {
    job->done(std::move(response));
  } catch (const std::exception& e) {
    options.fatal(e.what());
  }
}

void HttpFetcher::Impl::TakeIncoming() {
  std::vector<std::unique_ptr<Job>> jobs;
  {
    const std::lock_guard lock(mutex);
    jobs.swap(incoming);
  }
  for (std::unique_ptr<Job>& job : jobs) {
    if (!job->prepared) {
      const Error error = job->prepared.error();
      Finish(std::move(job), error);
      continue;
    }
    Curl().easy_setopt(job->easy.get(), CURLOPT_PRIVATE, job.get());
    Curl().multi_add_handle(multi.get(), job->easy.get());
    active.push_back(std::move(job));
  }
}

void HttpFetcher::Impl::Complete(CURL* easy, CURLcode code) {
  Curl().multi_remove_handle(multi.get(), easy);
  const auto at = std::find_if(active.begin(), active.end(),
                               [easy](const auto& job) { return job->easy.get() == easy; });
  std::unique_ptr<Job> job = std::move(*at);
  *at = std::move(active.back());
  active.pop_back();
  Result<ClientResponse> response = FinishExchange(easy, code, job->exchange);
  Finish(std::move(job), std::move(response));
}

void HttpFetcher::Impl::CancelAll() {
  const Error canceled(ErrorKind::kCanceled, "request canceled");
  for (std::unique_ptr<Job>& job : std::exchange(active, {})) {
    Curl().multi_remove_handle(multi.get(), job->easy.get());
    Finish(std::move(job), canceled);
  }
  while (true) {  // a Done may have started another one
    std::vector<std::unique_ptr<Job>> jobs;
    {
      const std::lock_guard lock(mutex);
      jobs.swap(incoming);
    }
    if (jobs.empty()) return;
    for (std::unique_ptr<Job>& job : jobs) Finish(std::move(job), canceled);
  }
}

void HttpFetcher::Impl::Run() {
  constexpr int kIdleMillis = 1000;
  while (true) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) break;
    }
    TakeIncoming();
    int running = 0;
    Curl().multi_perform(multi.get(), &running);
    int left = 0;
    while (const CURLMsg* message = Curl().multi_info_read(multi.get(), &left)) {
      if (message->msg == CURLMSG_DONE) Complete(message->easy_handle, message->data.result);
    }
    Curl().multi_poll(multi.get(), nullptr, 0, kIdleMillis, nullptr);
  }
  CancelAll();
}

Result<std::unique_ptr<HttpFetcher>> HttpFetcher::Create(Options options) {
  RETURN_IF_ERROR(OpenCurl());
  if (!options.fatal) options.fatal = [](const std::string&) {};
  auto impl = std::make_unique<Impl>(std::move(options));
  if (impl->multi == nullptr) return Internal("curl gives no handle");
  Curl().multi_setopt(impl->multi.get(), CURLMOPT_MAXCONNECTS,
                      static_cast<long>(impl->options.max_idle_connections));
  Impl* const raw = impl.get();
  impl->thread = StartThread(
      "http-fetcher", [raw] { raw->Run(); }, impl->options.fatal);
  return std::unique_ptr<HttpFetcher>(new HttpFetcher(std::move(impl)));
}

HttpFetcher::HttpFetcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpFetcher::~HttpFetcher() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  Curl().multi_wakeup(impl_->multi.get());
  impl_->thread.join();
}

void HttpFetcher::Start(std::shared_ptr<const HttpClientOptions> client, ClientRequest request,
                        Done done) {
  auto job = std::make_unique<Job>();
  job->client = std::move(client);
  job->request = std::move(request);
  job->done = std::move(done);
  // Here and not on the fetcher's thread, because it may read files with secrets.
  job->prepared = PrepareExchange(job->easy.get(), *job->client, job->request, job->exchange);
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->incoming.push_back(std::move(job));
  }
  Curl().multi_wakeup(impl_->multi.get());
}

}  // namespace skep::net
