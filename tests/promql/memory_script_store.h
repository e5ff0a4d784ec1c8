// For those who test the engine rather than a store.
#pragma once

#include <memory>

#include "evaluator/promqltest/script.h"
#include "tests/support/memory_store.h"

namespace skep::promqltest {

inline std::unique_ptr<ScriptStore> NewMemoryStore() {
  return std::make_unique<WholeStore<test::MemoryStore>>();
}

}  // namespace skep::promqltest
