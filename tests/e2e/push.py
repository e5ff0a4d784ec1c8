#!/usr/bin/env python3
"""Samples that are pushed: a real Prometheus writes what it scrapes to us, its history and pages are imported; both ways in are
shut without their flags."""
import json
import time
import urllib.parse
import urllib.request

from harness import get, main, wait_for

NOBODY = "scrape_configs: []\n"


def post(url, text):
    return get(url, data=text.encode())


def series(url, query, at):
    """The samples of a range selector at a time: {labels as text: [[time, value], …]}."""
    parameters = urllib.parse.urlencode({"query": query, "time": at})
    status, _, body = get(f"{url}/api/v1/query?{parameters}")
    assert status == 200, body
    found = {}
    for each in json.loads(body)["data"]["result"]:
        labels = {k: v for k, v in sorted(each["metric"].items())}
        found[json.dumps(labels)] = each["values"]
    return found


def what_prometheus_writes_is_what_it_has(case):
    ours, _ = case.evaluator(NOBODY, "--web.enable-remote-write-receiver")
    theirs, _ = case.prometheus(f"""global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: self
    static_configs: [{{targets: ["{ours.removeprefix('http://')}"]}}]
remote_write:
  - url: {ours}/api/v1/write
    queue_config: {{batch_send_deadline: 1s}}
""")
    selector = '{job="self"}[1m]'
    wait_for("five scrapes have come through",
             lambda: max(map(len, series(ours, 'up{job="self"}[1m]', time.time()).values()), default=0) >= 5)
    # Of a time that all writing has passed.
    at = time.time() - 2
    wait_for("both have the same", lambda: series(ours, selector, at) == series(theirs, selector, at) != {})
    page = get(ours + "/metrics")[2]
    assert 'skep_evaluator_pushed_samples_total{protocol="remote_write"}' in page
    refused = [line for line in page.splitlines() if line.startswith("skep_evaluator_pushed_samples_refused_total{protocol=\"remote")]
    assert refused and all(line.endswith(" 0") for line in refused), refused


def pages_of_the_past_are_imported(case):
    url, _ = case.evaluator(NOBODY, "--web.enable-import", "--storage.tsdb.retention.time=10y")
    start = int(time.time()) - 86_400
    page = "".join(f'requests_total{{code="200"}} {i} {(start + i * 15) * 1000}\n' for i in range(5760))
    status, _, body = post(url + "/api/v1/import/prometheus?extra_label=job%3Dold", page)
    assert status == 204, body
    parameters = urllib.parse.urlencode({"query": "rate(requests_total[1h])", "time": start + 80_000})
    answer = json.loads(get(f"{url}/api/v1/query?{parameters}")[2])["data"]["result"]
    assert [each["metric"] for each in answer] == [{"code": "200", "job": "old"}], answer
    assert abs(float(answer[0]["value"][1]) - 1 / 15) < 1e-9, answer
    status, _, body = post(url + "/api/v1/import/prometheus", f"a 1 {start}000\nb{{ 1\nc 2 {start}000\n")
    assert status == 400 and "1 of 3 samples refused (1 syntax); the first: line 2:" in body, body
    assert len(series(url, 'c[1s]', start)) == 1


def an_answer_of_100_mb_does_not_take_100_mb(case):
    url, program = case.evaluator(NOBODY, "--web.enable-import", "--storage.tsdb.retention.time=10y")
    start = int(time.time()) - 86_400
    for instance in range(20):
        page = "".join(f'load{{instance="{instance}"}} {(i * i + instance) % 9973 / 7} {(start + i * 15) * 1000}\n' for i in range(1440))
        assert post(url + "/api/v1/import/prometheus", page)[0] == 204

    def resident(what):
        with open(f"/proc/{program.process.pid}/status", encoding="utf-8") as file:
            return int([line for line in file if line.startswith(what)][0].split()[1]) * 1024

    # 400 series of 10,801 points. What has been the peak until now is forgotten first.
    parameters = urllib.parse.urlencode({
        "query": " or ".join(f"label_replace(load, 'n', '{n}', '', '')" for n in range(20)),
        "start": start, "end": start + 21_600, "step": 2})
    with open(f"/proc/{program.process.pid}/clear_refs", "w", encoding="utf-8") as file:
        file.write("5")
    before = resident("VmRSS")
    size = 0
    with urllib.request.urlopen(f"{url}/api/v1/query_range?{parameters}") as response:
        while piece := response.read(1 << 20):
            size += len(piece)
    peak = resident("VmHWM") - before
    print(f"     {size / 1e6:.0f} MB of answer took {peak / 1e6:.0f} MB of memory")
    assert size > 100e6, size
    assert peak < 100e6, peak


def without_their_flags_both_are_shut(case):
    url, _ = case.evaluator(NOBODY)
    for path, flag in (("write", "remote-write-receiver"), ("import/prometheus", "import")):
        status, _, body = post(f"{url}/api/v1/{path}", "a 1\n")
        assert status == 404 and f"--web.enable-{flag}" in body, (status, body)


if __name__ == "__main__":
    main(what_prometheus_writes_is_what_it_has, pages_of_the_past_are_imported,
         an_answer_of_100_mb_does_not_take_100_mb, without_their_flags_both_are_shut)
