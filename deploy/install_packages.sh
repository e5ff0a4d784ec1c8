#!/usr/bin/env bash
# install_packages.sh KIND…: installs the packages of these kinds (run, build, test) from packages.txt that are missing.
set -euo pipefail
list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"

wanted=()
for kind in "$@"; do
  while read -r name command; do
    [ -n "$command" ] && command -v "$command" >/dev/null || wanted+=("$name")
  done < <(awk -v k="$kind" '$1 == k { print $2, $3 }' "$list")
done
missing=()
for name in "${wanted[@]}"; do
  dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install_packages: run as root, or install sudo; missing: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "Installing ${#missing[@]} packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
