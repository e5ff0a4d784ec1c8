#!/bin/bash
# Debian's mtail on an access log, with what bench_logs counts in it: requests by method and code, a histogram of the
# durations, and the same built-in patterns. usage: logs_mtail.sh FILE (as bench_logs writes it); prints lines per CPU-second.
set -euo pipefail
file=${1:?usage: logs_mtail.sh FILE}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
source_folder=$(cd "$(dirname "$0")/../.." && pwd)
python3 - "$source_folder/exporter/logs/builtin_patterns.cc" > "$folder/access.mtail" <<'PY'
import re
import sys

print('''counter http_requests_total by method, code
counter http_response_bytes_total
counter log_matches_total by pattern
histogram http_request_duration_seconds by method buckets 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 30
/^\\S+ - \\S+ \\[[^\\]]+\\] "(?P<method>[A-Z]+) (?P<path>\\S+) [^"]*" (?P<code>\\d{3}) (?P<bytes>\\d+) "[^"]*" "[^"]*" (?P<seconds>[\\d.]+)$/ {
  http_requests_total[$method][$code]++
  http_response_bytes_total += $bytes
  http_request_duration_seconds[$method] = $seconds
}''')
text = open(sys.argv[1]).read()
table = text[text.index("kPatterns[] = {"):]
for name, raw, plain in re.findall(r'\{"\w+",\s*"(\w+)",\s*(?:R"\((.*?)\)"|"(.*?)"),\s*Effect::', table, re.S):
    pattern = (raw or plain).replace("/", "\\/")
    print('/%s/ {\n  log_matches_total["%s"]++\n}' % (pattern, name))
PY
lines=$(wc -l < "$file")
TIMEFORMAT='%U %S'
times=$({ time mtail --one_shot --one_shot_format=prometheus --progs "$folder/access.mtail" --logs "$file" > "$folder/page" 2> "$folder/log"; } 2>&1)
grep -q 'http_requests_total{' "$folder/page" || { cat "$folder/log" >&2; exit 1; }
awk -v t="$times" -v n="$lines" 'BEGIN { split(t, a, " "); s = a[1] + a[2]; printf "%d lines, %.2f s CPU: %.0f lines per CPU-second\n", n, s, n / s }'
