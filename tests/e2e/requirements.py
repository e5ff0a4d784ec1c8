#!/usr/bin/env python3
"""tests/requirements.md is true: it has every id that was asked for, each test and rule that it names exists, and on an exporter
that watches all kinds of sources at once each series is there."""
import gzip
import json
import pathlib
import re
import subprocess
import sys

import feed
from harness import BIN, ROOT, answer, get, main, wait_for
from series import find, read_page, requirements

DATA = ROOT / "tests/data"

# All that logs, pushes, OTLP, hooks and stores of claude-flow have to show, and what follows from it.
COVERED = {
    "D0": [5, 6, 7, 8, 9, 10, 15, 16, 18, 20, 22, 23, 25, 26, 27, 31],
    "D1": ["4..11", 14, 17, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34, 37, 60, 61, 62, 63, 64, 65, 71, 72, 73, 75, 76, 80],
    "D2": [1, 2, 3, 4, 5, 6, 13, 14, 15, 16, 17, 25, 27, 28, 29, 33, 34, 35, 38, 44, 46, 47, 61, 62, 65, 66, 67],
    "D3": [1, 9, 14, 17, 18, 19, 20, 21, 22, 31, 32, 33, 47],
    "D4": [1, 2, 3, 4, 5, 6, 7, 15, 17, 18, 20, 27, 28, 29, 30, 31, 32, 34, 35, 46, 47, 52, 53, 57, 58, 60],
}


def every_id_is_in_the_table(_):
    wanted = {f"{document}-{number}" for document, numbers in COVERED.items() for number in numbers}
    ids = [row.id for row in requirements()]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
    assert set(ids) == wanted, sorted(set(ids) ^ wanted)
    for row in requirements():
        assert row.what and (row.series or row.rules or row.tests), row.id
    print(f"{len(ids)} ids")


def every_named_test_and_rule_exists(_):
    problems = []
    rules = "\n".join(p.read_text() for p in (ROOT / "rules").glob("*.yml"))
    for row in requirements():
        if not row.tests:
            problems.append(f"{row.id} names no test")
        for rule in row.rules:
            if not re.search(rf"(record|alert): {re.escape(rule)}$", rules, re.M):
                problems.append(f"{row.id}: no rule {rule}")
            tested = [t for t in row.tests if t.startswith("rules/tests/") and rule in (ROOT / t).read_text()]
            if not tested:
                problems.append(f"{row.id}: rule {rule} occurs in no test that the row names")
        for test in row.tests:
            problems.extend(f"{row.id}: {p}" for p in problems_of(test))
    assert not problems, "\n".join(problems)


def problems_of(test):
    if test.startswith("rules/tests/"):
        return [] if (ROOT / test).is_file() else [f"no file {test}"]
    if ".py:" in test:
        script, case = test.split(":")
        path = ROOT / "tests/e2e" / script
        text = path.read_text() if path.is_file() else ""
        runs = re.search(r"main\(([^)]*)\)", text[text.rfind("__main__"):], re.S)
        listed = runs and case in re.findall(r"\w+", runs[1])
        enlisted = script.removesuffix(".py") in (ROOT / "tests/e2e/CMakeLists.txt").read_text()
        return [] if listed and enlisted else [f"no case {test} that ctest runs"]
    folder, name = test.split(": ", 1)
    sources = (ROOT / "tests" / folder.replace("_", "/", 1)).glob("*_test.cc")
    return [] if any(f'TEST_CASE("{name}"' in re.sub(r'"\s+"', "", p.read_text()) for p in sources) else [f"no test {test}"]


LINES = {
    "app.log": ["2026-11-22T03:00:00Z DEBUG tick", "2026-11-22T03:00:00Z INFO started", "2026-11-22T03:00:00Z WARN queue is long",
                "2026-11-22T03:00:00Z ERROR connect ECONNREFUSED 10.0.0.1:5432", "2026-11-22T03:00:01Z INFO query took 1523ms",
                "2026-11-22T03:00:01Z ERROR database connection failed: connection refused",
                "2026-11-22T03:00:01Z ERROR API request timed out: timeout after 30 s",
                "2026-11-22T03:00:01Z ERROR Unhandled exception in worker: NullPointerException",
                "2026-11-22T03:00:01Z WARN memory usage high: out of memory soon",
                "2026-11-22T03:00:01Z ERROR authentication failed for a user", "2026-11-22T03:00:01Z ERROR job 17 failed",
                "2026-11-22T03:00:01Z INFO job 18 completed", "2026-11-22T03:00:02Z WARN access denied for a role"],
    "auth.log": ["Nov 22 03:00:00 host sshd[123]: Failed password for root from 203.0.113.7 port 5555 ssh2",
                 "Nov 22 03:00:00 host sshd[123]: Invalid user admin from 203.0.113.7 port 5555"],
    "access.log": ['203.0.113.9 - - [22/Nov/2026:03:00:00 +0000] "GET /orders/7 HTTP/1.1" %d 512 "-" "curl" 0.020' % status
                   for status in (200, 401, 403, 500)],
    # A byte that is no UTF-8, and a line that is too long: what of logs cannot be read is counted.
    "broken.log": ["bad \udcff byte", "x" * 300_000, "ERROR the end"],
}

LOGS = """
logs:
  poll_interval: 50ms
  scan_interval: 100ms
  sources:
    - {{name: web, service: shop, paths: [{logs}/access.log], format: nginx,
       log_format: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time'}}
    - {{name: app, service: shop, paths: [{logs}/app.log], format: plain,
       patterns: [errors, warnings, slow_queries, failures, db_connection_errors, api_timeouts, unexpected_exceptions, memory_warnings,
                  authentication_failures, error_classes, jobs, queries, security], templates: {{learning: 0s}}}}
    - {{name: auth, paths: [{logs}/auth.log], format: plain, patterns: [auth, security]}}
    - {{name: broken, paths: [{logs}/broken.log], format: plain}}
"""


def mcp_server(request):
    """As much of `claude-flow mcp start -t http` as the exporter asks for."""
    if request.command == "GET":
        return answer(request, 200, json.dumps({"status": "ok", "connections": 0}), "application/json")
    call = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
    text = (DATA / "stores/mcp/tool_system_metrics.json").read_text()
    try:
        result = json.loads(text)["result"]
    except (ValueError, KeyError, TypeError):
        result = {"content": [{"type": "text", "text": text}]}
    body = {"jsonrpc": "2.0", "id": call.get("id"), "result": {} if call["method"] == "initialize" else result}
    return answer(request, 200, json.dumps(body), "application/json")


def write_workspace(world):
    """What the world of the dashboards has not got: a stuck agent, a router, the memory."""
    flow = world.workspace / ".claude-flow"
    agents = json.loads((flow / "agents/store.json").read_text())
    done = next((i for i, t in world.tasks.items() if t["status"] == "completed"), None)
    agents["agents"]["agent-0"].update(status="active", currentTask=done)
    feed.replace(flow / "agents/store.json", agents)
    swarm = world.workspace / ".swarm"
    swarm.mkdir(exist_ok=True)
    feed.replace(swarm / "model-router-state.json", (DATA / "stores/v3/model-router-state.json").read_text())
    (swarm / "memory.db").write_bytes(gzip.decompress((DATA / "stores/v3/memory.db.gz").read_bytes()))


def start_daemon(case, world):
    """A process that looks like claude-flow's daemon of the workspace."""
    program = world.folder / "claude-flow"
    program.write_text("import time\ntime.sleep(600)\n")
    daemon = case.start("daemon", sys.executable, program, "daemon", "start", "--foreground", "--workspace", world.workspace)
    (world.workspace / ".claude-flow/daemon.pid").write_text(str(daemon.process.pid))


def everything_is_there(case):
    world = feed.World(case.folder)
    start_daemon(case, world)
    (world.logs / "broken.log").touch()
    mcp = case.serve(mcp_server)
    config = case.write("exporter.yml", f"""
state: {{path: {case.folder}/state}}
swarm:
  interval: 100ms
  workspaces: [{{name: shop, path: {world.workspace}}}]
  ai_budget: {{folder: {world.home}}}
  mcp: [{{name: shop, url: "{mcp}", interval: 200ms}}]
{LOGS.format(logs=world.logs)}""")
    checked = subprocess.run([BIN / "skep-exporter", "check", config], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    url, _ = case.exporter(f"--config.file={config}", "--collector.disable-defaults")
    wait_for("the logs are followed", lambda: find(read_page(url), 'log_source_up{source="app"}') == [1])
    for path in sorted((DATA / "claude_code/otlp").glob("*/*_v1_*.json")):
        world.post(url, "/v1/" + re.search(r"v1_(\w+)", path.name)[1], path.read_bytes())
    for _ in range(4):
        world.round(url)
        write_workspace(world)
        for name, lines in LINES.items():
            with open(world.logs / name, "a", errors="surrogateescape") as log:
                log.write("\n".join(lines) + "\n")
        finished = world.rounds

        def is_read():
            page = read_page(url)
            return sum(find(page, 'log_lines_total{source="app"}')) >= finished * len(LINES["app.log"])

        wait_for("the logs are read", is_read)
    events = (ROOT / "deploy/examples/events/all.ndjson").read_bytes()
    world.post(url, "/v1/events", events, "application/x-ndjson")
    selectors = {s: row.id for row in requirements() for s in row.series}

    def missing():
        page = read_page(url)
        return {s: i for s, i in selectors.items() if not find(page, s)}

    try:
        wait_for("each series of the table", lambda: not missing(), deadline=20)
    except AssertionError:
        raise AssertionError(f"not on the page: {missing()}")
    print(f"{len(selectors)} series")
    no_private_text_is_kept(case, url)
    families = wait_for("the page is as the list says", lambda: the_list_of_metrics_is_true(url), deadline=20)
    print(f"{families} families of the list")


# Passed through, node_exporter's, the process's, and those that deploy/examples/events/all.ndjson names itself.
NOT_LISTED = re.compile(r"(node|process|claude_code|gen_ai|mcp)_|(checkout_items_total|oven_temperature_celsius|render_seconds)$")


def the_list_of_metrics_is_true(url):
    """exporter/README.md names each family of the page with its type and labels; all but those of its last section are there."""
    listed, rare = {}, {}
    always, sometimes = (ROOT / "exporter/README.md").read_text().split("## Where their source is there")
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*) \|", always, re.M):
        listed[name] = (kind, set(filter(None, labels.split(", "))))
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", sometimes, re.M):
        rare[name] = kind
    text = get(url + "/metrics")[2]
    types = {n: t for n, t in re.findall(r"^# TYPE (\S+) (\S+)", text, re.M) if not NOT_LISTED.match(n)}
    labels = {}
    for name, found, _ in read_page(url):
        family = name if name in types else re.sub(r"_(bucket|sum|count)$", "", name)
        labels.setdefault(family, set()).update(found.keys() - {"le", "quantile"})
    problems = [f"{n}: on the page, not in the list" for n in types.keys() - listed.keys() - rare.keys()]
    problems += [f"{n}: in the list, not on the page" for n in listed.keys() - types.keys()]
    problems += [f"{n}: {t}, the list says {({**rare, **{k: v[0] for k, v in listed.items()}})[n]}" for n, t in types.items()
                 if t != {**rare, **{k: v[0] for k, v in listed.items()}}.get(n, t)]
    problems += [f"{n}: labels {sorted(labels[n])}, the list says {sorted(listed[n][1])}" for n in types.keys() & listed.keys()
                 if not labels.get(n, set()) <= listed[n][1]]
    assert not problems, "\n".join(sorted(problems))
    return len(types)


def no_private_text_is_kept(case, url):
    """D3-9: neither the page, nor what the exporter writes to disk and to its log, has addresses, texts or keys of users."""
    kept = [get(url + "/metrics")[2]] + [p.read_bytes().decode(errors="replace") for p in pathlib.Path(case.folder, "state").rglob("*")
                                         if p.is_file()] + [p.text() for p in case.programs]
    assert len(kept) >= 4
    for text in kept:
        for word in ("203.0.113.", "=secret", "private", "hiveToken"):
            assert word not in text, (word, text[max(0, text.find(word) - 100):text.find(word) + 60])


if __name__ == "__main__":
    main(every_id_is_in_the_table, every_named_test_and_rule_exists, everything_is_there)
