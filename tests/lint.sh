#!/usr/bin/env bash
# lint.sh BUILD: clang-tidy over the sources that the last commits changed (SKEP_LINT_COMMITS: how many, 20; or "all").
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$1
commits=${SKEP_LINT_COMMITS:-20}

sources=('common/*.cc' 'exporter/*.cc' 'evaluator/*.cc')
if [ "$commits" = all ]; then
  files=$(git ls-files -- "${sources[@]}")
else
  base=$(git rev-list -n 1 --skip="$commits" HEAD)
  files=$(git diff --name-only --diff-filter=d "${base:-$(git hash-object -t tree /dev/null)}" -- "${sources[@]}")
fi
[ -n "$files" ] || { echo "nothing changed"; exit 0; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
echo "$files" | xargs -P "$(nproc)" -n 2 clang-tidy -p "$build" --quiet >"$log" 2>&1 || status=$?
grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated|^$|^Suppressed|^Use -header' "$log" || true
echo "$(echo "$files" | wc -l) files"
exit "$status"
