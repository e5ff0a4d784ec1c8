#!/usr/bin/env python3
"""Simulated days of samples, sent by remote write to skep-evaluator and to a real Prometheus: every sample and 200 queries over
hours and days are answered equal, also after kill -9 in the middle and at the end. SKEP_TEST_LONG=1: six days, 2,000 queries."""
import json
import math
import os
import random
import signal
import struct
import sys
import time
import urllib.parse
from array import array

from harness import ROOT, get, main
from write_request import HEADERS, histogram, label_set, packed, sample, series

sys.path.insert(0, str(ROOT / "tests/promql"))
from random_queries import Expressions, difference, shown  # noqa: E402

LONG = os.environ.get("SKEP_TEST_LONG") == "1"
DAYS = 6 if LONG else 2
QUERIES = 2000 if LONG else 200
STEP = 15_000
HOUR, DAY = 3_600_000, 86_400_000
REQUEST = 20 * 60_000  # so much of all series is one request
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000001))[0]  # Go's, and so Prometheus's


class Days:
    """All samples, by label set. They lie at odd milliseconds and the ends of queries at even ones: 2.42 closes ranges on the
    left, 3 does not. Counters stay far from zero, where the two extrapolate otherwise (tests/promql/differences.md)."""

    def __init__(self, rng, end):
        self.rng, self.end, self.start = rng, end, end - DAYS * DAY
        self.floats, self.histograms = [], []
        for job in "ab":
            for inst in "123":
                at = {"job": job, "inst": inst}
                self.add("req_total", at, self.counter())
                self.add("gauge", at, self.gauge())
                self.add("noise", at, iter(lambda: self.rng.gauss(50, 20), None))
                for rank, bound in enumerate(("0.1", "0.5", "1", "+Inf"), 1):
                    self.add("lat_bucket", {**at, "le": bound}, self.bucket(rank))
            self.add("info", {"job": job, "team": "t" + job}, iter(lambda: 1.0, None))
            self.add("temperature", {"job": job}, self.walk())
            self.add("odd", {"job": job}, self.odd())
            self.histograms.append(({"__name__": "native", "job": job}, list(self.native())))
        self.add("gauge", {"job": "c", "inst": "9", "extra": "e"}, self.gauge())
        self.add("slow", {"job": "a"}, self.walk(), step=4 * 60_000)
        for pod in range(DAYS * 8):  # each lives for some hours; every third goes without a word
            begin = self.start + pod * 3 * HOUR + self.rng.randrange(HOUR)
            life = (begin, begin + self.rng.randrange(2, 7) * HOUR)
            self.add("pod_up", {"job": "a", "pod": f"p{pod}"}, iter(lambda: 1.0, None), life=life, marker=pod % 3 != 0)
            self.add("pod_requests_total", {"job": "a", "pod": f"p{pod}"}, self.counter(), life=life, marker=pod % 3 != 0)

    def counter(self):
        value = 1e6
        while True:
            value = 1e6 + self.rng.randrange(100) if self.rng.random() < 0.002 else value + self.rng.choice((0, 1, 2, 10, 0.1))
            yield value

    def gauge(self):
        digits = self.rng.randrange(0, 6)
        while True:
            yield round(self.rng.gauss(0, 100), digits)

    def bucket(self, rank):
        value = 1e6 * rank
        while True:
            value += self.rng.randrange(4) + rank
            yield value

    def walk(self):
        value = 200
        while True:
            value += self.rng.randrange(-3, 4) if self.rng.random() < 0.3 else 0
            yield value / 10

    def odd(self):
        kinds = (NAN, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1.7976931348623157e308, 2.0**53 + 2, 0.1, -1e15, 123456789.125)
        while True:
            yield from [self.rng.choice(kinds)] * self.rng.randrange(1, 30)

    def native(self):
        counts, total = [0] * 8, 0.0
        for i in range(DAYS * DAY // 60_000):
            counts = [0] * 8 if self.rng.random() < 0.002 else [c + self.rng.randrange(4) for c in counts]
            total = total + self.rng.random() * 10 if any(counts) else 0.0
            yield (self.start + i * 60_000 + 777) | 1, total, list(counts)

    def add(self, name, labels, values, step=STEP, life=None, marker=False):
        begin, end = life or (self.start, self.end)
        times, data = array("q"), array("d")
        offset, gap = self.rng.randrange(1, step - 100), 0
        for at in range(begin, min(end, self.end) - step, step):
            if gap == 0 and self.rng.random() < 0.0003:
                gap = self.rng.randrange(5, 400)
                if gap % 2:
                    times.append((at + offset) | 1)
                    data.append(STALE)
                    continue
            if gap:
                gap -= 1
                continue
            times.append((at + offset + self.rng.randrange(0, 50)) | 1)
            data.append(next(values))
        if marker and end < self.end:
            times.append((end + offset) | 1)
            data.append(STALE)
        self.floats.append(({"__name__": name, **labels}, times, data))

    def requests(self):
        """In the order of time; each the samples of REQUEST."""
        known = [(label_set(labels), times, data) for labels, times, data in self.floats]
        native = [(label_set(labels), rows) for labels, rows in self.histograms]
        places, rows_at = [0] * len(known), [0] * len(native)
        for end in range(self.start + REQUEST, self.end + REQUEST, REQUEST):
            message = bytearray()
            for i, (labels, times, data) in enumerate(known):
                at = first = places[i]
                while at < len(times) and times[at] < end:
                    at += 1
                places[i] = at
                if at > first:
                    message += series(labels, b"".join(map(sample, times[first:at], data[first:at])))
            for i, (labels, rows) in enumerate(native):
                first = rows_at[i]
                while rows_at[i] < len(rows) and rows[rows_at[i]][0] < end:
                    rows_at[i] += 1
                if rows_at[i] > first:
                    message += series(labels, b"".join(histogram(*row) for row in rows[first:rows_at[i]]))
            yield packed(bytes(message))


class DayExpressions(Expressions):
    """Random ones over these series, with windows up to days."""

    def __init__(self, rng, days):
        super().__init__(rng)
        self.days = days

    def span(self):
        return self.pick("47s", "5m1s", "33m", "1h7m", "3h", "6h1s", "1d")

    def modifier(self):
        middle = (self.days.start + self.days.end) // 2 / 1000
        return self.pick("", "", "", "", "", " offset 1h", " offset 31s", " offset 1d", " offset -1h",
                         f" @ {middle:.3f}", " @ start()", " @ end()", f" @ {middle + 3600.5:.3f} offset 1h")

    def selector(self):
        return self.pick("req_total", "gauge", "lat_bucket", "info", "temperature", "noise", 'gauge{job="a"}', 'req_total{inst=~"1|2"}',
                         '{__name__="gauge",job!="a"}', 'lat_bucket{le="1"}', "nothing", "slow", 'pod_up{pod=~"p[0-4]"}',
                         "pod_up", "pod_requests_total", 'req_total{job="b"}')

    def choose(self, depth):
        return super().choose(depth).replace("gauge", "noise")  # no ties

    def when(self, steps=(60_000, 300_000, 1_200_000, 3_600_000)):
        start = self.days.start + self.rng.randrange(0, DAYS * DAY // 2000) * 2000 + 346
        if self.rng.random() < 0.3:
            return start, start, 60_000
        step = self.pick(*steps)
        return start, min(start + step * self.rng.randrange(2, 60), self.days.end), step

    def query(self):
        return (*self.when(), self.vector(self.rng.choice((1, 2, 2, 3))))


OVER_TIME = ("avg_over_time sum_over_time min_over_time max_over_time count_over_time last_over_time present_over_time stddev_over_time "
             "stdvar_over_time changes resets deriv delta idelta irate rate increase").split()
COUNTERS = ("irate", "rate", "increase", "resets")
FIXED = """
histogram_quantile(0.99, sum by (le, job) (rate(lat_bucket[1h])))
histogram_quantile(0.5, increase(lat_bucket{job="a"}[1d]))
(noise - avg_over_time(noise[1d])) / stddev_over_time(noise[1d])
quantile_over_time(0.95, noise[1d])
quantile by (job) (0.9, gauge)
predict_linear(temperature[6h], 86400)
max_over_time(rate(req_total[5m])[1d:10m])
avg_over_time(sum by (job) (gauge)[6h:1m])
sum(increase(req_total[1d])) / sum(increase(req_total[1d] offset 1d))
gauge - gauge offset 1d
noise > on (job, inst) avg_over_time(noise[6h])
count(pod_up)
count_over_time(pod_up[1d])
sum by (pod) (increase(pod_requests_total[6h]))
pod_up unless pod_up offset 3h
absent(pod_up{pod="p3"})
absent_over_time(pod_up{pod="p5"}[2h])
sum by (team) (req_total * on (job) group_left (team) info)
topk(3, noise)
bottomk by (job) (1, noise)
count_values("v", info)
odd
timestamp(odd)
max_over_time(odd[1h])
min_over_time(odd[6h])
count_over_time(odd[1d])
last_over_time(odd[1d])
odd == odd
temperature
changes(temperature[1d])
slow
rate(slow[1h])
histogram_count(native)
histogram_sum(native)
histogram_count(rate(native[1h]))
histogram_sum(increase(native[6h]))
histogram_count(sum(native))
label_replace(max by (inst) (noise), "host", "h$1", "inst", "(.*)")
sort_desc(sum by (inst) (gauge))
scalar(sum(gauge)) + on () group_right () noise
ceil(noise) and noise > 60
hour(timestamp(gauge))
""".strip().splitlines()


def fixed_queries(expressions):
    for query in FIXED:
        yield (*expressions.when((300_000, 1_200_000, 3_600_000)), query)
    for function in OVER_TIME:
        metric = "req_total" if function in COUNTERS else "temperature"
        for span in ("1h", "6h", "1d"):
            yield (*expressions.when((300_000, 1_200_000, 3_600_000)), f"{function}({metric}[{span}])")


def ask(url, start, end, step, query):
    """The answer as {series: {millis: value}}, or "error …"."""
    text = "{:.3f}".format
    if start == end:
        parameters, path = {"query": query, "time": text(start / 1000)}, "/api/v1/query"
    else:
        parameters = {"query": query, "start": text(start / 1000), "end": text(end / 1000), "step": text(step / 1000)}
        path = "/api/v1/query_range"
    status, _, body = get(url + path, data=urllib.parse.urlencode(parameters).encode(), timeout=120)
    answer = json.loads(body)
    if status != 200:
        return "error " + answer["error"]
    if answer["data"]["resultType"] == "scalar":
        return {"": {start: float(answer["data"]["result"][1])}}
    return {shown(s["metric"]): {round(t * 1000): float(v) for t, v in s.get("values", [s.get("value")])}
            for s in answer["data"]["result"]}


def raw(url, name, end, span):
    """All samples as the API writes them."""
    parameters = urllib.parse.urlencode({"query": f"{name}[{span // 1000}s]", "time": f"{end / 1000:.3f}"})
    status, _, body = get(f"{url}/api/v1/query?{parameters}", timeout=120)
    assert status == 200, body
    return {shown(s["metric"]): s["values"] for s in json.loads(body)["data"]["result"]}


class Pair:
    def __init__(self, case, days):
        self.case, self.days = case, days
        self.arguments = ("--web.enable-remote-write-receiver", f"--storage.tsdb.path={case.folder}/days")
        self.ours, self.program = case.evaluator("scrape_configs: []\n", *self.arguments)
        self.theirs, _ = case.prometheus("scrape_configs: []\n", "--web.enable-remote-write-receiver",
                                         "--enable-feature=native-histograms", "--log.level=warn")
        self.said = {}  # by Prometheus, which is asked once

    def send(self, request):
        for url in (self.ours, self.theirs):
            status, _, body = get(url + "/api/v1/write", headers=HEADERS, data=request, timeout=120)
            assert status == 204, (url, status, body)

    def kill(self):
        self.program.signal(signal.SIGKILL)
        self.program.wait()
        self.ours, self.program = self.case.evaluator("scrape_configs: []\n", *self.arguments)

    def compare_samples(self, until):
        count = 0
        for name in sorted({labels["__name__"] for labels, _, _ in self.days.floats}):
            for end in range(until, self.days.start, -6 * HOUR):
                theirs, ours = raw(self.theirs, name, end, 6 * HOUR), raw(self.ours, name, end, 6 * HOUR)
                assert theirs.keys() == ours.keys(), (name, end, theirs.keys() ^ ours.keys())
                for one, values in theirs.items():
                    odd = next(((a, b) for a, b in zip(values, ours[one]) if a != b), None)
                    assert odd is None and len(values) == len(ours[one]), (one, end, odd, len(values), len(ours[one]))
                    count += len(values)
        expected = sum(1 for _, times, data in self.days.floats for t, v in zip(times, data)
                       if t < until and struct.pack("<d", v) != struct.pack("<d", STALE))
        assert count == expected, (count, expected)
        return count

    def compare_queries(self, queries):
        filled = 0
        for query in queries:
            if query not in self.said:
                self.said[query] = ask(self.theirs, *query)
            theirs = self.said[query]
            what = difference(theirs, ask(self.ours, *query))
            assert not what, (query, what)
            filled += bool(theirs) and not isinstance(theirs, str)
        # Equal answers of nothing would prove nothing.
        assert filled >= len(queries) * 0.6, (filled, len(queries))
        return filled


def days_are_answered_as_prometheus_does(case):
    rng = random.Random(11)
    end = int(time.time()) // 3600 * HOUR
    days = Days(rng, end)
    expressions = DayExpressions(rng, days)
    queries = list(fixed_queries(expressions))
    queries += [expressions.query() for _ in range(QUERIES - len(queries))]
    requests = list(days.requests())
    pair = Pair(case, days)
    began = time.monotonic()
    half = len(requests) // 2
    for request in requests[:half]:
        pair.send(request)
    pair.kill()
    middle = days.start + half * REQUEST
    pair.compare_samples(middle)
    for request in requests[half:]:
        pair.send(request)
    sent = time.monotonic()
    count = pair.compare_samples(end)
    filled = pair.compare_queries(queries)
    asked = time.monotonic()
    pair.kill()
    pair.compare_samples(end)
    pair.compare_queries(queries)
    print(f"     {count} samples of {len(days.floats)} series over {DAYS} days; {filled} of {len(queries)} answers have series; "
          f"sent in {sent - began:.0f} s, asked in {asked - sent:.0f} s")


if __name__ == "__main__":
    main(days_are_answered_as_prometheus_does)
