#!/usr/bin/env bash
# check_rules.sh FOLDER: every rule file of the folder loads, and its tests pass.
set -euo pipefail
folder=$1
skep=${SKEP:-skep}

shopt -s nullglob
files=("$folder"/*.yml "$folder"/*.yaml)
tests=("$folder"/tests/*_test.yml "$folder"/tests/*_test.yaml)
[ "${#files[@]}" -gt 0 ] || { echo "check_rules: no rule files in $folder" >&2; exit 1; }

"$skep" check rules "${files[@]}"
[ "${#tests[@]}" -eq 0 ] || "$skep" test rules "${tests[@]}"
