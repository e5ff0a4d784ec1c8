#include "evaluator/tsdb/mapping_guard.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace skep::tsdb {
namespace {

constexpr std::uint64_t kNoOffset = ~std::uint64_t{0};

}  // namespace

// A range as the handler sees it. Slots are never freed, but used again, so the handler may look at
// any of them at any time.
struct MappingGuard::Slot {
  std::atomic<std::uintptr_t> begin{0};  // 0: free
  std::atomic<std::size_t> size{0};
  std::atomic<std::uint64_t> lost_begin{kNoOffset};
  std::atomic<std::uint64_t> lost_end{0};  // 0: nothing is lost
  Slot* next = nullptr;                    // of all; fixed before the slot is shown
  Slot* next_free = nullptr;               // guarded by Table's mutex
};

// All guards of the process: the kernel knows one handler for each signal.
class MappingGuard::Table {
 public:
  static Slot* Take(std::uintptr_t begin, std::size_t size) {
    const std::lock_guard lock(mutex);
    if (!is_installed) Install();
    Slot* const slot = TakeFree();
    slot->size.store(size);
    slot->lost_begin.store(kNoOffset);
    slot->lost_end.store(0);
    slot->begin.store(begin);
    return slot;
  }

  static void Give(Slot* slot) {
    slot->begin.store(0);
    const std::lock_guard lock(mutex);
    slot->next_free = free;
    free = slot;
  }

 private:
  static Slot* TakeFree() {
    if (free != nullptr) {
      Slot* const slot = free;
      free = slot->next_free;
      return slot;
    }
    auto* const slot = new Slot;
    slot->next = all.load();
    all.store(slot);
    return slot;
  }

  static void Install() {
    page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = OnBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    // Known before the handler can run.
    ::sigaction(SIGBUS, nullptr, &before);
    ::sigaction(SIGBUS, &action, nullptr);
    is_installed = true;
  }

  // Everything below is called in a signal handler.

  static void OnBusError(int /*signal*/, siginfo_t* info, void* /*context*/) {
    const int saved = errno;
    const bool is_fault = info->si_code > 0;  // else somebody sent it
    if (!is_fault || !Mend(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
      ::sigaction(SIGBUS, &before, nullptr);
      // A fault comes again by itself, a signal that was sent does not.
      if (!is_fault) static_cast<void>(::raise(SIGBUS));
    }
    errno = saved;
  }

  static bool Mend(std::uintptr_t at) {
    const std::uintptr_t page = at & ~(page_size - 1);
    bool is_ours = false;
    for (Slot* slot = all.load(); slot != nullptr; slot = slot->next) {
      const std::uintptr_t begin = slot->begin.load();
      const std::size_t size = slot->size.load();
      if (begin == 0 || at < begin || at - begin >= size) continue;
      // Else it was given away and taken again meanwhile; it is another range.
      if (slot->begin.load() != begin) continue;
      Note(*slot, page - begin);
      is_ours = true;
    }
    // Noted first: who sees the zeros sees the note. Not by mmap(3), which a sanitizer replaces.
    constexpr long kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    return is_ours && ::syscall(SYS_mmap, page, page_size, long{PROT_READ}, kFlags, -1L, 0L) != -1;
  }

  static void Note(Slot& slot, std::uint64_t offset) {
    std::uint64_t begin = slot.lost_begin.load();
    std::uint64_t end = slot.lost_end.load();
    while (offset < begin && !slot.lost_begin.compare_exchange_weak(begin, offset)) {
    }
    while (end < offset + page_size &&
           !slot.lost_end.compare_exchange_weak(end, offset + page_size)) {
    }
  }

  inline static std::mutex mutex;
  inline static bool is_installed = false;  // guarded by mutex
  inline static Slot* free = nullptr;       // guarded by mutex
  inline static std::atomic<Slot*> all{nullptr};
  inline static std::uintptr_t page_size = 0;
  inline static struct sigaction before {};
};

MappingGuard::MappingGuard(const void* begin, std::size_t size)
    : slot_(Table::Take(reinterpret_cast<std::uintptr_t>(begin), size)) {}

MappingGuard::~MappingGuard() { Table::Give(slot_); }

MappedFile::Lost MappingGuard::lost() const {
  const std::uint64_t end = slot_->lost_end.load();
  if (end == 0) return {};
  return {.begin = slot_->lost_begin.load(), .end = end};
}

}  // namespace skep::tsdb
