#!/usr/bin/env python3
"""What an operator installs: sample configurations load, units are accepted by systemd, the git hook refuses bad rules."""
import json
import os
import pathlib
import re
import shutil
import subprocess

from harness import BIN, ROOT, main, need


def run(*argv, cwd=None, environment=None):
    done = subprocess.run([str(a) for a in argv], cwd=cwd, capture_output=True, text=True, timeout=120,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout + done.stderr


def sample_configurations_load(case):
    status, text = run(BIN / "skep", "check", "config", ROOT / "deploy/examples/prometheus.yml")
    assert status == 0, text
    snippet = ROOT / "deploy/prometheus/scrape.yml"
    for tool in ((BIN / "skep", "check", "config"), (need("promtool"), "check", "config")):
        status, text = run(*tool, snippet)
        assert status == 0, text
    status, text = run(need("amtool"), "check-config", ROOT / "deploy/examples/alertmanager.yml")
    assert status == 0, text


def units_are_accepted_by_systemd(case):
    # The programs need to be where the units say: a copy of each unit names them where they are.
    for name in ("skep-exporter", "skep-evaluator"):
        unit = (ROOT / f"deploy/systemd/{name}.service").read_text()
        path = case.write(f"{name}.service", unit.replace(f"/usr/bin/{name}", str(BIN / name)))
        status, text = run(need("systemd-analyze"), "verify", "--man=no", path)
        lines = [l for l in text.splitlines() if name in l and "Failed to create" not in l]
        assert not lines, text


def the_hook_refuses_rules_that_do_not_load_or_fail_their_tests(case):
    repository = pathlib.Path(case.folder) / "repository"
    shutil.copytree(ROOT / "rules", repository / "rules")
    shutil.copytree(ROOT / "deploy/git", repository / "deploy/git")
    who = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t",
           "SKEP": str(BIN / "skep"), "GIT_CONFIG_NOSYSTEM": "1", "HOME": case.folder}

    def git(*argv):
        return run("git", *argv, cwd=repository, environment=who)

    assert git("init", "-q")[0] == 0
    os.symlink("../../deploy/git/pre-commit", repository / ".git/hooks/pre-commit")
    git("add", "-A")
    status, text = git("commit", "-qm", "good")
    assert status == 0, text

    path = repository / "rules/host.yml"
    good = path.read_text()
    path.write_text(good.replace("cpu_used_ratio > 0.70", "cpu_used_ratio > > 0.70"))
    git("add", "-A")
    path.write_text(good)  # what counts is what is staged
    status, text = git("commit", "-qm", "does not load")
    assert status != 0 and "host.yml" in text, text

    path.write_text(good.replace("cpu_used_ratio > 0.70", "cpu_used_ratio > 0.99"))
    git("add", "-A")
    status, text = git("commit", "-qm", "fails its test")
    assert status != 0 and "HostCpuHigh" in text, text


def every_package_is_listed_once_and_exists(case):
    lines = [l.split() for l in (ROOT / "deploy/packages.txt").read_text().splitlines() if re.match(r"(run|build|test) ", l)]
    names = [line[1] for line in lines]
    assert len(names) == len(set(names)), names
    for name, *command in (line[1:] for line in lines):
        if command and shutil.which(command[0]):
            continue
        status, text = run("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
        assert status == 0 and text == "installed", (name, text)


def provisioning_points_at_us(case):
    text = (ROOT / "deploy/grafana/provisioning/datasources/skep.yml").read_text()
    assert "type: prometheus" in text and "127.0.0.1:7538" in text
    for path in (ROOT / "dashboards").glob("*.json"):
        json.loads(path.read_text())


if __name__ == "__main__":
    main(sample_configurations_load, units_are_accepted_by_systemd, the_hook_refuses_rules_that_do_not_load_or_fail_their_tests,
         every_package_is_listed_once_and_exists, provisioning_points_at_us)
