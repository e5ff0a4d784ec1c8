#!/usr/bin/env python3
"""skep test rules beside Debian's promtool 2.42 over the same unit-test files, good ones and such as fail in many ways: the
same verdict and the same failures, to the text. What 2.42 does not know has tests of its own in tests/evaluator/ruletest."""
import re
import subprocess

from harness import BIN, main, need

RULES = """groups:
- name: early
  rules:
  - {record: 'late:copy', expr: 'late:time'}
- name: late
  interval: 30s
  rules:
  - {record: 'late:time', expr: 'vector(time())'}
  - {record: 'job:up:sum', expr: 'sum by (job) (up)', labels: {level: job}}
  - {record: 'job:up:twice', expr: 'job:up:sum * 2'}
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page, region: '{{ $externalLabels.region }}', value: '{{ $value }}'}
    annotations:
      summary: '{{ $labels.job }} at {{ $externalURL }}'
      query: '{{ with query "count(job:up:sum)" }}{{ . | first | value }}{{ end }}'
  - alert: Always
    expr: vector(1)
  - alert: Always
    expr: up == 1
    labels: {severity: info}
  - {record: firing, expr: 'count(ALERTS{alertstate="firing"}) or vector(0)'}
  - {record: pending, expr: 'count(ALERTS{alertstate="pending"}) or vector(0)'}
  - {record: since, expr: 'ALERTS_FOR_STATE{alertname="Down"}'}
"""
UP = """  input_series:
  - {series: 'up{job="a"}', values: '1 0x8 1x3 stale'}
  - {series: 'up{job="b"}', values: '1+0x20'}
  - {series: 'm', values: '1+2x3 10-3x4 _x2 7 _ stale 1'}
"""


def test(*lines, series=UP, head="", rules="[rules.yml]"):
    """A file with one test; each line is an item of promql_expr_test or, with alertname, of alert_rule_test."""
    alerts = [l for l in lines if "alertname" in l or "exp_alerts" in l]
    exprs = [l for l in lines if l not in alerts]
    text = f"rule_files: {rules}\n{head}tests:\n- interval: 1m\n  external_labels: {{region: eu}}\n  external_url: http://e\n{series}"
    for key, items in (("alert_rule_test", alerts), ("promql_expr_test", exprs)):
        if items:
            text += f"  {key}:\n" + "".join(f"  - {{{i}}}\n" for i in items)
    return text


def expr(text, time, *samples):
    listed = ", ".join(f"{{labels: '{labels}', value: {value}}}" for labels, value in samples)
    return f"expr: '{text}', eval_time: {time}, exp_samples: [{listed}]"


def alert(name, time, *expected):
    return f"alertname: {name}, eval_time: {time}, exp_alerts: [{', '.join(expected)}]"


DOWN = ("{exp_labels: {job: a, severity: page, region: eu, value: 0}, "
        "exp_annotations: {summary: a at http://e, query: '2'}}")
CASES = {
    # Values.
    "every value": test(*(expr("m", f"{i}m", ("m", v)) for i, v in enumerate([1, 3, 5, 7, 10, 7, 4, 1, -2, -2, -2, 7, 7])),
                        expr("m", "13m"), expr("m", "14m", ("m", 1))),
    "a wrong value": test(expr("m", "1m", ("m", 4))),
    "several wrong values": test(expr("m", "1m", ("m", 4)), expr("up", "1m"), expr("m * 2", "0", ("{}", 2)), expr("m", "2m", ("m", 0))),
    "a missing sample": test(expr("up", "0", ('up{job="a"}', 1))),
    "a sample too many": test(expr("m", "0", ("m", 1), ("n", 1))),
    "wrong labels": test(expr("up", "0", ('up{job="a"}', 1), ('up{job="c"}', 1))),
    "the name is missing": test(expr("m", "0", ("{}", 1))),
    "none expected, none there": test(expr("nothing", "5m")),
    "none expected, one there": test(expr("m", "5m")),
    "a scalar": test(expr("1 + 1", "0", ("{}", 2))),
    "another scalar": test(expr("1 + 1", "0", ("{}", 3))),
    "a string": test(expr('"x"', "0", ("{}", 3))),
    "a range": test(expr("m[5m]", "0", ("m", 3))),
    "times": test(expr("time()", "90s", ("{}", 90)), expr("timestamp(m)", "90s", ("{}", 60)), expr("hour()", "1h", ("{}", 1))),
    "infinity as PromQL has it": test(expr("1 / 0", "0", ("{}", "+Inf"))),
    "infinities": test(expr("1 / 0", "0", ("{}", ".inf")), expr("-1 / 0", "0", ("{}", "-.inf"))),
    "NaN is unlike NaN": test(expr("0 / 0", "0", ("{}", ".nan"))),
    "the last bit": test(expr("m", "0", ("m", 1.0000000000000002))),
    "numbers in every form": test(expr("m", "0", ("m", "1e0")), expr("m", "1m", ("m", "0x3")), expr("m", "2m", ("m", "5.0"))),
    "a number as text": test(expr("m", "0", ("m", '"1"'))),
    "no number": test(expr("m", "0", ("m", "one"))),
    "between two samples": test(expr("m", "59s", ("m", 1)), expr("m", "60s", ("m", 3))),
    "lookback": test(expr("o", "4m59s", ("o", 5)), expr("o", "5m1s"), series="  input_series: [{series: o, values: 5}]\n"),
    "a range query inside": test(expr("sum_over_time(m[179s])", "3m", ("{}", 15)), expr("max_over_time(m[5m:1m])", "4m", ("{}", 10))),
    "the later of two series": test(expr("o", "0", ("o", 2)), series="  input_series: [{series: o, values: 1}, {series: o, values: 2}]\n"),
    "no series at all": test(expr("late:time", "10m", ("late:time", 600)), series=""),
    # Recording rules.
    "rules see those before them": test(expr("job:up:twice", "3m", ('job:up:twice{job="a",level="job"}', 0), ('job:up:twice{job="b",level="job"}', 2))),
    "groups in the order of their file": test(expr("late:copy", "2m", ("late:copy", 120)), head="group_eval_order: [late, early]\n"),
    "groups in another order": test(expr("late:copy", "2m", ("late:copy", 60)), head="group_eval_order: [early, late]\n"),
    "groups in the wrong order": test(expr("late:copy", "2m", ("late:copy", 60)), head="group_eval_order: [late, early]\n"),
    "an order that names one twice": test(expr("m", "0", ("m", 1)), head="group_eval_order: [late, late]\n"),
    "evaluations between samples": test(expr("late:time", "50s", ("late:time", 45)), head="evaluation_interval: 15s\n"),
    "evaluations less often": test(expr("late:time", "9m", ("late:time", 300)), head="evaluation_interval: 5m\n"),
    "a rule that collides": test(expr("m", "3m", ("m", 7)), series="  input_series: [{series: 'late:time', values: '1 _ 1x5'}]\n"),
    # Alerts.
    "an alert fires": test(alert("Down", "3m", DOWN), alert("Down", "2m59s"), alert("Down", "8m", DOWN), alert("Down", "9m")),
    "an alert fires too early": test(alert("Down", "2m", DOWN)),
    "an alert that should not": test(alert("Down", "5m")),
    "wrong annotations": test(alert("Down", "5m", DOWN.replace("query: '2'", "query: '1'"))),
    "annotations missing": test(alert("Down", "5m", "{exp_labels: {job: a, severity: page, region: eu, value: 0}}")),
    "wrong label": test(alert("Down", "5m", DOWN.replace("page", "info"))),
    "an empty label": test(alert("Down", "5m", DOWN.replace("value: 0", "value: 0, empty: ''"))),
    "alerts of two rules": test(alert("Always", "0", "{}", "{exp_labels: {job: a, severity: info}}", "{exp_labels: {severity: info, job: b}}")),
    "two alerts of three": test(alert("Always", "1m", "{}", "{exp_labels: {job: b}}")),
    "an alert that is none": test(alert("Nothing", "5m")),
    "an alert that never comes": test(alert("Nothing", "5m", "{}")),
    "alerts between evaluations": test(alert("Down", "3m59s", DOWN), alert("Down", "9m59s")),
    "alerts out of order": test(alert("Down", "8m", DOWN), alert("Down", "1m"), alert("Down", "3m", DOWN)),
    "alerts as series": test(expr("firing", "1m", ("firing", 2)), expr("pending", "2m", ("pending", 1)), expr("firing", "4m", ("firing", 3)),
                             expr("since", "5m", ('since{alertname="Down",job="a",region="eu",severity="page",value="0"}', 60))),
    "an alert without name": test("eval_time: 1m, exp_alerts: []"),
    # Files and fields.
    "no rule files": test(expr("m", "0", ("m", 1)), rules="[]"),
    "a rule file that is missing": test(expr("m", "0", ("m", 1)), rules="[none.yml]"),
    "patterns": test(expr("late:time", "0", ("late:time", 0)), rules="['r*.yml', rules.yml, 'x/*.yml']"),
    "a bad rule file": test(expr("m", "0", ("m", 1)), rules="[bad_rules.yml]"),
    "a bad pattern": test(expr("m", "0", ("m", 1)), rules="['[.yml']"),
    "no tests": "rule_files: [rules.yml]\ntests: []\n",
    "an empty file": "",
    "no YAML": "tests: [\n",
    "an unknown field": test(expr("m", "0", ("m", 1)), head="nope: 1\n"),
    "an unknown field of a test": "tests: [{nope: 1}]\n",
    "an unknown field of a sample": test("expr: m, exp_samples: [{label: m}]"),
    "a bad duration": test(expr("m", "five", ("m", 1))),
    "a negative duration": test(expr("m", "-1m", ("m", 1))),
    "a key twice": "tests: []\ntests: []\n",
    "a bad series": test(expr("m", "0"), series="  input_series: [{series: 'm{', values: '1'}]\n"),
    "bad values": test(expr("m", "0"), series="  input_series: [{series: m, values: '1+x'}]\n"),
    "a bad expression": test(expr("sum(", "0"), expr("m", "0", ("m", 1)), expr("nope(m)", "0")),
    "an expression that fails": test(expr("up + on () up", "0"), expr("m", "0", ("m", 2))),
    "bad labels": test(expr("m", "0", ("m{", 1)), expr("m", "0", ("m", 2))),
    "two documents": test(expr("m", "0", ("m", 1))) + "---\nnope: 1\n",
}


def run(*argv, cwd):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def failures(text):
    """What failed, block for block, without the place that only we tell and in one spelling of labels and times."""
    text = re.sub(r"^  WARNING: .*\n", "", text, flags=re.M)
    text = re.sub(r"^    \S+\.yml:\d+(:\d+)?:\n", "", text, flags=re.M)
    text = re.sub(r" +$", "", text, flags=re.M)
    text = re.sub(r'\{__name__="([^"]+)"(?:, )?', r"\1{", text).replace("{}", "")
    text = re.sub(r"\b(\d+)m0s\b", r"\1m", text)
    return [block for block in re.sub(r"\n{2,}", "\n", text).strip().split("\n    ") if block.strip()]


def spelled(blocks):
    """Errors within a block are worded by either program; that there is one, and of what, is the same."""
    kept = []
    for block in blocks:
        kept.append(re.sub(r"err: .*", "err", block, flags=re.S))
    return kept


def verdicts_and_failures_equal_promtools(case):
    case.write("rules.yml", RULES)
    case.write("bad_rules.yml", "groups: [{name: g, rules: [{record: a, expr: 'sum('}]}]\n")
    worded = {"an empty file", "no YAML", "a bad rule file", "a bad pattern", "a bad series", "bad values", "a rule that collides"}
    verdicts = {0: 0, 1: 0}
    problems = []
    for name, text in CASES.items():
        path = case.write("t.yml", text)
        theirs = run(need("promtool"), "test", "rules", path.name, cwd=case.folder)
        ours = run(BIN / "skep", "test", "rules", path.name, cwd=case.folder)
        verdicts[ours[0]] += 1
        yaml = ours[0] == 1 and not re.search(r"^ {4}(alertname|expr|rule): ", theirs[2], re.M)
        same = yaml or name in worded or spelled(failures(ours[2])) == spelled(failures(theirs[2]))
        if ours[0] != theirs[0] or ours[1].split() != theirs[1].split() or not same:
            problems.append((name, ours, theirs))
        if ours[0] == 1 and "t.yml:" not in ours[2] and "rules.yml:" not in ours[2]:
            problems.append((name, "the failure has no place", ours))
    assert not problems, "\n".join(map(repr, problems))
    assert verdicts[0] > 20 and verdicts[1] > 30, verdicts


def many_files_are_one_verdict(case):
    case.write("rules.yml", RULES)
    case.write("good.yml", CASES["every value"])
    case.write("bad.yml", CASES["a wrong value"])
    for files in (["good.yml", "bad.yml"], ["bad.yml", "good.yml"], ["good.yml", "good.yml"], ["none.yml", "good.yml"]):
        theirs = run(need("promtool"), "test", "rules", *files, cwd=case.folder)
        ours = run(BIN / "skep", "test", "rules", *files, cwd=case.folder)
        assert ours[0] == theirs[0], (files, ours, theirs)


if __name__ == "__main__":
    main(verdicts_and_failures_equal_promtools, many_files_are_one_verdict)
