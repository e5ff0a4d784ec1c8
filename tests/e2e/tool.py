#!/usr/bin/env python3
"""The command-line tool: verdicts and exit statuses beside promtool's, queries in every form."""
import csv
import io
import json
import subprocess

from harness import BIN, ROOT, answer, get_json, host, main, need, wait_for


def run(*argv, text=None):
    done = subprocess.run([str(a) for a in argv], input=text, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


RULES = [
    ("groups: [{name: g, rules: [{record: a:b, expr: 'sum(up)'}]}]", True),
    ("groups: [{name: g, rules: [{alert: A, expr: up == 0, for: 5m, labels: {a: b}, annotations: {s: '{{ $value }}'}}]}]", True),
    ("groups: []", True),
    ("groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]", False),
    ("groups: [{name: g, rules: [{record: a, exp: '1'}]}]", False),
    ("groups: [{name: g, rules: []}, {name: g, rules: []}]", False),
    ("groups: [{name: g, rules: [{alert: A, expr: up, annotations: {s: '{{ $valu }}'}}]}]", False),
    ("groups: [{name: g, rules: [{record: a, alert: b, expr: '1'}]}]", False),
    ("groups: [{name: g, rules: [{record: a, expr: '1', for: 5m}]}]", False),
    ("groups: [{name: g, interval: 5 min, rules: []}]", False),
    ("groups: [{rules: []}]", False),
    ("groups: [{name: g, rules: [{alert: A, expr: up, labels: {'': b}}]}]", False),
    ("groups: {", False),
]

CONFIGS = [
    ("global: {scrape_interval: 5s}", True),
    ("scrape_configs: [{job_name: a, static_configs: [{targets: ['a:1']}]}]", True),
    ("scrape_configs: [{job_name: a}, {job_name: a}]", False),
    ("scrape_configs: [{static_configs: []}]", False),
    ("global: {scrape_interval: 5s, scrape_timeout: 10s}", False),
    ("global: {scrape_intervall: 5s}", False),
    ("scrape_configs: [{job_name: a, relabel_configs: [{action: nope}]}]", False),
    ("scrape_configs: [{job_name: a, relabel_configs: [{regex: '(', target_label: x}]}]", False),
    ("scrape_configs: [{job_name: a, scheme: ftp}]", False),
    ("rule_files: [missing*.yml]", True),
]


def verdicts_equal_promtools(case):
    for kind, cases in (("rules", RULES), ("config", CONFIGS)):
        for number, (text, good) in enumerate(cases):
            path = case.write(f"{kind}{number}.yml", text + "\n")
            ours, _, errors = run(BIN / "skep", "check", kind, path)
            theirs, _, _ = run(need("promtool"), "check", kind, path)
            assert (ours == 0) == good, (text, ours, errors)
            if text != "scrape_configs: [{job_name: a, scheme: ftp}]":  # promtool takes any scheme
                assert (theirs == 0) == good, ("promtool", text, theirs)
            if not good:
                assert path.name in errors, ("the error names the file", text, errors)
    assert run(BIN / "skep", "check", "rules", *sorted((ROOT / "rules").glob("*.yml")))[0] == 0
    assert run(BIN / "skep", "check", "rules", "-", text=RULES[0][0])[0] == 0
    assert run(BIN / "skep", "check", "rules", f"{case.folder}/none.yml")[0] == 1
    assert run(BIN / "skep", "check", "nonsense")[0] == 1


def metrics_are_linted_as_promtool_does(case):
    clean = "# HELP a_total Help.\n# TYPE a_total counter\na_total 1\n"
    smelly = "# TYPE a counter\na 1\n# HELP b_milliseconds Help.\n# TYPE b_milliseconds gauge\nb_milliseconds 1\n"
    for page, status in ((clean, 0), (smelly, 3), ("a{ 1\n", 1)):
        ours = run(BIN / "skep", "check", "metrics", text=page)
        theirs = run(need("promtool"), "check", "metrics", text=page)
        assert ours[0] == status and theirs[0] == status, (page, ours, theirs)


def queries_are_printed_in_every_form(case):
    target = case.serve(lambda r: answer(r, 200, 'x{a="1"} 1.5\nx{a="2"} 2\n'))
    url, _ = case.evaluator("global: {scrape_interval: 1s}\nscrape_configs: [{job_name: j, static_configs: [{targets: ['%s']}]}]\n" % host(target))
    wait_for("samples", lambda: len(get_json(url + "/api/v1/query", query="x")["result"]) == 2)

    status, out, _ = run(BIN / "skep", "query", "instant", "--server", url, "x")
    assert status == 0 and 'a="1"' in out and "1.5" in out, out
    status, out, _ = run(BIN / "skep", "query", "instant", "--server", url, "-o", "json", "x")
    assert {r["metric"]["a"]: r["value"][1] for r in json.loads(out)["result"]} == {"1": "1.5", "2": "2"}, out
    status, out, _ = run(BIN / "skep", "query", "instant", "--server", url, "-o", "csv", "x")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert sorted((r["a"], r["value"]) for r in rows) == [("1", "1.5"), ("2", "2")], out
    status, out, _ = run(BIN / "skep", "query", "range", "--server", url, "--start=-10s", "--end=now", "--step=1s", "-o", "csv", "sum(x)")
    assert status == 0 and any(r["value"] == "3.5" for r in csv.DictReader(io.StringIO(out))), out
    status, _, errors = run(BIN / "skep", "query", "instant", "--server", url, "sum(")
    assert status == 1 and "parse error" in errors, errors
    status, _, errors = run(BIN / "skep", "query", "instant", "--server", "http://127.0.0.1:1", "x")
    assert status == 1 and "127.0.0.1:1" in errors, errors


if __name__ == "__main__":
    main(verdicts_equal_promtools, metrics_are_linted_as_promtool_does, queries_are_printed_in_every_form)
