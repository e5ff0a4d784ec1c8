// What happens when the disk cannot give a page of a mapped file: zeros and a note, instead of the
// end of the program.
#pragma once

#include <cstddef>
#include <cstdint>

#include "evaluator/tsdb/disk.h"

namespace skep::tsdb {

// A read of a mapped page that the disk cannot give (a bad sector, a file that somebody cut, a disk
// that is gone) is a SIGBUS in the thread that reads, which would end the program for the sake of
// one file. As long as a guard lives, a page of its range that fails so is first noted, then
// replaced by one of zeros, and the read goes on; the sums of the formats then find the damage by
// its place. A page that was lost once stays zeros in this mapping.
//
// The first guard of a process installs a handler for SIGBUS, which stays. Any other SIGBUS does
// what it would have done without: the handler puts back what was there before and lets it happen
// again. It takes no lock, allocates nothing, and runs in whatever thread reads, several at once.
//
// Rejected: sigsetjmp around each read (it leaves destructors out, and each reader must think of
// it), and pread into buffers of our own (a copy for each chunk, and another cache beside the
// kernel's).
class MappingGuard {
 public:
  // Requires: `size` bytes at `begin` are a mapping of its own, `begin` at a page, which stays
  // until the guard is gone; not empty.
  MappingGuard(const void* begin, std::size_t size);
  ~MappingGuard();
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;

  // Thread-safe. Whoever reads zeros of a lost page, and then asks, is told.
  MappedFile::Lost lost() const;

 private:
  struct Slot;
  class Table;

  Slot* const slot_;
};

}  // namespace skep::tsdb
