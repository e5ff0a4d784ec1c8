"""Broken bytes on every endpoint and in every kind of file that skep-exporter reads: each costs itself alone, is counted,
is told once, and never becomes a value: what cannot be read is absent and its _up is 0."""
import gzip
import http.client
import pathlib

from harness import ROOT, get, main, wait_for

STORES = ROOT / "tests/data/stores"
RANDOM = bytes((i * 167 + i // 7 * 31) % 256 for i in range(1500))

CONFIG = """
state: {{path: {folder}/state}}
ingest: {{max_body: 1MiB, hooks: {{enabled: true}}}}
swarm:
  interval: 1s
  max_age: 2s
  workspaces: [{{name: shop, path: {folder}/shop}}]
  ai_budget: {{folder: {folder}/budget}}
  transcripts: {{folders: [{folder}/projects], interval: 1s}}
  mcp: [{{name: shop, url: "http://127.0.0.1:1", interval: 1s}}]
logs:
  sources:
    - {{name: web, service: web, format: nginx, from_beginning: true, paths: [{folder}/access.log]}}
    - {{name: api, service: api, format: json, from_beginning: true, paths: [{folder}/api.log]}}
collectors:
  textfile: {{directory: [{folder}/text]}}
"""

BAD_BODIES = {
    "random": RANDOM,
    "no_utf8": b'{"kind":"\xff\xfe"}',
    "half": b'{"resourceMetrics":[{"scope',
    "deep": b"[" * 5000,
    "other_json": b'"a string"',
    "nulls": b"\0" * 100,
}


def numbers(page):
    """Series and value of each sample line."""
    lines = (line.rsplit(" ", 1) for line in page.splitlines() if line and line[0] != "#")
    return {series: float(value) for series, value in lines}


def post(url, path, body, content_type="application/json", **headers):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request("POST", path, body, {"Content-Type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def start(case):
    folder = pathlib.Path(case.folder)
    for name in ("shop", "budget", "projects/p", "text"):
        (folder / name).mkdir(parents=True)
    for name in ("access.log", "api.log"):
        (folder / name).touch()
    config = case.write("skep.yml", CONFIG.format(folder=folder))
    url, program = case.exporter(f"--config.file={config}", "--collector.disable-defaults", "--collector.textfile")
    return folder, url, program


def page(url):
    return numbers(get(url + "/metrics")[2])


def total(url, *parts):
    return sum(value for series, value in page(url).items() if all(part in series for part in parts))


def told(program, text):
    return sum(text in line for line in program.text().splitlines())


def endpoints_refuse_broken_bytes_and_count_them(case):
    _, url, program = start(case)
    wait_for("sources are read, processes are looked at", lambda: all(
        any(s.startswith(name) for s in page(url)) for name in ("swarm_source_read_errors_total", "swarm_process_cpu_seconds_total")))
    before = page(url)
    endless = gzip.compress(b"x" * (8 << 20))
    for path in ("/v1/metrics", "/v1/logs", "/v1/traces", "/v1/events", "/v1/hooks/claude-code"):
        for name, body in BAD_BODIES.items():
            status, answer = post(url, path, body)
            assert status == 400, (path, name, status, answer)
        assert post(url, path, RANDOM, Content_Encoding="gzip")[0] == 400, path
        assert post(url, path, endless, Content_Encoding="gzip")[0] == 413, path
    for path in ("/v1/metrics", "/v1/logs", "/v1/traces"):
        for name, body in BAD_BODIES.items():
            assert post(url, path, body, "application/x-protobuf")[0] == 400, (path, name)
    assert post(url, "/v1/events", b"{}", "application/x-protobuf")[0] == 415
    assert post(url, "/v1/deployments", b"{}")[0] == 405  # it only tells of them
    bad = len(BAD_BODIES)
    for signal in ("metrics", "logs", "traces"):
        wanted = {("json", "400"): bad + 1, ("json", "413"): 1, ("protobuf", "400"): bad}
        for (encoding, code), count in wanted.items():
            series = f'swarm_otlp_requests_total{{code="{code}",encoding="{encoding}",signal="{signal}"}}'
            assert page(url)[series] == count, series
        assert told(program, f'"OTLP request refused" signal={signal} encoding=json status=400') == 1  # in this minute
    after = page(url)
    assert after['skep_exporter_events_refused_total{reason="json"}'] == bad
    assert after['skep_exporter_event_requests_refused_total{code="400"}'] == 1
    assert after['skep_exporter_event_requests_refused_total{code="413"}'] == 1
    assert after['skep_exporter_event_requests_refused_total{code="415"}'] == 1
    assert after['skep_exporter_hook_events_total{event="none",outcome="error"}'] == bad + 2
    assert told(program, "a hook of Claude Code was not taken") == 1
    # Nothing else has come of it.
    new = [s for s in after if s not in before and not s.startswith(("skep_exporter_", "swarm_otlp_requests_total", "swarm_source_", "swarm_process"))]
    assert not new, new


def fill(folder):
    """Every kind of file with good content, as claude-flow, Claude Code and others wrote it."""
    flow = {"agents/store.json": "agents_store", "agents.json": "agents", "tasks/store.json": "tasks_store",
            "swarm/swarm-state.json": "swarm_swarm-state", "hive-mind/state.json": "hive-mind_state",
            "daemon-state.json": "daemon-state", "data/auto-memory-store.json": "data_auto-memory-store",
            "data/autopilot-state.json": "data_autopilot-state"}
    files = {f"shop/.claude-flow/{name}": (STORES / f"v3/{source}.json").read_bytes() for name, source in flow.items()}
    files["shop/.swarm/memory.db"] = gzip.decompress((STORES / "v3/memory.db.gz").read_bytes())
    files["shop/.hive-mind/hive.db"] = gzip.decompress((STORES / "v2.7/hive.db.gz").read_bytes())
    files["shop/node_modules/ruv-swarm/data/ruv-swarm.db"] = gzip.decompress((STORES / "ruv-swarm/ruv-swarm.db.gz").read_bytes())
    files["budget/ai-budget.json"] = (STORES / "v3/home_ai-budget.json").read_bytes()
    files["budget/ai-jobs.json"] = (STORES / "v3/home_ai-jobs.json").read_bytes()
    files["projects/p/s.jsonl"] = (ROOT / "tests/data/claude_code/transcript/assistant-lines.trimmed.jsonl").read_bytes()
    files["text/a.prom"] = b"from_textfile 1\n"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return files


# Gauges of these are as of the last reading; the other families of swarms count up or tell of the reading itself.
FROM_FILES = ("swarm_agent", "swarm_ai_", "swarm_autopilot", "swarm_hive", "swarm_memory", "swarm_swarms", "swarm_task", "swarm_worker_",
              "swarm_daemon", "swarm_history", "swarm_last_progress", "from_textfile")
BROKEN = {'swarm_source_up{source="ai_budget"}', 'swarm_source_up{workspace="shop",source="claude_flow_v2"}',
          'swarm_source_up{workspace="shop",source="claude_flow_v3"}', 'swarm_source_up{workspace="shop",source="ruv_swarm"}'}


def broken_files_are_absent_never_zero(case):
    folder, url, program = start(case)
    files = fill(folder)
    tokens = 'swarm_llm_tokens_total{agent_type="main",model="claude-opus-5-5",token_type="output"}'
    wait_for("all is read", lambda: all(page(url).get(series) == 1 for series in BROKEN) and page(url).get(tokens))
    before = page(url)
    assert len({s.split("{")[0] for s in before if s.startswith(FROM_FILES)}) > 30
    for name in files:
        path = folder / name
        path.write_bytes(path.read_bytes() + RANDOM + b"\n" if name.endswith("jsonl") else RANDOM)
    wait_for("the last good values are too old", lambda: not [s for s in page(url) if s.startswith(FROM_FILES)])
    after = page(url)
    assert all(after[series] == 0 for series in BROKEN), after
    assert all(any(f'source="{source}"' in s and "read_errors_total" in s for s in after)
               for source in ("ai_budget", "claude_flow_v2", "claude_flow_v3", "ruv_swarm"))
    assert after["node_textfile_scrape_error"] == 1
    assert told(program, "textfile left out") >= 1
    # A broken line costs itself: what was counted stays, the source is up.
    assert after[tokens] == before[tokens]
    assert after['skep_exporter_transcript_lines_total{result="broken"}'] > 0
    assert after['swarm_source_up{source="claude_code_transcripts"}'] == 1
    for source in ("claude_flow_v2", "claude_flow_v3", "ruv_swarm"):
        assert told(program, f"cannot be read\" workspace=shop source={source} ") == 1, source
    # And good bytes bring all of it back.
    fill(folder)
    wait_for("all is there again", lambda: all(page(url).get(series) == 1 for series in BROKEN) and
             {s.split("{")[0] for s in before if s.startswith(FROM_FILES)} <= {s.split("{")[0] for s in page(url)})


def broken_log_lines_cost_themselves(case):
    folder, url, _ = start(case)
    good = b'192.0.2.7 - - [22/Nov/2026:06:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "-"\n'
    with open(folder / "access.log", "ab") as log:
        for junk in (RANDOM.replace(b"\n", b" "), b"\xff\xfe", b'192.0.2.7 - - [22/No', b"\0" * 200):
            log.write(junk + b"\n" + good)
    with open(folder / "api.log", "ab") as log:
        log.write(b'{"level":"error","msg":\n' + RANDOM.replace(b"\n", b" ") + b'\n{"level":"error","msg":"x"}\n')
    wait_for("good lines count", lambda: total(url, "http_requests_total{", 'service="web"') == 4)
    # Zeros are the hole that a truncated file's writer leaves: no line.
    wait_for("broken ones too", lambda: total(url, "log_read_errors_total", 'reason="format"', 'source="web"') == 3 and
             total(url, "log_read_errors_total", 'reason="format"', 'source="api"') == 2)
    assert page(url)['log_source_up{source="web"}'] == 1


if __name__ == "__main__":
    main(endpoints_refuse_broken_bytes_and_count_them, broken_files_are_absent_never_zero, broken_log_lines_cost_themselves)
