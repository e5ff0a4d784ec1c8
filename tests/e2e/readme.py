#!/usr/bin/env python3
"""What the README shows is true: its configurations load, its commands work, its flags and files exist."""
import re
import subprocess

from harness import BIN, ROOT, get, get_json, host, main, wait_for

TEXT = (ROOT / "README.md").read_text()
# Blocks of lines that are indented by four spaces.
BLOCKS = [re.sub(r"^    ", "", b, flags=re.M) for b in re.findall(r"(?:^    .*\n(?:^\n(?=    ))?)+", TEXT, re.M)]


def run(*argv, text=None, cwd=None):
    done = subprocess.run([str(a) for a in argv], input=text, capture_output=True, text=True, timeout=60, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


def block_with(word):
    [block] = [b for b in BLOCKS if re.search(word, b, re.M)]
    return block


def its_configurations_load(case):
    case.write("rules/a.yml", "groups: []\n")
    case.write("alertmanager.yml", (ROOT / "deploy/examples/alertmanager.yml").read_text())
    path = case.write("prometheus.yml", block_with("^rule_files:"))
    status, text = run(BIN / "skep", "check", "config", path)
    assert status == 0, text
    path = case.write("exporter.yml", block_with("^collectors:"))
    status, text = run(BIN / "skep-exporter", "check", path)
    assert status == 0, text


def its_commands_work(case):
    exporter, _ = case.exporter()
    url, _ = case.evaluator(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{host(exporter)}']}}]}}]
rule_files: ['{ROOT}/rules/*.yml']
""")
    wait_for("a recorded ratio", lambda: get_json(url + "/api/v1/query", query="cpu_used_ratio")["result"])
    case.write("prometheus.yml", "rule_files: []\n")
    commands = [l.split("  #")[0].strip() for l in block_with("^skep check rules").splitlines() if l.strip()]
    assert len(commands) >= 6, commands
    for command in commands:
        command = command.replace("http://127.0.0.1:7537", exporter).replace("http://127.0.0.1:7538", url)
        command = re.sub(r" (rules|tests)/", rf" {ROOT}/\1/", command)
        command = re.sub(r"(^|\| )skep ", rf"\1{BIN}/skep ", command)
        status, text = run("bash", "-c", command, cwd=case.folder)
        lint_findings = 3 if "check metrics" in command else 0  # node_exporter's own names have them
        assert status == lint_findings, (command, status, text)
        assert text.strip(), command


def agents_are_seen_in_five_minutes(case):
    discover, check, start = (l.split("  #")[0].strip() for l in block_with("^skep-exporter discover").splitlines() if l.strip())
    for command in (discover, check):
        status, text = run("bash", "-c", command.replace("skep-exporter", str(BIN / "skep-exporter")), cwd=case.folder)
        assert status == 0, (command, text)
    assert start.startswith("skep-exporter --config.file=exporter.yml --state.path="), start
    url, _ = case.exporter(f"--config.file={case.folder}/exporter.yml", f"--state.path={case.folder}/state")
    for command in block_with("^curl --json").splitlines():
        command = command.split("  #")[0].replace("curl", "curl -f").replace("http://127.0.0.1:7537", url).replace("skep deploy", f"{BIN}/skep deploy")
        if "deploy mark" in command:
            command += f" --exporter={url}"
        status, text = run("bash", "-c", command)
        assert status == 0, (command, text)
    page = get(url + "/metrics")[2]
    for series in ("swarm_tasks_finished_total{", "deployment_info{"):
        assert "\n" + series in page, series
    [endpoint] = re.findall(r"OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)", TEXT)
    assert endpoint == "http://127.0.0.1:7537"  # where it listens by default


def its_flags_exist(case):
    helps = "".join(run(BIN / p, "--help")[1] for p in ("skep-exporter", "skep-evaluator", "skep"))
    for command in ("query range", "deploy mark", "check config", "check rules", "check metrics", "test rules", "test promql", "fmt", "tsdb import",
                    "tsdb export", "tsdb list", "tsdb analyze"):
        helps += run(BIN / "skep", *command.split(), "--help")[1]
    helps += "--json --data-binary"  # curl's
    for flag in sorted(set(re.findall(r"--[a-z][a-z0-9.-]+[a-z]", TEXT))):
        if flag in ("--build-only", "--collector", "--no-collector") or flag.startswith("--no-collector"):
            continue
        assert flag in helps, flag


def its_files_exist(case):
    for path in sorted(set(re.findall(r"`((?:rules|dashboards|deploy|tests|common|evaluator|exporter)/[\w./-]*)`", TEXT))):
        assert (ROOT / path.rstrip("/")).exists(), path


if __name__ == "__main__":
    main(its_configurations_load, its_commands_work, agents_are_seen_in_five_minutes, its_flags_exist, its_files_exist)
