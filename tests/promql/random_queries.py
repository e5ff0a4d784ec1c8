"""Random expressions over random samples, asked of our engine and of a real Prometheus: equal answers.

Prometheus 2.42 closes ranges on the left and 3.x does not, so all samples lie at odd milliseconds and all
boundaries at even ones. What else 2.42 does otherwise stands in differences.md; the generator keeps off it.

    SKEP_TESTS=build/tests python3 tests/promql/random_queries.py [SEED [QUERIES]]
"""
import json
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

T0 = 1_700_000_000_000
BOUNDS = ("0.1", "0.5", "1", "+Inf")


def labels(name, **kv):
    return name + "{" + ",".join(f'{k}="{v}"' for k, v in sorted(kv.items())) + "}"


class Samples:
    """Counters that reset, gauges, buckets, constants; gaps; jitter."""

    def __init__(self, rng):
        self.rng = rng
        self.rows = []
        for job in "ab":
            for inst in "123":
                self.add(labels("req_total", job=job, inst=inst), self.counter())
                self.add(labels("gauge", job=job, inst=inst), self.gauge())
                for rank, bound in enumerate(BOUNDS, 1):
                    self.add(labels("lat_bucket", job=job, inst=inst, le=bound), self.bucket(rank))
            self.add(labels("info", job=job, team="t" + job), iter(lambda: 1.0, None))
        self.add(labels("gauge", job="c", inst="9", extra="e"), self.gauge())

    def counter(self):  # far from zero: 2.42 extrapolates to it in another order
        value = 1e6
        while True:
            value = value * 0.7 if self.rng.random() < 0.02 else value + self.rng.choice([0, 1, 2.5, 10, 0.1])
            yield value

    def gauge(self):
        while True:
            yield round(self.rng.gauss(0, 100), self.rng.randrange(0, 6))

    def bucket(self, rank):
        value = 1e6 * rank
        while True:
            value += rank
            yield value

    def add(self, series, values):
        offset, gap = self.rng.randrange(1, 14000), 0
        for i in range(240):
            when = (T0 + offset + i * 15000 + self.rng.randrange(0, 50)) | 1
            if gap == 0 and self.rng.random() < 0.01:
                gap = self.rng.randrange(5, 40)
            if gap:
                gap -= 1
            else:
                self.rows.append((series, when, next(values)))

    def tsv(self):
        return "".join(f"{s}\t{t}\t{v!r}\n" for s, t, v in self.rows)

    def openmetrics(self):
        families = {}
        for s, t, v in self.rows:
            families.setdefault(s.split("{")[0], []).append(f"{s} {v!r} {t // 1000}.{t % 1000:03d}\n")
        return "".join(f"# TYPE {n} unknown\n" + "".join(l) for n, l in families.items()) + "# EOF\n"


class Expressions:
    RANGE = ("delta irate idelta resets changes avg_over_time sum_over_time min_over_time max_over_time "
             "count_over_time last_over_time present_over_time absent_over_time deriv stddev_over_time").split()
    MATH = "abs ceil floor exp sqrt ln log2 log10 sgn timestamp absent sort sort_desc sin cos atan deg rad tanh".split()
    DATE = "minute hour day_of_week day_of_month month year days_in_month".split()
    AGGREGATE = "sum avg count min max group".split()

    def __init__(self, rng):
        self.rng = rng

    def pick(self, *choices):
        return self.rng.choice(choices)

    def span(self):
        return self.pick("47s", "1m7s", "2m3s", "5m1s", "10m7s", "33s")

    def modifier(self):
        return self.pick("", "", "", "", "", " offset 1m", " offset 31s", " offset 5m", " offset -1m",
                         " @ 1700001000.25", " @ start()", " @ end()", " @ 1700002000.5 offset 1m")

    def selector(self):
        return self.pick("req_total", "gauge", "lat_bucket", "info", 'gauge{job="a"}', 'req_total{inst=~"1|2"}',
                         '{__name__="gauge",job!="a"}', 'lat_bucket{le="1"}', "nothing", 'gauge{inst="1"}',
                         'req_total{job="b"}')

    def matrix(self, depth):
        if depth <= 0 or self.rng.random() < 0.8:
            return f"{self.selector()}[{self.span()}]{self.modifier()}"
        step = self.pick("15s", "1m", "", "7s")
        return f"({self.vector(depth - 1)})[{self.span()}:{step}]{self.modifier()}"

    def scalar(self, depth):
        if depth <= 0 or self.rng.random() < 0.6:
            return self.pick("0", "1", "2", "-1", "0.5", "3.7", "1e3", "time()", "pi()")
        return self.pick(f"scalar(sum({self.vector(depth - 1)}))",
                         f"({self.scalar(depth - 1)} {self.pick('+', '-', '*')} {self.scalar(depth - 1)})")

    def grouping(self, *names):
        if self.rng.random() < 0.3:
            return ""
        chosen = self.rng.sample(names, self.rng.randrange(0, min(3, len(names) + 1)))
        return f"{self.pick(' by ', ' without ')}({','.join(chosen)}) "

    def matching(self):
        if self.rng.random() < 0.3:
            return ""
        chosen = self.rng.sample(["job", "inst", "le", "team", "extra"], self.rng.randrange(0, 4))
        return f"{self.pick('on', 'ignoring')}({','.join(chosen)}) "

    def vector(self, depth):
        if depth <= 0:
            return self.selector() + self.modifier()
        return self.pick(self.leaf, self.over_range, self.over_range, self.parameter, self.function, self.aggregate,
                         self.aggregate, self.choose, self.with_scalar, self.binary, self.sets, self.labelled)(depth - 1)

    def leaf(self, _):
        return self.selector() + self.modifier()

    def over_range(self, depth):
        if self.rng.random() < 0.3:  # 2.42 looks for the zero point of a small first sample in another order
            counter = self.pick("req_total", "lat_bucket", 'req_total{inst=~"1|2"}', 'lat_bucket{le="1"}')
            return f"{self.pick('rate', 'increase')}({counter}[{self.span()}]{self.modifier()})"
        return f"{self.pick(*self.RANGE)}({self.matrix(depth)})"

    def parameter(self, depth):
        return self.pick(f"quantile_over_time({self.pick('0', '0.5', '0.9', '1', '2')}, {self.matrix(depth)})",
                         f"predict_linear({self.selector()}[{self.span()}], {self.scalar(0)})",
                         f"histogram_quantile({self.pick('0.5', '0.9', '0', '1')}, rate(lat_bucket[{self.span()}]))")

    def function(self, depth):
        return self.pick(f"{self.pick(*self.MATH)}({self.vector(depth)})", f"{self.pick(*self.DATE)}(vector(time()))",
                         f"clamp({self.vector(depth)}, -5, 50)", f"round({self.vector(depth)}, 0.5)",
                         f"-{self.selector()}", f"{self.selector()} % 3.7", f"vector({self.scalar(depth)})")

    def aggregate(self, depth):
        return f"{self.pick(*self.AGGREGATE)}{self.grouping('job', 'inst', 'le', 'team', '__name__')}({self.vector(depth)})"

    def choose(self, _):  # of distinct values: ties are anybody's
        by = self.grouping("job", "inst")
        return self.pick(f"topk{by}({self.pick('1', '2', '3')}, gauge)", f"bottomk{by}(2, gauge{{job='a'}})",
                         f"quantile{by}({self.pick('0.5', '0.33', '1')}, gauge)", f'count_values{by}("v", info)',
                         f"stddev{by}(gauge)", f"stdvar{by}(req_total)")

    def with_scalar(self, depth):
        op = self.pick("+", "-", "*", "/", "^", "!=", ">", "<", ">=", "> bool")
        if self.rng.random() < 0.3:
            return f"{self.scalar(depth)} {op} ({self.vector(depth)})"
        return f"({self.vector(depth)}) {op} {self.scalar(depth)}"

    def binary(self, depth):
        op = self.pick("+", "-", "*", "/", "> bool", "!= bool", "<= bool")
        how = self.matching()
        if how and self.rng.random() < 0.4:
            how += self.pick("group_left", "group_right") + self.pick("() ", "(team) ")
        return f"({self.vector(depth)}) {op} {how}({self.vector(depth)})"

    def sets(self, depth):
        return f"({self.vector(depth)}) {self.pick('and', 'or', 'unless')} {self.matching()}({self.vector(depth)})"

    def labelled(self, depth):
        return self.pick(f'label_replace({self.vector(depth)}, "x", "$1-y", "job", "(.*)")',
                         f'label_join({self.vector(depth)}, "y", "-", "job", "inst")')

    def line(self):
        start = T0 + self.rng.randrange(0, 3000) * 1000 + 346
        step = self.pick(7000, 15000, 60000, 301000)
        end = start + step * self.rng.randrange(1, 25)
        return f"{start}\t{end}\t{step}\t{self.vector(self.rng.choice([1, 2, 2, 3, 3]))}"


def shown(metric):
    metric = dict(metric)
    name = metric.pop("__name__", "")
    inner = ", ".join(f'{k}="{v}"' for k, v in sorted(metric.items()))
    return name + ("{" + inner + "}" if inner or not name else "")


def ask(url, line):
    start, end, step, query = line.split("\t")
    body = urllib.parse.urlencode({"query": query, "start": f"{int(start) / 1000:.3f}",
                                   "end": f"{int(end) / 1000:.3f}", "step": f"{int(step) / 1000:.3f}"}).encode()
    try:
        with urllib.request.urlopen(url + "/api/v1/query_range", body, timeout=60) as answer:
            data = json.load(answer)
    except urllib.error.HTTPError as error:
        return "error " + json.load(error)["error"]
    return {shown(s["metric"]): {round(t * 1000): float(v) for t, v in s["values"]} for s in data["data"]["result"]}


def ours(text):
    if text.startswith("error "):
        return text.strip()
    series = {}
    for row in text.splitlines():
        name, *points = row.split("\t")
        series[name] = {int(p.split("=")[0]): float(p.split("=")[1]) for p in points}
    return series


def same(a, b):
    if a == b or (math.isnan(a) and math.isnan(b)):
        return True
    if not (math.isfinite(a) and math.isfinite(b)):
        return False
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1)


def difference(theirs, mine):
    """What differs; "" if nothing."""
    if isinstance(theirs, str) or isinstance(mine, str):
        if isinstance(theirs, str) and isinstance(mine, str):
            return ""
        return f"theirs {str(theirs)[:200]}, ours {str(mine)[:200]}"
    for name in sorted(set(theirs) | set(mine)):
        a, b = theirs.get(name, {}), mine.get(name, {})
        for when in sorted(set(a) | set(b)):
            if when not in a or when not in b or not same(a[when], b[when]):
                return f"{name} at {when}: theirs {a.get(when)}, ours {b.get(when)}"
    return ""


def start_prometheus(folder):
    with open(f"{folder}/prometheus.yml", "w") as config:
        config.write("global: {}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url + "/-/ready", timeout=5)
            return process, url
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit("prometheus did not start")


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    long_form = os.environ.get("SKEP_TEST_LONG") == "1"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20000 if long_form else 1000
    rng = random.Random(seed)
    samples, expressions = Samples(rng), Expressions(rng)
    lines = [expressions.line() for _ in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("samples.tsv", samples.tsv()), ("samples.om", samples.openmetrics()),
                           ("queries.tsv", "\n".join(lines) + "\n")):
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", f"{folder}/samples.om",
                        f"{folder}/data"], check=True, stdout=subprocess.DEVNULL)
        tool = os.path.join(os.environ.get("SKEP_TESTS", "build/tests"), "promql_query")
        answers = subprocess.run([tool, f"{folder}/samples.tsv", f"{folder}/queries.tsv"], check=True,
                                 capture_output=True, text=True).stdout.split("--\n")
        process, url = start_prometheus(folder)
        try:
            wrong = [(line, what) for line, answer in zip(lines, answers)
                     if (what := difference(ask(url, line), ours(answer)))]
        finally:
            process.kill()
            process.wait()
    for line, what in wrong[:20]:
        print(f"differs: {line}\n    {what}")
    print(f"{count} random queries compared with Prometheus, {len(wrong)} differ (seed {seed})")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
