#!/bin/sh
# Events with curl. SKEP_EVENTS is the address of the endpoint; with a token (ingest: bearer_token_file) add
#   --header "Authorization: Bearer $TOKEN"
set -eu
url="${SKEP_EVENTS:-http://127.0.0.1:7537/v1/events}"

# One event. --fail-with-body: a refused event is an error of the script, and the answer says why.
curl --silent --show-error --fail-with-body --json '{"kind":"business","event":"order","count":3}' "$url"

# An id makes it safe to send the same event again: within 24 hours it counts once.
curl --silent --show-error --fail-with-body --retry 5 --json '{"kind":"revenue","amount_usd":249.90,"id":"invoice-4711"}' "$url"

# Many at once: a line each. --data-binary, since --data takes the ends of the lines away.
curl --silent --show-error --fail-with-body --header 'Content-Type: application/x-ndjson' --data-binary @- "$url" <<'EVENTS'
{"kind":"funnel","funnel":"signup","step":"1","count":120}
{"kind":"funnel","funnel":"signup","step":"2","count":44}
{"kind":"test","suite":"unit","passed":412,"failed":0,"coverage_ratio":0.83}
EVENTS
