#!/usr/bin/env python3
"""What Grafana's Prometheus data source and alert list ask, in the form in which they ask it: methods, forms, headers, parameters."""
import gzip
import json
import socket
import time
import urllib.parse
import urllib.request

from harness import get, host, main, wait_for

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "gzip", "User-Agent": "Grafana/11.2.0"}
RULES = """groups:
  - name: first
    rules:
      - {record: job:up:sum, expr: sum by (job) (up)}
      - alert: SeriesAbsent
        expr: absent(no_such_series)
        labels: {severity: page}
        annotations: {summary: nothing there}
  - name: second
    rules:
      - {alert: NeverFires, expr: vector(1) < 0, for: 5m, keep_firing_for: 1m}
"""


def call(url, path, method="GET", **parameters):
    """The status and the answer. A POST carries its parameters as a form, as Grafana sends them by default."""
    pairs = [(name.replace("__", "[]"), value) for name, values in parameters.items()
             for value in (values if isinstance(values, list) else [values])]
    encoded = urllib.parse.urlencode(pairs)
    target = url + path + ("?" + encoded if method == "GET" and encoded else "")
    request = urllib.request.Request(target, method=method, headers=FORM, data=encoded.encode() if method == "POST" else None)
    try:
        with urllib.request.urlopen(request) as response:
            body = response.read()
            if response.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            return response.status, body.decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(errors="replace")


def data(url, path, method="GET", **parameters):
    status, body = call(url, path, method, **parameters)
    assert status == 200, (path, status, body)
    answer = json.loads(body)
    assert answer["status"] == "success", answer
    return answer["data"]


def a_new_data_source_is_saved_and_tested(case):
    """With nothing stored yet: health, version, which kind of server it is."""
    url, _ = case.evaluator("scrape_configs: []\n")
    for method in ("POST", "GET"):
        assert data(url, "/api/v1/query", method, query="1+1", time="4") == {"resultType": "scalar", "result": [4, "2"]}
    build = data(url, "/api/v1/status/buildinfo")
    assert {"version", "revision", "branch", "buildUser", "buildDate", "goVersion"} <= set(build), build
    assert "features" not in build, "Grafana takes a server with features for Mimir"
    assert data(url, "/api/v1/status/flags")["web.enable-lifecycle"] in (True, "true")
    # After flags it looks for a ruler, and wants to read these words.
    status, body = call(url, "/api/v1/rules/test/test")
    assert status == 404 and "page not found" in body, (status, body)
    assert data(url, "/api/v1/metadata") == {}
    assert data(url, "/api/v1/labels", "POST", start="0", end="1") == []
    assert data(url, "/api/v1/query_exemplars", "POST", query="up", start="0", end="1") == []


def panels_explore_and_variables_are_filled(case):
    page = '# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{kind="a"} 3\njobs_total{kind="b"} 4\n{"http.requests","http.route"="/x"} 1\n'

    def serve(request):
        request.send_response(200)
        request.send_header("Content-Type", "text/plain; version=1.0.0; escaping=allow-utf-8")
        request.send_header("Content-Length", str(len(page)))
        request.end_headers()
        request.wfile.write(page.encode())

    target = case.serve(serve)
    url, _ = case.evaluator(f"""global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: shop, static_configs: [{{targets: ["{host(target)}"]}}]}}]
""")
    now = lambda: f"{time.time():.3f}"
    wait_for("two scrapes", lambda: data(url, "/api/v1/query", "POST", query="count_over_time(jobs_total[1m]) >= 2", time=now())["result"])
    start = f"{time.time() - 60:.3f}"
    # A panel: step as a float of seconds, an empty timeout left out or given.
    for step in ("15", "0.5", "1.000"):
        answer = data(url, "/api/v1/query_range", "POST", query='sum by (kind) (jobs_total{job=~"shop|x"})', start=start, end=now(), step=step, timeout="30s")
        assert answer["resultType"] == "matrix" and {s["metric"]["kind"] for s in answer["result"]} == {"a", "b"}, answer
        assert all(isinstance(v[1], str) for s in answer["result"] for v in s["values"])
    # An annotation and a table: the same as an instant query.
    assert len(data(url, "/api/v1/query", "POST", query="jobs_total", time=now())["result"]) == 2
    # Variables and the query builder: POST first, GET where a proxy forbids it.
    for method in ("POST", "GET"):
        series = data(url, "/api/v1/series", method, match__=['jobs_total{kind="a"}', "up"], start=start, end=now(), limit="40000")
        assert {s["__name__"] for s in series} == {"jobs_total", "up"}, series
        names = data(url, "/api/v1/labels", method, match__="jobs_total", start=start, end=now(), limit="40000")
        assert names == ["__name__", "instance", "job", "kind"], names
    assert data(url, "/api/v1/label/kind/values", start=start, end=now(), match__='{__name__="jobs_total"}', limit="1000") == ["a", "b"]
    # UTF-8 names come escaped.
    assert data(url, "/api/v1/label/U__http_2e_route/values", start=start, end=now()) == ["/x"]
    assert data(url, "/api/v1/metadata")["jobs_total"] == [{"type": "counter", "help": "Jobs.", "unit": ""}]
    assert list(data(url, "/api/v1/metadata", limit="1")) != []
    # The query inspector and hints.
    status, body = call(url, "/api/v1/query_range", "POST", query="sum(", start=start, end=now(), step="15")
    assert status == 400 and json.loads(body)["errorType"] == "bad_data" and "parse error" in json.loads(body)["error"], body
    status, body = call(url, "/api/v1/query_range", "POST", query="up", start="0", end=now(), step="15")
    assert status == 400 and "exceeded maximum resolution of 11,000 points" in json.loads(body)["error"], body
    _, body = call(url, "/api/v1/query", "POST", query="rate(up[1m])", time=now())
    assert json.loads(body)["infos"][0].endswith('"up" (1:6)'), body


def alert_list_and_rule_list_are_filled(case):
    rules = case.write("rules.yml", RULES)
    url, _ = case.evaluator(f"global: {{evaluation_interval: 1s}}\nrule_files: [{rules}]\n")
    wait_for("it fires", lambda: [a["state"] for a in data(url, "/api/v1/alerts")["alerts"]] == ["firing"])
    alert = data(url, "/api/v1/alerts")["alerts"][0]
    assert {"labels", "annotations", "state", "activeAt", "value"} <= set(alert), alert
    assert alert["labels"] == {"alertname": "SeriesAbsent", "severity": "page"} and alert["value"] == "1e+00", alert
    groups = data(url, "/api/v1/rules")["groups"]
    assert [g["name"] for g in groups] == ["first", "second"]
    for group in groups:
        assert {"name", "file", "interval", "limit", "rules", "evaluationTime", "lastEvaluation"} <= set(group), group
        for rule in group["rules"]:
            wanted = {"name", "query", "health", "evaluationTime", "lastEvaluation", "type"}
            if rule["type"] == "alerting":
                wanted |= {"state", "duration", "keepFiringFor", "labels", "annotations", "alerts"}
            assert wanted <= set(rule), rule
    names = lambda **p: [r["name"] for g in data(url, "/api/v1/rules", **p)["groups"] for r in g["rules"]]
    assert names(type="alert") == ["SeriesAbsent", "NeverFires"]
    assert names(type="record") == ["job:up:sum"]
    # Newer and older Grafanas spell lists differently.
    assert names(rule_group__="second") == names(rule_group="second") == ["NeverFires"]
    assert names(rule_name__=["NeverFires", "job:up:sum"]) == ["job:up:sum", "NeverFires"]
    assert names(file__=str(rules), rule_name="SeriesAbsent") == ["SeriesAbsent"]
    assert not data(url, "/api/v1/rules", exclude_alerts="true", type="alert")["groups"][0]["rules"][0].get("alerts")
    first = data(url, "/api/v1/rules", group_limit="1")
    assert [g["name"] for g in first["groups"]] == ["first"]
    rest = data(url, "/api/v1/rules", group_limit="1", group_next_token=first["groupNextToken"])
    assert [g["name"] for g in rest["groups"]] == ["second"] and not rest.get("groupNextToken"), rest


def a_query_ends_when_its_panel_is_left(case):
    url, program = case.evaluator("scrape_configs: []\n", "--query.timeout=10m", "--query.max-samples=2000000000")

    def processor_seconds():
        with open(f"/proc/{program.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    query = "sum_over_time((" + " + ".join(["vector(time() % 7)"] * 30) + ")[100d:100ms])"
    form = urllib.parse.urlencode({"query": query, "start": "1700000000", "end": "1700010000", "step": "1"})
    with socket.create_connection(host(url).split(":")) as client:
        client.sendall(f"POST /api/v1/query_range HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                       f"Content-Length: {len(form)}\r\n\r\n{form}".encode())
        before = processor_seconds()
        wait_for("it works", lambda: processor_seconds() > before + 0.3)

    def rests():
        now = processor_seconds()
        time.sleep(0.5)
        return processor_seconds() < now + 0.1

    wait_for("it has ended", rests)
    assert get(url + "/-/ready")[0] == 200


if __name__ == "__main__":
    main(a_new_data_source_is_saved_and_tested, panels_explore_and_variables_are_filled, alert_list_and_rule_list_are_filled,
         a_query_ends_when_its_panel_is_left)
