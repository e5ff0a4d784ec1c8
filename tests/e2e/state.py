#!/usr/bin/env python3
"""The exporter's state over kill -9: no counter goes back, no event, point or log line counts twice or is lost.
SKEP_TEST_LONG=1 kills 250 times instead of 25."""
import http.client
import json
import os
import pathlib
import random
import re
import signal
import threading
import time

from harness import BIN, free_port, get, main, wait_for

LONG = os.environ.get("SKEP_TEST_LONG") == "1"
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$")


def samples(text):
    return {m[1] + (m[2] or ""): float(m[3]) for m in map(SAMPLE.match, text.splitlines()) if m}


def kept_counters(text):
    """Counters and histograms of the page that are in the state: those of the host and of the process itself are not."""
    types = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE "))
    kept = {}
    for series, value in samples(text).items():
        name = series.split("{")[0]
        family = re.sub(r"_(bucket|count|sum)$", "", name)
        if name.startswith(("node_", "process_", "skep_exporter_")):
            continue
        if types.get(name) == "counter" or types.get(family) == "histogram":
            kept[series] = value
    return kept


class LogWriter:
    """Writes lines as fast as one is read, renames the file now and then, and counts what it wrote."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "logs" / "app.log"
        self.path.parent.mkdir()
        self.lines = 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        chance = random.Random(1)
        files = 0
        file = open(self.path, "ab", buffering=0)
        while not self.stopped.is_set():
            for _ in range(chance.randint(1, 40)):
                line = json.dumps({"level": "info", "msg": f"request {self.lines} served", "n": self.lines}).encode() + b"\n"
                half = chance.randint(1, len(line) - 1)
                file.write(line[:half])
                file.write(line[half:])
                self.lines += 1
            if chance.random() < 0.02:
                file.close()
                files += 1
                self.path.rename(self.path.with_name(f"app.log.{files}"))
                # Long read; more than max_files would be too many to follow.
                self.path.with_name(f"app.log.{files - 300}").unlink(missing_ok=True)
                file = open(self.path, "ab", buffering=0)
            time.sleep(0.002)
        file.close()

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Pusher:
    """Posts bodies in order, each again until it is told that it was accepted."""

    def __init__(self, port, path, make):
        self.port, self.path, self.make = port, path, make
        self.accepted = 0
        self.repeats = 0
        self.problem = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def post(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
            if response.status not in (200, 503):
                self.problem = f"{self.path}: {response.status} {text}"
                self.stopped.set()
            return response.status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def run(self):
        number = 0
        while not self.stopped.is_set():
            body, count = self.make(number)
            while not self.post(body):
                self.repeats += 1
                if self.problem:
                    return
                time.sleep(0.02)
            self.accepted += count
            number += 1

    def stop(self):
        self.stopped.set()
        self.thread.join()
        assert self.problem is None, self.problem


def events(number):
    lines = [json.dumps({"kind": "business", "event": "order", "id": f"{number}-{i}"}) for i in range(5)]
    return "\n".join(lines), 5


def points(number):
    """One delta sum of 3 and one delta histogram of 2 observations, at a time of their own."""
    begin, end = 1_700_000_000_000_000_000 + number * 1000, 1_700_000_000_000_000_000 + number * 1000 + 999
    span = {"startTimeUnixNano": str(begin), "timeUnixNano": str(end)}
    return json.dumps({"resourceMetrics": [{"resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "shop"}}]}, "scopeMetrics": [{"scope": {"name": "test"}, "metrics": [
            {"name": "orders", "sum": {"aggregationTemporality": 1, "isMonotonic": True,
                                       "dataPoints": [{**span, "asInt": "3"}]}},
            {"name": "took", "unit": "s", "histogram": {"aggregationTemporality": 1, "dataPoints": [
                {**span, "count": "2", "sum": 3.0, "bucketCounts": ["1", "1"], "explicitBounds": [1.0]}]}}]}]}]}), 1


def configuration(case):
    return case.write("exporter.yml", """
collectors: {disable_defaults: true}
state: {path: state, checkpoint_bytes: 256KB}
logs:
  sources:
    - name: app
      paths: [%s/logs/app.log*]
      format: json
      from_beginning: true
      metrics:
        - {name: app_requests_total, pattern: 'request (?P<n>[0-9]+) served', help: Requests.}
""" % case.folder)


def start(case, port, config):
    program = case.start(f"exporter-{port}", BIN / "skep-exporter", f"--config.file={config}",
                         f"--web.listen-address=127.0.0.1:{port}", ready=f"http://127.0.0.1:{port}/-/ready")
    return program


def nothing_is_lost_or_counted_twice_by_kill_9(case):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = configuration(case)
    writer = LogWriter(case.folder)
    pushers = [Pusher(port, "/v1/events", events), Pusher(port, "/v1/metrics", points)]
    chance = random.Random(7)
    seen = {}
    for _ in range(250 if LONG else 25):
        program = start(case, port, config)
        end = time.monotonic() + chance.uniform(0.0, 0.8)
        while True:
            page = kept_counters(get(url + "/metrics")[2])
            back = {s: (v, page.get(s)) for s, v in seen.items() if page.get(s, -1) < v}
            assert not back, f"went back: {back}"
            seen = page
            if time.monotonic() > end:
                break
            time.sleep(chance.uniform(0, 0.1))
        program.signal(signal.SIGKILL)
        program.wait()
        assert not [p for p in pushers if p.problem], [p.problem for p in pushers]
    program = start(case, port, config)
    writer.stop()
    for pusher in pushers:
        pusher.stop()
    expected = {'app_requests_total': writer.lines, 'log_lines_total': writer.lines,
                'business_events_total{event="order"}': pushers[0].accepted,
                'orders_total{': 3 * pushers[1].accepted, 'took_seconds_count{': 2 * pushers[1].accepted}

    def total(page, prefix):
        return sum(v for s, v in page.items() if s.startswith(prefix))

    def all_there():
        page = kept_counters(get(url + "/metrics")[2])
        found = {prefix: total(page, prefix) for prefix in expected}
        over = {p: v for p, v in found.items() if v > expected[p]}
        assert not over, f"counted twice: {over} of {expected}"
        return found == expected
    wait_for(f"all of {expected}", all_there)
    assert min(p.repeats for p in pushers) > 0, "the test killed nothing in the middle of a request"
    assert program.running() and 'damaged_files_total 0' in get(url + "/metrics")[2]
    assert not list(pathlib.Path(case.folder, "state").glob("*.damaged*"))
    print(f"     {writer.lines} lines, {pushers[0].accepted} events, {pushers[1].accepted} requests of points")


def a_second_process_is_refused_the_folder(case):
    config = configuration(case)
    start(case, free_port(), config)
    second = case.start("second", BIN / "skep-exporter", f"--config.file={config}", "--web.listen-address=127.0.0.1:0")
    assert second.wait() == 1
    assert "another process uses the folder" in second.text(), second.text()


def the_folder_comes_from_flag_file_or_systemd(case):
    for name, arguments, environment in (
            ("flag", [f"--state.path={case.folder}/flag"], {"STATE_DIRECTORY": f"{case.folder}/no"}),
            ("systemd", [], {"STATE_DIRECTORY": f"{case.folder}/systemd:{case.folder}/other"})):
        port = free_port()
        program = case.start(name + "-program", BIN / "skep-exporter", f"--web.listen-address=127.0.0.1:{port}",
                             "--collector.disable-defaults", *arguments, environment=environment,
                             ready=f"http://127.0.0.1:{port}/-/ready")
        assert pathlib.Path(case.folder, name, "lock").exists()
        program.stop()
    assert not pathlib.Path(case.folder, "no").exists()
    url, program = case.exporter("--collector.disable-defaults")
    assert "no folder for the state is set" in program.text()
    assert samples(get(url + "/metrics")[2])["skep_exporter_state_file_up"] == 0


def a_folder_that_cannot_be_written_ends_the_start(case):
    """Below /proc nobody can make anything, not even root."""
    program = case.start("no-state", BIN / "skep-exporter", f"--web.listen-address=127.0.0.1:{free_port()}",
                         "--collector.disable-defaults", "--state.path=/proc/skep-state")
    assert program.wait() == 1, program.text()
    assert "/proc/skep-state" in program.text(), program.text()


def a_full_disk_refuses_and_recovers(case):
    """prlimit stands in for the disk: files over 40 KB cannot grow, until it is lifted."""
    import resource
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = start(case, port, configuration(case))
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
    accepted, number, refused = 0, 0, 0
    while refused < 5:
        status, _, body = get(url + "/v1/events", {"Content-Type": "application/json"}, events(number)[0].encode(), "POST")
        number += 1
        assert status in (200, 503), (status, body)
        accepted += 5 if status == 200 else 0
        refused += status == 503
        assert number < 20_000, "the limit was never reached"
    # It is ready nonetheless: what it reads of the machine goes on.
    assert get(url + "/-/ready")[0] == 200
    page = samples(get(url + "/metrics")[2])
    assert page['business_events_total{event="order"}'] == accepted
    assert page["skep_exporter_state_file_up"] == 0
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    status, _, body = get(url + "/v1/events", {"Content-Type": "application/json"}, events(number)[0].encode(), "POST")
    assert status == 200, (status, body)
    program.signal(signal.SIGKILL)
    program.wait()
    start(case, port, configuration(case))
    assert samples(get(url + "/metrics")[2])['business_events_total{event="order"}'] == accepted + 5


if __name__ == "__main__":
    main(nothing_is_lost_or_counted_twice_by_kill_9, a_second_process_is_refused_the_folder,
         the_folder_comes_from_flag_file_or_systemd, a_folder_that_cannot_be_written_ends_the_start,
         a_full_disk_refuses_and_recovers)
