#!/usr/bin/env python3
"""The shipped rules: promtool and skep accept and test them, every alert carries summary, description, runbook_url and severity, and
rules/runbooks.md has a section for each alert and none besides."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKEP = sys.argv[1]
problems = []
files = sorted((ROOT / "rules").glob("*.yml"))
tests = sorted((ROOT / "rules/tests").glob("*_test.yml"))


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        problems.append(f"{' '.join(argv[:3])}: exit {done.returncode}\n{done.stdout}{done.stderr}")


run("promtool", "check", "rules", *map(str, files))
run("promtool", "test", "rules", *map(str, tests))
run(SKEP, "check", "rules", *map(str, files))
run(SKEP, "test", "rules", *map(str, tests))

if {f.stem for f in files} != {t.stem.removesuffix("_test") for t in tests}:
    problems.append("each rule file has one test file of the same name")

alerts = []
for file in files:
    blocks = re.split(r"\n\s*- (?=alert:|record:|name:)", file.read_text())
    for block in blocks:
        found = re.match(r"alert: (\w+)", block)
        if not found:
            continue
        name = found[1]
        alerts.append(name)
        for field in ("summary:", "description:", "severity:"):
            if field not in block:
                problems.append(f"{file.name}: {name} has no {field[:-1]}")
        if f'runbook_url: "{{{{ $externalURL }}}}/runbooks#{name}"' not in block:
            problems.append(f"{file.name}: {name} has no runbook_url of its own")
        tested = (ROOT / "rules/tests" / f"{file.stem}_test.yml").read_text()
        if name not in tested:
            problems.append(f"{file.name}: {name} occurs in no test")

OWN = {"SkepStoreCannotWrite"}  # raised by the evaluator itself (evaluator/cmd/store_alert.h)
sections = re.findall(r"^## (\S+)", (ROOT / "rules/runbooks.md").read_text(), re.M)
for name in sorted((set(alerts) | OWN) ^ set(sections)):
    problems.append(f"runbooks.md: {name} is an alert without a section, or the other way round")

for problem in problems:
    print(problem)
print(f"{len(alerts)} alerts in {len(files)} files, {len(problems)} problems")
sys.exit(1 if problems else 0)
