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

// Secrets in files may be other ones the next time.
bool HasSecretFiles(const HttpClientOptions& options) {
  const bool in_basic_auth = options.basic_auth && (!options.basic_auth->username_file.empty() ||
                                                    !options.basic_auth->password_file.empty());
  return in_basic_auth || !options.header_files.empty() ||
         (options.authorization && !options.authorization->credentials_file.empty());
}

}  // namespace

// Stays at its place: curl keeps pointers into it.
struct RepeatedRequest::Prepared {
  Exchange exchange;
  Easy easy{Curl().easy_init()};
  Status status;
};

RepeatedRequest::RepeatedRequest(std::shared_ptr<const HttpClientOptions> client,
                                 ClientRequest request)
    : client_(std::move(client)), request_(std::move(request)), keeps_(!HasSecretFiles(*client_)) {}

RepeatedRequest::~RepeatedRequest() = default;

struct HttpFetcher::Impl {
  explicit Impl(Options o) : options(std::move(o)) {}

  using Prepared = RepeatedRequest::Prepared;
  // One request on its way.
  struct Job {
    std::shared_ptr<RepeatedRequest> request;
    Done done;

    void* easy() const { return request->prepared_->easy.get(); }
  };

  void Run();
  bool Tick();
  int WaitMillis() const;
  void TakeIncoming();
  bool HasIncoming() {
    const std::lock_guard lock(mutex);
    return !incoming.empty();
  }
  void Complete(CURL* easy, CURLcode code);
  void CancelAll();
  void Finish(const Job& job, Result<ClientResponse> response);
  static void Prepare(RepeatedRequest& request);
  static Result<ClientResponse> TakeResponse(RepeatedRequest& request, CURLcode code);

  Options options;
  Multi multi{Curl().multi_init()};
  std::vector<Job> active;  // of the thread alone
  Steady next_tick;         // of the thread alone
  std::mutex mutex;
  std::vector<Job> incoming;  // guarded by mutex
  bool stopping = false;      // guarded by mutex
  bool ended = false;         // guarded by mutex; nobody looks at incoming any more
  bool woken = false;         // guarded by mutex
  std::thread::id running;    // guarded by mutex; the thread
  std::jthread thread;
};

// Once its Done is called, the request may be started again.
void HttpFetcher::Impl::Finish(const Job& job, Result<ClientResponse> response) {
  try {
    job.done(std::move(response));
  } catch (const std::exception& e) {
    options.fatal(e.what());
  }
}

void HttpFetcher::Impl::Prepare(RepeatedRequest& request) {
  if (request.prepared_ == nullptr) {
    request.prepared_ = std::make_unique<Prepared>();
    Prepared& made = *request.prepared_;
    made.status =
        PrepareExchange(made.easy.get(), *request.client_, request.request_, made.exchange);
  }
  BeginExchange(request.prepared_->exchange, request.expected_bytes_);
}

// After a failure curl begins from nothing the next time.
Result<ClientResponse> HttpFetcher::Impl::TakeResponse(RepeatedRequest& request, CURLcode code) {
  Prepared& prepared = *request.prepared_;
  Result<ClientResponse> response = FinishExchange(prepared.easy.get(), code, prepared.exchange);
  if (response) request.expected_bytes_ = response->body.size();
  if (!response || !request.keeps_) request.prepared_.reset();
  return response;
}

void HttpFetcher::Impl::TakeIncoming() {
  std::vector<Job> jobs;
  {
    const std::lock_guard lock(mutex);
    jobs.swap(incoming);
  }
  for (Job& job : jobs) {
    if (const Status& status = job.request->prepared_->status; !status) {
      const Error error = status.error();
      job.request->prepared_.reset();
      Finish(job, error);
      continue;
    }
    Curl().multi_add_handle(multi.get(), job.easy());
    active.push_back(std::move(job));
  }
}

void HttpFetcher::Impl::Complete(CURL* easy, CURLcode code) {
  Curl().multi_remove_handle(multi.get(), easy);
  const auto at = std::find_if(active.begin(), active.end(),
                               [easy](const Job& job) { return job.easy() == easy; });
  Job job = std::move(*at);
  if (at != active.end() - 1) *at = std::move(active.back());
  active.pop_back();
  Result<ClientResponse> response = TakeResponse(*job.request, code);
  Finish(job, std::move(response));
}

void HttpFetcher::Impl::CancelAll() {
  const Error canceled(ErrorKind::kCanceled, "request canceled");
  for (Job& job : std::exchange(active, {})) {
    Curl().multi_remove_handle(multi.get(), job.easy());
    job.request->prepared_.reset();
    Finish(job, canceled);
  }
  while (true) {  // a Done may have started another one
    std::vector<Job> jobs;
    {
      const std::lock_guard lock(mutex);
      jobs.swap(incoming);
      ended = jobs.empty();
    }
    if (jobs.empty()) return;
    for (Job& job : jobs) Finish(job, canceled);
  }
}

// False: the end.
bool HttpFetcher::Impl::Tick() {
  bool was_woken = false;
  {
    const std::lock_guard lock(mutex);
    if (stopping) return false;
    was_woken = std::exchange(woken, false);
  }
  if (!options.tick || (!was_woken && std::chrono::steady_clock::now() < next_tick)) return true;
  try {
    next_tick = options.tick();
  } catch (const std::exception& e) {
    next_tick = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    options.fatal(e.what());
  }
  return true;
}

int HttpFetcher::Impl::WaitMillis() const {
  using std::chrono::milliseconds;
  constexpr milliseconds kIdle{1000};
  if (!options.tick) return static_cast<int>(kIdle.count());
  const auto left = std::chrono::ceil<milliseconds>(next_tick - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp(left, milliseconds(0), kIdle).count());
}

void HttpFetcher::Impl::Run() {
  {
    const std::lock_guard lock(mutex);
    running = std::this_thread::get_id();
  }
  while (Tick()) {
    TakeIncoming();
    int under_way = 0;
    Curl().multi_perform(multi.get(), &under_way);
    int left = 0;
    while (const CURLMsg* message = Curl().multi_info_read(multi.get(), &left)) {
      if (message->msg == CURLMSG_DONE) Complete(message->easy_handle, message->data.result);
    }
    if (HasIncoming()) continue;  // of a Done
    Curl().multi_poll(multi.get(), nullptr, 0, WaitMillis(), nullptr);
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

HttpFetcher::~HttpFetcher() { Stop(); }

void HttpFetcher::Stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  Curl().multi_wakeup(impl_->multi.get());
  if (impl_->thread.joinable()) impl_->thread.join();
}

void HttpFetcher::Start(std::shared_ptr<const HttpClientOptions> client, ClientRequest request,
                        Done done) {
  Start(std::make_shared<RepeatedRequest>(std::move(client), std::move(request)), std::move(done));
}

void HttpFetcher::Start(std::shared_ptr<RepeatedRequest> request, Done done) {
  // Here and not on the fetcher's thread, unless it is this one: it may read files with secrets.
  Impl::Prepare(*request);
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->ended) {
      impl_->incoming.push_back({std::move(request), std::move(done)});
      // The fetcher's own thread looks before it waits again.
      if (impl_->running != std::this_thread::get_id()) Curl().multi_wakeup(impl_->multi.get());
      return;
    }
  }
  impl_->Finish({std::move(request), std::move(done)},
                Error(ErrorKind::kCanceled, "request canceled"));
}

void HttpFetcher::Wake() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->woken = true;
  }
  Curl().multi_wakeup(impl_->multi.get());
}

}  // namespace skep::net
