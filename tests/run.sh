#!/usr/bin/env bash
# Installs what is needed, builds, and runs all tests.
#   tests/run.sh               the short form, as in CI
#   tests/run.sh --long        the full counts
#   tests/run.sh --build-only  programs and tests in build/, nothing is run
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { echo "usage: tests/run.sh [--long] [--build-only]" >&2; exit 1; }
build_only=false
export SKEP_TEST_LONG=0
for argument in "$@"; do
  case "$argument" in
    --build-only) build_only=true ;;
    --long) SKEP_TEST_LONG=1 ;;
    *) usage ;;
  esac
done

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# configure FOLDER OPTION…: errors are shown whole, success is quiet.
configure() {
  local folder=$1 log
  shift
  log=$(mktemp)
  cmake -S . -B "$folder" -G Ninja -DWERROR=ON "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
}

step "packages"
deploy/install_packages.sh run build test

step "build"
configure build -DBUILD_TESTING=ON
cmake --build build
$build_only && exit 0

step "format"
git ls-files '*.h' '*.cc' | xargs clang-format --dry-run -Werror

step "lint: clang-tidy on what the last commits changed"
tests/lint.sh build

step "unit tests, end-to-end tests, layering, fuzz corpora"
ctest --test-dir build --output-on-failure --no-tests=error -j "$(nproc)"

# They find what they look for in the first of many repetitions.
export SKEP_TEST_LONG=0
step "unit tests under address and undefined sanitizers"
configure build/address -DPRECOMPILE=ON -DSANITIZE=address,undefined -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 -g1"
cmake --build build/address --target unit_tests
ctest --test-dir build/address -L unit --output-on-failure --no-tests=error -j "$(nproc)"

step "unit tests with threads under thread sanitizer"
configure build/thread -DPRECOMPILE=ON -DSANITIZE=thread -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 -g1"
cmake --build build/thread --target thread_tests
TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp halt_on_error=1" \
  ctest --test-dir build/thread -L threads --output-on-failure --no-tests=error -j "$(nproc)"

step "done"
