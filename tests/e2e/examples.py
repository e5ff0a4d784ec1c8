#!/usr/bin/env python3
"""Configurations to start from: each example of deploy/examples loads, one with a mistake in each of its sections does not, and what
skep-exporter discover prints of this machine and of a made one is taken by skep-exporter check, and runs."""
import os
import pathlib
import re
import subprocess

from harness import BIN, ROOT, get, main, wait_for
from series import find, read_page

# Those of skep-exporter; the others are for skep-evaluator and its notifier.
EXAMPLES = [p for p in sorted((ROOT / "deploy/examples").glob("*.yml")) if p.name not in ("alertmanager.yml", "prometheus.yml")]


def run(*argv, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=120, **options)
    return done.returncode, done.stdout, done.stderr


def each_example_loads(_):
    names = {p.stem for p in EXAMPLES}
    modules = {"ingest", "events", "deployments", "swarm", "claude-flow", "transcripts", "mcp", "process-groups", "textfile"}
    assert modules <= names, modules - names
    for path in EXAMPLES:
        status, out, err = run(BIN / "skep-exporter", "check", path)
        assert status == 0, (path, out, err)
        text = path.read_text()
        assert text.startswith("# "), f"{path} does not say what it is for"
        assert f"skep-exporter check deploy/examples/{path.name}" in text, path


def a_mistake_in_an_example_is_found_with_its_line(case):
    for path in EXAMPLES:
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            match = re.match(r"( +)([a-z_]+):( |$)", line)
            if not match or "groups:" in line:
                continue
            broken = lines[:number - 1] + [line.replace(match[2] + ":", match[2] + "x:", 1)] + lines[number:]
            copy = case.write(path.name, "\n".join(broken) + "\n")
            status, out, err = run(BIN / "skep-exporter", "check", copy)
            assert status == 1 and f"{path.name}:" in out + err, (path.name, number, line, out, err)


def what_discover_prints_is_taken(case):
    status, text, err = run(BIN / "skep-exporter", "discover")
    assert status == 0 and not err, err
    found = case.write("found.yml", text)
    status, out, err = run(BIN / "skep-exporter", "check", found)
    assert status == 0, (text, out, err)


def what_discover_finds_is_followed(case):
    root = pathlib.Path(case.folder) / "machine"
    for name, content in {"var/log/nginx/access.log": "", "srv/shop/.claude-flow/tasks/store.json": '{"tasks":{},"version":"3.0.0"}',
                          "srv/shop/.claude-flow/agents/store.json": '{"agents":{},"version":"3.0.0"}',
                          "home/dev/.claude/projects/x/1.jsonl": "", "proc/7/comm": "nginx\n", "proc/7/cmdline": "nginx\0-x\0TOKEN"}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    status, text, err = run(BIN / "skep-exporter", "discover", "--root", root)
    assert status == 0, err
    assert "TOKEN" not in text
    config = case.write("found.yml", text)
    url, _ = case.exporter(f"--config.file={config}", "--collector.disable-defaults")
    wait_for("the log is followed", lambda: find(read_page(url), 'log_source_up{source="nginx"}') == [1])
    with open(root / "var/log/nginx/access.log", "a") as log:
        log.write('203.0.113.9 - - [22/Nov/2026:03:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"\n')
    wait_for("its line is counted", lambda: find(read_page(url), 'http_requests_total{service="nginx",code="200"}') == [1])
    wait_for("the workspace is read", lambda: find(read_page(url), 'swarm_source_up{workspace="shop",source="claude_flow_v3"}') == [1])
    assert find(read_page(url), 'process_group_processes{group="nginx"}'), get(url + "/metrics")[2]


def discover_reads_only_and_ends_in_time(case):
    before = sorted(os.listdir(case.folder))
    status, text, _ = run(BIN / "skep-exporter", "discover", "--max-time", "0.05", "--folder", "/usr", cwd=case.folder)
    assert status == 0 and "processes looked at" in text
    assert sorted(os.listdir(case.folder)) == before
    status, _, err = run(BIN / "skep-exporter", "discover", "--nonsense")
    assert status == 1 and "--nonsense" in err


if __name__ == "__main__":
    main(each_example_loads, a_mistake_in_an_example_is_found_with_its_line, what_discover_prints_is_taken,
         what_discover_finds_is_followed, discover_reads_only_and_ends_in_time)
