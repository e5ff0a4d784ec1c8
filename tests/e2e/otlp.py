#!/usr/bin/env python3
"""OTLP over HTTP as real clients send it: the OpenTelemetry SDK for Node from npm, in both encodings and temporalities,
packed and not. Without npm's registry these cases are skipped, with a word."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from harness import get, main, need, wait_for

PACKAGES = ["api@1.9.0", "api-logs@0.208.0", "resources@2.2.0", "sdk-metrics@2.2.0", "sdk-logs@0.208.0",
            "sdk-trace-base@2.2.0"] + [f"exporter-{signal}-otlp-{form}@0.208.0" for signal in ("metrics", "logs", "trace")
                                       for form in ("http", "proto")]
CLIENT = pathlib.Path(__file__).with_name("otlp_client.cjs")
_sdk = None


def sdk():
    """The folder with the SDK, installed once; None where npm cannot."""
    global _sdk
    if _sdk is None:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="skep-otel-"))
        shutil.copy(CLIENT, folder)
        done = subprocess.run([need("npm"), "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder,
                               *[f"@opentelemetry/{name}" for name in PACKAGES]],
                              capture_output=True, text=True, timeout=300)
        _sdk = folder if done.returncode == 0 else False
        if not _sdk:
            print(f"skipped: npm cannot install the OpenTelemetry SDK here: {done.stderr.strip()[-300:]}", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
    return _sdk or None


def run_client(url, encoding, temporality, compression, service, token=""):
    done = subprocess.run([need("node"), CLIENT.name, encoding, temporality, compression, service, url, token], cwd=sdk(),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def page(url):
    status, _, text = get(url + "/metrics")
    assert status == 200
    return text


def value(text, series):
    match = re.search(r"^" + re.escape(series) + r" (\S+)$", text, re.MULTILINE)
    return float(match.group(1)) if match else None


def check_service(text, service):
    label = f'service_name="{service}"'
    chat = f'gen_ai_operation_name="chat",{label}'
    duration = "gen_ai_client_operation_duration_seconds"
    expected = {
        f'agent_tasks_total{{outcome="completed",{label}}}': 7,
        f'agent_tasks_total{{outcome="failed",{label}}}': 1,
        f'agent_active{{{label}}}': 3,
        f'queue_depth{{queue="main",{label}}}': 7,
        f'{duration}_bucket{{{chat},le="0.04"}}': 0,
        f'{duration}_bucket{{{chat},le="0.08"}}': 1,
        f'{duration}_bucket{{{chat},le="0.64"}}': 3,
        f'{duration}_bucket{{{chat},le="81.92"}}': 4,
        f'{duration}_bucket{{{chat},le="+Inf"}}': 5,
        f'{duration}_count{{{chat}}}': 5,
        f'work_size_seconds_bucket{{{label},le="0.25"}}': 2,
        f'work_size_seconds_bucket{{{label},le="10"}}': 3,
        f'work_size_seconds_bucket{{{label},le="+Inf"}}': 4,
        f'work_size_seconds_count{{{label}}}': 4,
    }
    for series, wanted in expected.items():
        assert value(text, series) == wanted, f"{series}: {value(text, series)}, not {wanted}\n{text[-6000:]}"
    for series, wanted in {f'{duration}_sum{{{chat}}}': 94.05, f'work_size_seconds_sum{{{label}}}': 305.3}.items():
        assert abs(value(text, series) - wanted) < 1e-6, series


def every_way_to_send_gives_the_same_series(case):
    if not sdk():
        return
    url, program = case.exporter(f"--state.path={case.folder}/state")
    ways = [(encoding, temporality, compression) for encoding in ("json", "proto")
            for temporality in ("cumulative", "delta") for compression in ("none", "gzip")]
    for way in ways:
        run_client(url, *way, service="-".join(way))
    text = page(url)
    for way in ways:
        check_service(text, "-".join(way))
    for encoding, name in (("json", "json"), ("proto", "protobuf")):
        assert value(text, f'swarm_otlp_requests_total{{code="200",encoding="{name}",signal="metrics"}}') == 8
        assert value(text, f'swarm_otlp_requests_total{{code="200",encoding="{name}",signal="logs"}}') == 4
        assert value(text, f'swarm_otlp_requests_total{{code="200",encoding="{name}",signal="traces"}}') == 4
    assert value(text, 'swarm_otlp_points_total{result="accepted",signal="logs"}') == 8
    assert value(text, 'swarm_otlp_points_total{result="accepted",signal="traces"}') == 16
    assert abs(value(text, 'swarm_otlp_last_receive_timestamp_seconds{signal="metrics"}') - time.time()) < 600
    for private in ("private-user", "private-session", "a private sentence", "instance"):
        assert private not in text, private
    lint = subprocess.run([need("promtool"), "check", "metrics"], input=text, capture_output=True, text=True)
    # node_exporter's own names are as they are.
    problems = [line for line in (lint.stdout + lint.stderr).splitlines() if line and not line.startswith("node_")]
    assert not problems, problems

    # All of it is there after kill -9, and a new process of the same service adds to it.
    program.process.kill()
    program.wait()
    url, _ = case.exporter(f"--state.path={case.folder}/state")
    after = page(url)
    for way in ways:
        check_service(after, "-".join(way))
    run_client(url, *ways[0], service="-".join(ways[0]))
    assert value(page(url), f'agent_tasks_total{{outcome="completed",service_name="{"-".join(ways[0])}"}}') == 14


def a_token_is_needed_where_one_is_configured(case):
    case.write("token", "open-sesame\n")
    config = case.write("exporter.yml", "ingest:\n  bearer_token_file: token\n")
    url, _ = case.exporter(f"--config.file={config}")
    body = b'{"resourceMetrics":[]}'
    headers = {"Content-Type": "application/json"}
    assert get(url + "/v1/metrics", headers, body)[0] == 401
    assert get(url + "/v1/metrics", {**headers, "Authorization": "Bearer open-sesame"}, body)[0] == 200
    if sdk():
        run_client(url, "proto", "delta", "gzip", "with-token", "open-sesame")
        check_service(page(url), "with-token")


def sum_request(value, start, now, session="s"):
    return json.dumps({"resourceMetrics": [{"resource": {"attributes": []}, "scopeMetrics": [{"metrics": [{
        "name": "e2e.work", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [{
            "attributes": [{"key": "session.id", "value": {"stringValue": session}}], "asInt": str(value),
            "startTimeUnixNano": str(start), "timeUnixNano": str(now)}]}}]}]}]}).encode()


def what_was_answered_counts_once_over_crashes(case):
    headers = {"Content-Type": "application/json"}
    start = time.time_ns()
    sent = 0
    for crash in range(4):
        url, program = case.exporter(f"--state.path={case.folder}/state")
        # The last one again: as a client does that lost the answer.
        if sent:
            assert get(url + "/v1/metrics", headers, sum_request(sent, start, start + sent))[0] == 200
        for _ in range(25):
            sent += 1
            assert get(url + "/v1/metrics", headers, sum_request(sent, start, start + sent))[0] == 200
        assert value(page(url), "e2e_work_total") == sent
        program.process.kill()
        program.wait()
    url, _ = case.exporter(f"--state.path={case.folder}/state")
    assert value(page(url), "e2e_work_total") == sent == 100


def grpc_at_our_port_is_noticed(case):
    url, program = case.exporter()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")
    wait_for("it is counted", lambda: value(page(url), "swarm_otlp_http2_connections_total") == 1)
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in program.text()


if __name__ == "__main__":
    try:
        main(every_way_to_send_gives_the_same_series, a_token_is_needed_where_one_is_configured,
             what_was_answered_counts_once_over_crashes, grpc_at_our_port_is_noticed)
    finally:
        if _sdk:
            shutil.rmtree(_sdk, ignore_errors=True)
