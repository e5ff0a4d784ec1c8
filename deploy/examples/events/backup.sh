#!/bin/sh
# Tells how a command went, from a shell script or cron: backup.sh NAME COMMAND [ARGUMENT...]
#   0 3 * * *  /usr/local/bin/backup.sh db pg_dump --file=/backup/db.sql shop
# The exit status is that of the command; that the event could not be sent is only said.
set -u
url="${SKEP_EVENTS:-http://127.0.0.1:7537/v1/events}"
name="$1"
shift

begin=$(date +%s)
"$@"
status=$?
outcome=success
[ "$status" -eq 0 ] || outcome=failure

printf '{"kind":"backup","backup":"%s","outcome":"%s","duration_seconds":%d,"id":"%s-%s"}\n' \
  "$name" "$outcome" "$(($(date +%s) - begin))" "$name" "$begin" |
  curl --silent --show-error --fail-with-body --max-time 20 --retry 3 --header 'Content-Type: application/json' \
    --data-binary @- "$url" >&2 || echo "backup.sh: the event was not taken" >&2
exit "$status"
