#!/usr/bin/env python3
"""The same rule files in skep-evaluator and in a Prometheus, over the same pages: the same alerts go through the same
states, the same is sent to an Alertmanager, the same series are written, and the API says the same key by key."""
import calendar
import json
import threading
import time
import urllib.parse

from harness import answer, get, get_json, host, main, wait_for

# Both run at intervals of their own phase: what is compared is what they come to, and the way there in steps.
FIRST = """
groups:
  - name: recorded
    interval: 300ms
    rules:
      - {record: r_load_sum, expr: sum without (host) (t_load), labels: {team: red, job: ''}}
      - {record: r_twice, expr: r_load_sum * 2}
      - {record: r_scalar, expr: '42'}
      - {record: r_same, expr: t_load, labels: {host: all}}
  - name: states
    interval: 300ms
    rules:
      - alert: High
        expr: t_load > 5
        labels: {severity: 'sev-{{ if gt $value 8.0 }}two{{ else }}one{{ end }}', gone: '{{ if false }}x{{ end }}', instance: ''}
        annotations:
          summary: '{{ $labels.host | toUpper }} has {{ $value | humanize }}, {{ printf "%.2f" .Value }}'
          page: '{{ $externalURL }}{{ pathPrefix }} {{ $externalLabels.region }} {{ $labels.__name__ }}'
          all: '{{ range query "t_load" | sortByLabel "host" }}{{ .Labels.host }}={{ .Value }} {{ end }}'
          link: '{{ tableLink "t_load > 5" }} {{ graphLink "up" }}'
          broken: '{{ .Nope }}'
          empty: ''
      - {alert: Waits, expr: 't_load{host="a"} > 5', for: 1s, annotations: {value: 'is {{ $value }}'}}
      - {alert: Kept, expr: 'sum by (job) (t_load)   > 5', keep_firing_for: 2s}
      - {alert: Over, expr: 'count by (alertname) (ALERTS{alertname="High",alertstate="firing"}) > 0', labels: {alertname: No, severity: debug}}
      - {alert: Twins, expr: t_load > 5, labels: {host: same}}
      - {alert: Never, expr: t_load > 1000, for: 1h, annotations: {a: 'b {{ $value }}'}}
"""
SECOND = """
groups:
  - name: limited
    interval: 300ms
    limit: 1
    rules:
      - {record: r_many, expr: t_load}
      - {record: r_one, expr: 't_load{host="a"}'}
      - {alert: Many, expr: t_load >= 0}
      - {alert: One, expr: 't_load{host="b"} >= 0', for: 1h}
"""
TIMES = ("activeAt", "keepFiringSince", "lastEvaluation", "evaluationTime")  # each program's own


class Receiver:
    """An Alertmanager that takes everything: per label set what was told of it, repetitions left out."""

    def __init__(self, case):
        self.told = {}
        self.lock = threading.Lock()
        self.url = case.serve(self._handle)

    def _handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        with self.lock:
            for alert in json.loads(body):
                labels = tuple(sorted(alert["labels"].items()))
                state = "resolved" if seconds(alert["endsAt"]) <= time.time() else "firing"
                # Of an error in a template Prometheus 2.42 shows Go's own type names.
                annotations = {k: v[:60] if k == "broken" else v for k, v in alert.get("annotations", {}).items()}
                step = (state, sorted(annotations.items()), alert["generatorURL"], sorted(alert))
                steps = self.told.setdefault(labels, [])
                if not steps or steps[-1] != step:
                    steps.append(step)
        answer(request, 200, "{}", "application/json")

    def steps(self):
        with self.lock:
            return {labels: list(steps) for labels, steps in self.told.items()}


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + text[19:].rstrip("Z") or 0)


def plain(value):
    """Without times, lists of alerts in one order; 2.42 leaves out the labels of a recording rule that has none."""
    if isinstance(value, dict):
        if value.get("type") == "recording" and not value.get("labels"):
            value = {**value, "labels": {}}
        return {k: v[:60] if k == "broken" else plain(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        values = [plain(v) for v in value]
        return sorted(values, key=lambda v: json.dumps(v, sort_keys=True)) if values and "labels" in values[0] and "query" not in values[0] else values
    return value


def states(url):
    return sorted((a["labels"]["alertname"], a["labels"].get("host", ""), a["state"]) for a in get_json(url + "/api/v1/alerts")["alerts"])


def series(url):
    result = get_json(url + "/api/v1/query", query='{__name__=~"ALERTS|r_.+"}')["result"]
    return sorted((sorted(r["metric"].items()), r["value"][1]) for r in result)


def same_rules_come_to_the_same(case):
    loads = {"a": 1, "b": 2}

    def serve(request):
        answer(request, 200, "".join(f't_load{{host="{h}"}} {v}\n' for h, v in loads.items()))

    target = case.serve(serve)
    case.write("one.yml", FIRST)
    case.write("two.yml", SECOND)
    receivers = [Receiver(case), Receiver(case)]

    def config(receiver):
        return f"""
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 250ms, external_labels: {{region: eu, replica: x}}}}
rule_files: [one.yml, two.yml]
scrape_configs: [{{job_name: t, static_configs: [{{targets: ['{host(target)}']}}]}}]
alerting:
  alert_relabel_configs:
    - {{regex: replica, action: labeldrop}}
    - {{source_labels: [severity], regex: debug, action: drop}}
    - {{source_labels: [alertname, region], separator: /, target_label: path}}
  alertmanagers: [{{static_configs: [{{targets: ['{host(receiver.url)}']}}]}}]
"""
    flags = ("--web.external-url=http://rules.example/pre", "--web.route-prefix=/", "--rules.alert.resend-delay=100ms")
    ours = case.evaluator(config(receivers[0]), *flags)[0]
    theirs = case.prometheus(config(receivers[1]), *flags)[0]
    both = (ours, theirs)

    def agree(what, condition):
        """Both come to what is wanted, and then alerts, rules and series are equal."""
        def equal():
            got = [(states(u), plain(get_json(u + "/api/v1/alerts")), plain(get_json(u + "/api/v1/rules")), series(u)) for u in both]
            assert condition(got[0][0]), f"ours: {got[0][0]}"
            assert condition(got[1][0]), f"theirs: {got[1][0]}"
            for a, b, name in zip(*got, ("states", "alerts", "rules", "series")):
                assert a == b, f"{name}\nours   {json.dumps(a)}\ntheirs {json.dumps(b)}"
            return True
        wait_for(what, equal, deadline=20)

    one = [("One", "b", "pending")]
    agree("calm", lambda s: s == one)
    loads["a"] = 6
    agree("one host is high", lambda s: ("High", "a", "firing") in s and ("Waits", "a", "firing") in s and ("Kept", "", "firing") in s
          and ("Twins", "same", "firing") in s and ("High", "b", "firing") not in s)
    loads.update(a=9, b=7)  # another value, so another label; a second alert; and two of Twins, which are one too many
    agree("both are high", lambda s: s.count(("High", "a", "firing")) == 1 and ("High", "b", "firing") in s)
    for u in both:
        rules = {r["name"]: r for g in get_json(u + "/api/v1/rules")["groups"] for r in g["rules"]}
        assert rules["Twins"]["health"] == "err" and "same labelset" in rules["Twins"]["lastError"], rules["Twins"]
        assert rules["r_same"]["health"] == "err" and rules["Many"]["health"] == "err", rules
        assert rules["r_many"]["lastError"] == "exceeded limit of 1 with 2 series", rules["r_many"]
        assert rules["Waits"]["state"] == "firing" and rules["Never"]["state"] == "inactive", rules
    loads.update(a=1, b=2)
    agree("what is kept stays a while", lambda s: ("Kept", "", "firing") in s and not any(n == "High" for n, _, _ in s))
    agree("calm again", lambda s: s == one)
    loads["a"] = 6
    agree("it comes back, first to wait", lambda s: ("High", "a", "firing") in s and ("Waits", "a", "pending") in s)
    loads["a"] = 1
    agree("calm at last", lambda s: s == one)

    def told():
        a, b = receivers[0].steps(), receivers[1].steps()
        assert a.keys() == b.keys(), (sorted(a.keys() - b.keys()), sorted(b.keys() - a.keys()))
        for labels in a:
            assert a[labels] == b[labels], f"{labels}\nours   {a[labels]}\ntheirs {b[labels]}"
            assert a[labels][-1][0] == "resolved", (labels, a[labels])
        return a
    steps = wait_for("both Alertmanagers were told the same", told, deadline=20)
    names = sorted({dict(labels)["alertname"] for labels in steps})
    assert names == ["High", "Kept", "Twins", "Waits"], names  # not Over, which relabelling drops
    assert all("replica" not in dict(labels) and dict(labels)["path"].endswith("/eu") for labels in steps), steps

    match = {"match": '{__name__=~"ALERTS|ALERTS_FOR_STATE|r_.+"}'}
    written = [sorted(map(lambda s: sorted(s.items()), get_json(u + "/api/v1/series", **match))) for u in both]
    assert written[0] == written[1], written
    print(f"     {len(steps)} label sets told of, in {sum(map(len, steps.values()))} steps; {len(written[0])} series")
    parameters_narrow(ours, theirs)


def parameters_narrow(ours, theirs):
    """What 2.42 knows beside it, all others against the whole answer."""
    for kind in ("alert", "record"):
        a, b = (plain(get_json(u + "/api/v1/rules", type=kind))["groups"] for u in (ours, theirs))
        assert a == [g for g in b if g["rules"]], (kind, a, b)  # Prometheus 3 leaves out groups without a rule, as we do
    whole = plain(get_json(ours + "/api/v1/rules"))["groups"]

    def asked(*parameters):
        return plain(get_json(ours + "/api/v1/rules?" + urllib.parse.urlencode(parameters)))

    def kept(accept):
        groups = [{**g, "rules": [r for r in g["rules"] if accept(g, r)]} for g in whole]
        return {"groups": [g for g in groups if g["rules"]]}
    cases = {
        (("rule_name[]", "High"), ("rule_name[]", "r_one")): lambda g, r: r["name"] in ("High", "r_one"),
        (("rule_group[]", "limited"),): lambda g, r: g["name"] == "limited",
        (("file[]", whole[-1]["file"]), ("type", "alert")): lambda g, r: g["name"] == "limited" and r["type"] == "alerting",
        (("match[]", '{team="red"}'),): lambda g, r: r["labels"].get("team") == "red",
        (("match[]", '{severity=~"debug"}'), ("match[]", '{host="same"}')): lambda g, r: r["name"] in ("Over", "Twins"),
    }
    for parameters, accept in cases.items():
        assert asked(*parameters) == kept(accept), (parameters, asked(*parameters))
    without = asked(("exclude_alerts", "true"))["groups"]
    assert without == [{**g, "rules": [{k: v for k, v in r.items() if k != "alerts"} for r in g["rules"]]} for g in whole]
    paged, token = [], ""
    while True:
        page = asked(("group_limit", "2"), *([("group_next_token", token)] if token else []))
        paged += page["groups"]
        token = page.get("groupNextToken", "")
        if not token:
            break
    assert paged == whole, paged
    for bad in ("type=x", "group_limit=0", "group_limit=x", "group_next_token=abc", "group_limit=1&group_next_token=abc", "match[]=x{", "exclude_alerts=2"):
        status, _, body = get(f"{ours}/api/v1/rules?{urllib.parse.quote(bad, safe='=&[]')}")
        assert status == 400 and json.loads(body)["errorType"] == "bad_data", (bad, status, body)


if __name__ == "__main__":
    main(same_rules_come_to_the_same)
