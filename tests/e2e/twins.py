#!/usr/bin/env python3
"""skep-evaluator and a Prometheus scrape the same pages, whose samples carry time stamps that this test chooses: every
series and every value is equal, and so are the answers to 60 queries at fixed times."""
import math
import random
import threading
import time

from harness import DEADLINE, answer, get_json, host, main, wait_for

PAGES = 24
STEP = 5  # seconds between the time stamps of two pages


def pages(start):
    """Text pages: counters with resets, gauges with NaN and infinities, histograms, labels with escapes, series that
    come and go. The same at every run but for the time stamps."""
    rng = random.Random(42)
    # Counters stay away from zero: near it, and behind a gap, rate() of 2.42 extrapolates otherwise than that of 3.
    counters = {f'path="/{p}",code="{c}"': 5000.0 for p in ("a", "b", "c") for c in ("200", "404", "500")}
    # No whole numbers: Prometheus 3, and we, write such a bound as 1.0, 2.42 as the page has it.
    buckets = (0.05, 0.1, 0.5, 1.5, 4.5, math.inf)
    histogram = {p: [0] * len(buckets) for p in ("a", "b")}
    sums = {"a": 0.0, "b": 0.0}
    out = []
    for k in range(PAGES):
        ms = start + k * STEP * 1000
        lines = ["# HELP t_requests_total Requests.", "# TYPE t_requests_total counter"]
        for i, labels in enumerate(counters):
            if k == 9 and i % 3 == 0:
                counters[labels] = 4000.0  # fell: the process was restarted
            counters[labels] += rng.randrange(0, 40)
            if not (i == 4 and 6 <= k < 12):  # a series that goes and comes back
                lines.append(f"t_requests_total{{{labels}}} {counters[labels]} {ms}")
        lines += ["# HELP t_temperature_celsius Gauges.", "# TYPE t_temperature_celsius gauge"]
        for room in ("kitchen", "cellar", "attic", 'odd \\"room\\" \\\\ \\n', "Küche"):
            value = repr(round(rng.uniform(-5, 30), 3))
            if room == "attic" and k % 7 == 3:
                value = rng.choice(("NaN", "+Inf", "-Inf"))
            lines.append(f't_temperature_celsius{{room="{room}"}} {value} {ms}')
        lines += ["# TYPE t_latency_seconds histogram"]
        for p, counts in histogram.items():
            for _ in range(rng.randrange(3, 20)):
                value = rng.expovariate(2.0)
                sums[p] += value
                for b, bound in enumerate(buckets):
                    counts[b] += value <= bound
            for b, bound in enumerate(buckets):
                le = "+Inf" if math.isinf(bound) else str(bound)
                lines.append(f't_latency_seconds_bucket{{path="{p}",le="{le}"}} {counts[b]} {ms}')
            lines.append(f't_latency_seconds_sum{{path="{p}"}} {sums[p]!r} {ms}')
            lines.append(f't_latency_seconds_count{{path="{p}"}} {counts[-1]} {ms}')
        lines += ["# TYPE t_info gauge", f't_info{{path="a",team="red"}} 1 {ms}', f't_info{{path="b",team="blue"}} 1 {ms}']
        lines += [f"t_untyped 1e{k} {ms}", f"t_constant 7 {ms}"]
        out.append("\n".join(lines) + "\n")
    return out


INSTANT = [
    "t_requests_total", 't_requests_total{code="200"}', 't_requests_total{code=~"4..|5.."}', 't_requests_total{path!="a"}',
    't_requests_total{path!~"a|b"}', "t_temperature_celsius", "sum(t_requests_total)", "sum by (code) (t_requests_total)",
    "sum without (instance, job, code) (t_requests_total)", "avg by (path) (t_requests_total)", "max(t_requests_total)",
    "min by (code) (t_requests_total)", "count by (path) (t_requests_total)", "group(t_requests_total)",
    "stddev(t_requests_total)", "stdvar by (path) (t_requests_total)", "topk(3, t_requests_total)", "bottomk(2, t_requests_total)",
    "quantile(0.9, t_requests_total)", 'count_values("v", t_constant)', "rate(t_requests_total[33s])",
    "increase(t_requests_total[1m3s])", "irate(t_requests_total[23s])", "delta(t_temperature_celsius[43s])",
    "idelta(t_temperature_celsius[23s])", "deriv(t_temperature_celsius[53s])", "predict_linear(t_temperature_celsius[53s], 600)",
    "changes(t_temperature_celsius[1m])", "resets(t_requests_total[1m50s])", "avg_over_time(t_temperature_celsius[43s])",
    "max_over_time(t_temperature_celsius[43s])", "quantile_over_time(0.5, t_temperature_celsius[43s])",
    "stddev_over_time(t_temperature_celsius[43s])", "last_over_time(t_requests_total[43s])", "present_over_time(t_info[43s])",
    "absent(t_nothing)", 'absent_over_time(t_nothing{a="b"}[1m])', "count_over_time(t_requests_total[1m3s])",
    "sum_over_time(t_constant[1m3s])", "histogram_quantile(0.95, rate(t_latency_seconds_bucket[53s]))",
    "histogram_quantile(0.5, sum by (le) (t_latency_seconds_bucket))",
    "rate(t_latency_seconds_sum[53s]) / rate(t_latency_seconds_count[53s])",
    "sum by (path) (t_requests_total) * on (path) group_left (team) t_info",
    't_requests_total{code="500"} / ignoring (code) group_left sum without (code) (t_requests_total)',
    "t_requests_total > 100", "t_requests_total > bool 100", "t_requests_total and on (path) t_info",
    "t_requests_total unless on (path) t_info", 't_requests_total{path="a"} or t_info', "-t_constant ^ 2", "7 % 4 + t_constant",
    'label_replace(t_info, "x", "$1-y", "team", "(.*)d")', 'label_join(t_info, "x", "/", "path", "team")',
    "clamp(t_temperature_celsius, 0, 10)", "round(t_temperature_celsius, 0.5)", "ln(t_requests_total)", "sort_desc(t_requests_total)",
    "max_over_time(rate(t_requests_total[33500ms])[50333ms:7s])", "t_requests_total offset 20s", "t_requests_total @ {mid}",
    "hour(t_requests_total) + minute()", "vector(scalar(t_constant)) + time()", "timestamp(t_constant)", "sgn(t_temperature_celsius)",
]


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, str) and isinstance(b, str) and a != b:
        try:
            x, y = float(a), float(b)
        except ValueError:
            return False
        return x == y or abs(x - y) <= 1e-12 * max(abs(x), abs(y))
    return a == b


def ordered(data, query):
    """An instant vector has an order where the query gives it one; a matrix never has."""
    result = data["result"]
    if data["resultType"] == "vector" and query.startswith(("sort", "topk", "bottomk")) or data["resultType"] == "scalar":
        return result
    return sorted(result, key=lambda s: sorted(s["metric"].items()))


def every_sample_and_query_is_equal(case):
    start = (int(time.time()) - (PAGES + 2) * STEP) * 1000
    all_pages = pages(start)
    state = {"page": 0, "seen": {}}
    lock = threading.Lock()

    def serve(request):
        with lock:
            agent = request.headers.get("User-Agent", "").split("/")[0].lower()
            state["seen"].setdefault(agent, set()).add(state["page"])
            answer(request, 200, all_pages[state["page"]])

    target = case.serve(serve)
    scrape = f"""
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: twins
    static_configs: [{{targets: ['{host(target)}']}}]
"""
    ours, _ = case.evaluator(scrape)
    theirs, _ = case.prometheus(scrape)

    for k in range(PAGES):  # the next page is served once both have read the present one
        with lock:
            state["page"] = k
        wait_for(f"both have read page {k}", lambda: sum(k in pages_seen for pages_seen in state["seen"].values()) >= 2)
    last = (start + (PAGES - 1) * STEP * 1000) / 1000
    for url in (ours, theirs):
        wait_for(f"{url} has stored the last page",
                 lambda u=url: get_json(u + "/api/v1/query", query="timestamp(t_constant)", time=last + 1)["result"][0]["value"][1] == f"{last:g}"
                 or float(get_json(u + "/api/v1/query", query="timestamp(t_constant)", time=last + 1)["result"][0]["value"][1]) == last)

    samples = 0
    raw = {"query": '{__name__=~"t_.+"}[10m]', "time": last + 2}
    a, b = (ordered(get_json(u + "/api/v1/query", **raw), "") for u in (ours, theirs))
    for x, y in zip(a, b):
        assert x["metric"] == y["metric"], (x["metric"], y["metric"])
        assert same(x["values"], y["values"]), (x["metric"], x["values"], y["values"])
        samples += len(x["values"])
    assert len(a) == len(b) and len(a) > 30, (len(a), len(b))

    queries = 0
    mid = last - 40.5
    for template in INSTANT:
        query = template.replace("{mid}", str(mid))
        # Times between the samples: a range that is open on the left and one that is closed see the same.
        for parameters in ({"time": last + 1.3}, {"time": mid}):
            a, b = (get_json(u + "/api/v1/query", query=query, **parameters) for u in (ours, theirs))
            assert a["resultType"] == b["resultType"], (query, a, b)
            assert same(ordered(a, query), ordered(b, query)), f"{query} at {parameters}\nours   {a}\ntheirs {b}"
        span = {"start": last - 60.7, "end": last + 1.3, "step": 3.1}
        a, b = (get_json(u + "/api/v1/query_range", query=query, **span) for u in (ours, theirs))
        assert same(ordered(a, query), ordered(b, query)), f"{query} over {span}\nours   {a}\ntheirs {b}"
        queries += 1
    names = [sorted(get_json(u + "/api/v1/label/__name__/values")) for u in (ours, theirs)]
    assert [n for n in names[0] if n.startswith("t_")] == [n for n in names[1] if n.startswith("t_")], names
    assert get_json(ours + "/api/v1/labels") == get_json(theirs + "/api/v1/labels")
    series = [sorted(map(str, get_json(u + "/api/v1/series", match='{__name__=~"t_.+"}'))) for u in (ours, theirs)]
    assert series[0] == series[1] or sorted(series[0]) == sorted(series[1]), series
    print(f"     {len(a)} series of the last query; {samples} samples and {queries} queries equal, each at 2 times and over a range")


def lacking(ours, theirs, place):
    """What theirs has and ours does not, by place; of lists the members together."""
    if type(ours) is not type(theirs) and not (isinstance(ours, (int, float)) and isinstance(theirs, (int, float))):
        return [f"{place}: {type(ours).__name__}, not {type(theirs).__name__}"]
    if isinstance(theirs, dict):
        found = [f"{place}.{k}" for k in theirs if k not in ours]
        for k in theirs.keys() & ours.keys():
            found += lacking(ours[k], theirs[k], f"{place}.{k}")
        return found
    if isinstance(theirs, list) and theirs:
        if not ours:
            return [f"{place}: empty"]
        if isinstance(theirs[0], dict):
            return lacking({k: v for o in ours for k, v in o.items()}, {k: v for t in theirs for k, v in t.items()}, place + "[]")
        return lacking(ours[0], theirs[0], place + "[]")
    return []


# Of Go's run time, and of a log on disk.
NOT_OURS = {"status/runtimeinfo." + k for k in ("goroutineCount", "GOMAXPROCS", "GOGC", "GODEBUG", "corruptionCount")}


def answers_have_all_that_prometheus_has_in_them(case):
    page = "# HELP t_up Is up.\n# TYPE t_up gauge\nt_up 1\n"
    target = case.serve(lambda request: answer(request, 200, page))
    rules = case.write("rules.yml", """
groups:
  - name: g
    interval: 200ms
    rules:
      - {record: t_twice, expr: 2 * t_up, labels: {team: red}}
      - {alert: Always, expr: t_up == 1, labels: {severity: page}, annotations: {summary: 'is {{ $value }}'}}
      - {alert: Waits, expr: t_up == 1, for: 1h}
""")
    receiver = case.serve(lambda request: answer(request, 200, "{}"))
    config = f"""
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}
rule_files: ['{rules}']
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{host(receiver)}']}}]}}]}}
scrape_configs:
  - job_name: twins
    static_configs: [{{targets: ['{host(target)}'], labels: {{team: blue}}}}]
    relabel_configs: [{{source_labels: [team], regex: green, action: drop}}]
  - job_name: dropped
    static_configs: [{{targets: ['127.0.0.1:1']}}]
    relabel_configs: [{{source_labels: [job], regex: dropped, action: drop}}]
"""
    both = case.evaluator(config)[0], case.prometheus(config)[0]
    for url in both:
        wait_for("an alert fires, another waits", lambda u=url: len(get_json(u + "/api/v1/alerts")["alerts"]) == 2)
        wait_for("the Alertmanager is known", lambda u=url: get_json(u + "/api/v1/alertmanagers")["activeAlertmanagers"])
    paths = ("targets", "targets?state=dropped", "targets?state=active", "targets/metadata", "metadata", "metadata?metric=t_up", "rules",
             "rules?type=alert", "rules?type=record", "alerts", "alertmanagers", "label/job/values", "labels", "series?match[]=t_up",
             "status/config", "status/buildinfo", "status/runtimeinfo", "status/tsdb", "status/walreplay", "query?query=t_up",
             "query?query=1", "query?query=t_up[1m]", "query_exemplars?query=t_up&start=0&end=1", "format_query?query=1")
    problems = []
    for path in paths:
        ours, theirs = (get_json(f"{url}/api/v1/{path}") for url in both)
        problems += [p for p in lacking(ours, theirs, path) if p not in NOT_OURS]
    assert not problems, "\n".join(problems)
    print(f"     {len(paths)} answers")


if __name__ == "__main__":
    main(every_sample_and_query_is_equal, answers_have_all_that_prometheus_has_in_them)
