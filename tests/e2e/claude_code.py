#!/usr/bin/env python3
"""What Claude Code sends and writes becomes the series of swarms: recorded bytes over HTTP, hooks and transcripts, over kill -9.
With SKEP_TEST_LONG=1 also the program itself from npm, against a local stub of the model's API."""
import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

from harness import ROOT, get, main, need, wait_for

LONG = os.environ.get("SKEP_TEST_LONG") == "1"
DATA = ROOT / "tests/data/claude_code"
# The version whose bytes are in tests/data; the real program is a large download, hence only in the long run.
PACKAGE = "@anthropic-ai/claude-code@2.1.330"

BASH_SESSION = {
    'swarm_llm_requests_total{agent_type="main",model="claude-opus-5-5",outcome="ok",query_source="sdk"}': 2,
    'swarm_llm_request_duration_seconds_count{agent_type="main",model="claude-opus-5-5"}': 2,
    'swarm_llm_time_to_first_token_seconds_count{model="claude-opus-5-5"}': 2,
    'swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="input"}': 2400,
    'swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="output"}': 59,
    'swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="cache_read"}': 10000,
    'swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="cache_creation"}': 600,
    'swarm_llm_cost_usd_total{agent_type="main",model="claude-opus-5-5"}': 0.01578,
    'swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Bash"}': 1,
    'swarm_tool_decisions_total{decision="accept",tool="Bash"}': 1,
}


def page(url):
    status, _, text = get(url + "/metrics")
    assert status == 200
    return text


def value(text, series):
    match = re.search("^" + re.escape(series) + r" (\S+)$", text, re.MULTILINE)
    return float(match.group(1)) if match else None


def check(text, expected):
    for series, number in expected.items():
        if number is not None:
            found = value(text, series)
            assert found is not None and abs(found - number) < 1e-9, f"{series}: {found}, expected {number}"


def post(url, path, body, content_type, chunked=False):
    """As the client itself: a length, or pieces without one."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    headers = {"Content-Type": content_type}
    if content_type != "application/x-protobuf" and path.startswith("/v1/") and not chunked:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    connection.request("POST", path, body=iter([body[:100], body[100:]]) if chunked else body, headers=headers,
                       encode_chunked=chunked)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def post_session(url, name, chunked=False):
    for path in sorted((DATA / "otlp" / name).iterdir()):
        kind = "application/x-protobuf" if path.suffix == ".pb" else "application/json"
        signal = path.stem.split("_")[-1]
        assert post(url, f"/v1/{signal}", path.read_bytes(), kind, chunked) == 200, path


def hook_bodies():
    return [json.loads(line)["body"] for line in (DATA / "hooks/hooks.jsonl").read_text().splitlines()]


def recorded_sessions_become_golden_signals(case):
    for name in ("json", "proto", "cumul"):
        url, _ = case.exporter()
        post_session(url, name, chunked=name == "json")
        text = page(url)
        check(text, BASH_SESSION)
        assert re.search(r"^claude_code_cost_usage_USD_total\{.*\} 0\.01578$", text, re.MULTILINE), "not passed through"
        for private in ("session_id", "55be9b43", "request_id", "req_fake1"):
            assert private not in text, private


def errors_and_subagents_are_told_apart(case):
    url, _ = case.exporter()
    for name in ("task", "err2", "bad", "write"):
        post_session(url, name)
    check(page(url), {
        'swarm_llm_errors_total{model="claude-opus-5-5",status_code="529"}': 1,
        'swarm_llm_errors_total{model="claude-opus-5-5",status_code="400"}': 1,
        'swarm_llm_retries_exhausted_total{model="claude-opus-5-5",status_code="529"}': 1,
        'swarm_llm_requests_total{agent_type="general-purpose",model="claude-opus-5-5",outcome="ok",query_source="subagent"}': 2,
        'swarm_subagent_runs_total{agent_type="general-purpose",outcome="ok"}': 1,
        'swarm_subagent_tokens_sum{agent_type="general-purpose"}': 1517,
        'swarm_tool_calls_total{agent_type="general-purpose",outcome="error",tool="Bash"}': 1,
        'swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Write"}': 1,
        'retries_total{component="llm",outcome="failure"}': 1,
    })


def hooks_tell_who_runs_over_kills(case):
    state = f"--state.path={case.folder}/state"
    active = []
    for body in hook_bodies():
        url, program = case.exporter(state)
        assert post(url, "/v1/hooks/claude-code", json.dumps(body).encode(), "application/json", chunked=True) == 200
        active.append(value(page(url), 'swarm_subagents_active{agent_type="general-purpose"}'))
        program.process.kill()
        program.wait()
    url, _ = case.exporter(state)
    assert active == [None, None, 1, 1, 1, 0, 0, 0, 0], active
    text = page(url)
    check(text, {
        'swarm_agent_spawn_duration_seconds_count{agent_type="general-purpose"}': 1,
        'swarm_subagent_runs_total{agent_type="general-purpose",outcome="ok"}': 1,
        'swarm_tool_calls_total{agent_type="general-purpose",outcome="error",tool="Bash"}': 1,
        'swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Agent"}': 1,
        'swarm_session_events_total{event="session_end"}': 1,
    })
    for private in ("count files", "All done", "do the thing"):
        assert private not in text, private
    assert post(url, "/v1/hooks/claude-code", b"{", "application/json", chunked=True) == 400


def transcripts_tell_tokens(case):
    folder = pathlib.Path(case.folder) / "projects"
    (folder / "p").mkdir(parents=True)
    config = case.write("exporter.yml", f"swarm:\n  transcripts:\n    folders: [{folder}]\n    interval: 1s\n")
    url, _ = case.exporter(f"--config.file={config}", f"--state.path={case.folder}/state")
    up = 'swarm_source_up{source="claude_code_transcripts"}'
    wait_for("the folder was looked at", lambda: value(page(url), up) == 1)
    (folder / "p" / "s.jsonl").write_bytes((DATA / "transcript/assistant-lines.trimmed.jsonl").read_bytes())
    series = 'swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="input"}'
    wait_for("the transcript was read", lambda: value(page(url), series) == 2000)
    shutil.rmtree(folder)
    wait_for("it is told that the folder is gone", lambda: value(page(url), up) == 0)
    assert value(page(url), series) == 2000


# ---- the program itself ----

def claude_program():
    """Installs Claude Code; None where npm cannot. The caller removes the folder."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skep-claude-"))
    done = subprocess.run([need("npm"), "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", folder, PACKAGE],
                          capture_output=True, text=True, timeout=900)
    programs = [p for p in folder.glob("node_modules/@anthropic-ai/claude-code-*/claude") if p.is_file()]
    if done.returncode != 0 or not programs:
        print(f"skipped: npm cannot install Claude Code here: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return folder, None
    return folder, programs[0]


def event(name, data):
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


def stub_answer(request):
    """One answer of the model as a stream: a Bash call first, then a word."""
    messages = request.get("messages", [])
    after_tool = any(isinstance(block, dict) and block.get("type") == "tool_result" for message in messages
                     for block in (message["content"] if isinstance(message["content"], list) else []))
    use_tool = not after_tool and any(tool.get("name") == "Bash" for tool in request.get("tools", []))
    block = ({"type": "tool_use", "id": "toolu_stub", "name": "Bash", "input": {}} if use_tool else {"type": "text", "text": ""})
    delta = ({"type": "input_json_delta", "partial_json": json.dumps({"command": "echo hi", "description": "says hi"})}
             if use_tool else {"type": "text_delta", "text": "done"})
    usage = {"input_tokens": 100, "output_tokens": 1, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 0}
    return b"".join([
        event("message_start", {"message": {"id": f"msg_{after_tool}", "type": "message", "role": "assistant", "content": [],
                                            "model": request.get("model", "stub"), "stop_reason": None, "usage": usage}}),
        event("content_block_start", {"index": 0, "content_block": block}),
        event("content_block_delta", {"index": 0, "delta": delta}),
        event("content_block_stop", {"index": 0}),
        event("message_delta", {"delta": {"stop_reason": "tool_use" if use_tool else "end_turn"}, "usage": {"output_tokens": 7}}),
        event("message_stop", {}),
    ])


def serve_model(case):
    answered = []

    def handler(request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        is_message = request.command == "POST" and request.path.split("?")[0] == "/v1/messages"
        answer = stub_answer(json.loads(body)) if is_message else b"{}"
        if is_message:
            answered.append(request.path)
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream" if is_message else "application/json")
        request.send_header("request-id", f"req_stub_{len(answered)}")
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    return case.serve(handler), answered


def the_program_itself(case):
    if not LONG:
        return
    folder, program = claude_program()
    try:
        if program is None:
            return
        url, _ = case.exporter()
        model, answered = serve_model(case)
        work = pathlib.Path(case.folder) / "work"
        (work / ".claude").mkdir(parents=True)
        hook = [{"hooks": [{"type": "http", "url": url + "/v1/hooks/claude-code", "timeout": 5}]}]
        (work / ".claude/settings.json").write_text(json.dumps({"hooks": {
            "PreToolUse": [{"matcher": "*", **hook[0]}], "PostToolUse": [{"matcher": "*", **hook[0]}], "Stop": hook}}))
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(work), "ANTHROPIC_BASE_URL": model, "ANTHROPIC_API_KEY": "dummy",
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
            "OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
        }
        done = subprocess.run([program, "-p", "say hi", "--output-format", "json", "--allowedTools", "Bash"], cwd=work,
                              env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{done.stdout[-1000:]} {done.stderr[-1000:]}"
        text = wait_for("its telemetry came", lambda: "swarm_llm_requests_total" in page(url) and page(url))
        requests = sum(float(m) for m in re.findall(r'^swarm_llm_requests_total\{.*outcome="ok".*\} (\S+)$', text, re.MULTILINE))
        assert requests == len(answered), f"{requests} requests counted, {len(answered)} answered"
        check(text, {'swarm_tool_calls_total{agent_type="main",outcome="ok",tool="Bash"}': 1,
                     'swarm_session_events_total{event="stop"}': 1})
        tokens = sum(float(m) for m in re.findall(r'^swarm_llm_tokens_total\{.*token_type="input"\} (\S+)$', text, re.MULTILINE))
        assert tokens == 100 * len(answered), tokens
        assert "swarm_llm_cost_usd_total{" in text
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(recorded_sessions_become_golden_signals, errors_and_subagents_are_told_apart, hooks_tell_who_runs_over_kills,
         transcripts_tell_tokens, the_program_itself)
