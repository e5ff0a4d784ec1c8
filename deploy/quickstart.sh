#!/usr/bin/env bash
# Sets everything up on a fresh Debian 12 and runs it: packages, build, exporter, evaluator with the shipped rules.
#   deploy/quickstart.sh               build, run until Ctrl-C
#   deploy/quickstart.sh --build-only  build and stop
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { echo "usage: deploy/quickstart.sh [--build-only]" >&2; exit 1; }
build_only=false
for argument in "$@"; do
  case "$argument" in
    --build-only) build_only=true ;;
    *) usage ;;
  esac
done

deploy/install_packages.sh run build
cmake -S . -B build -G Ninja -DBUILD_TESTING=OFF >build.log 2>&1 || { cat build.log >&2; exit 1; }
cmake --build build
rm -f build.log
$build_only && exit 0

exporter=127.0.0.1:7537
evaluator=127.0.0.1:7538
build/bin/skep-exporter --web.listen-address="$exporter" --state.path=build/quickstart-state &
exporter_pid=$!
build/bin/skep-evaluator --web.listen-address="$evaluator" --web.enable-lifecycle --storage.tsdb.path=build/quickstart-store &
evaluator_pid=$!
trap 'kill "$exporter_pid" "$evaluator_pid" 2>/dev/null; wait' EXIT
trap 'exit 0' INT TERM

ready() { curl -fsS -o /dev/null "http://$1/-/ready" 2>/dev/null; }
for address in "$exporter" "$evaluator"; do
  until ready "$address"; do
    kill -0 "$exporter_pid" && kill -0 "$evaluator_pid" || { echo "quickstart: a program ended; see above" >&2; exit 1; }
    sleep 0.1
  done
done

cat <<TEXT

skep is running. Ctrl-C ends it.

  http://$exporter/metrics   what the exporter sees of this machine
  http://$evaluator/          the evaluator: targets, rules, alerts, PromQL API for Grafana
  build/bin/skep query instant --server http://$evaluator 'up'

Agents of Claude Code show up when they are started with
  CLAUDE_CODE_ENABLE_TELEMETRY=1 OTEL_METRICS_EXPORTER=otlp OTEL_LOGS_EXPORTER=otlp \\
  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT=http://$exporter claude
What else runs here: build/bin/skep-exporter discover

Your own configuration: build/bin/skep-evaluator --config.file=prometheus.yml
TEXT
wait -n
