#!/usr/bin/env python3
"""The store on disk: what was acknowledged is there after kill -9 and after a restart; one folder has one program; damage and
other versions are told."""
import os
import pathlib
import random
import re
import signal
import threading
import time

from harness import BIN, free_port, get, get_json, main, wait_for

NOBODY = "scrape_configs: []\n"
KILLS = 500 if os.environ.get("SKEP_TEST_LONG") == "1" else 25


def end(program, how):
    program.signal(how)
    return program.wait()


class Pusher(threading.Thread):
    """Pushes batches until the program is gone; knows which were acknowledged."""

    def __init__(self, url, first, now):
        super().__init__()
        self.url, self.next, self.now = url, first, now
        self.acknowledged = first - 1
        self.start()

    def run(self):
        try:
            while True:
                page = "".join(f'pushed{{series="{i}"}} {self.next} {self.now + self.next}\n' for i in range(20))
                if get(self.url + "/api/v1/import/prometheus", data=page.encode(), timeout=10)[0] != 204:
                    return
                self.acknowledged = self.next
                self.next += 1
        except Exception:  # killed
            return


def over_time(url, function, kill):
    """What a function over all of the time gives for the twenty series."""
    found = get_json(url + "/api/v1/query", query=f"{function}_over_time(pushed[2h])")["result"]
    assert len(found) == 20, (kill, len(found))
    return {int(each["value"][1]) for each in found}


def nothing_acknowledged_is_lost_by_kill_9(case):
    chance = random.Random(7)
    store = f"--storage.tsdb.path={case.folder}/killed"
    now = int(time.time() * 1000) - 3_600_000
    arguments = ("--web.enable-import", store)
    url, program = case.evaluator(NOBODY, *arguments)
    first = 1
    for kill in range(KILLS):
        pusher = Pusher(url, first, now)
        wait_for("some batches are in", lambda: pusher.acknowledged >= first + 2 or not pusher.is_alive())
        time.sleep(chance.random() * 0.2)
        end(program, signal.SIGKILL)
        pusher.join()
        url, program = case.evaluator(NOBODY, *arguments)
        # A batch is in all series or in none; one that was on its way when the program went may be there. The values are
        # 1, 2, 3, …: these four numbers leave no room for a loss.
        (count,) = over_time(url, "count", kill)
        assert over_time(url, "max", kill) == {count} and over_time(url, "min", kill) == {min(count, 1)}, f"kill {kill}"
        assert over_time(url, "sum", kill) == {count * (count + 1) // 2}, f"kill {kill}: not each batch once"
        assert pusher.acknowledged <= count <= pusher.next, f"kill {kill}: {pusher.acknowledged} {count} {pusher.next}"
        first = count + 1
    metrics = get(url + "/metrics")[2]
    assert re.search(r"^skep_evaluator_wal_replay_samples [1-9]", metrics, re.M), metrics
    assert re.search(r"^skep_evaluator_store_healthy 1$", metrics, re.M), metrics


def alerts_go_on_after_a_restart(case):
    rules = case.write("rules.yml", """
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Always, expr: vector(1), for: 2s}
""")
    config = f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{rules}']\nscrape_configs: []\n"
    store = f"--storage.tsdb.path={case.folder}/alerts"

    def since(url):
        alerts = get_json(url + "/api/v1/alerts")["alerts"]
        return alerts and alerts[0]["state"] == "firing" and alerts[0]["activeAt"]

    url, program = case.evaluator(config, store, "--rules.alert.for-grace-period=0s")
    begun = wait_for("the alert is firing", lambda: since(url))
    wait_for("its start is kept", lambda: get_json(url + "/api/v1/query", query="ALERTS_FOR_STATE")["result"])
    end(program, signal.SIGKILL)
    url, _ = case.evaluator(config, store, "--rules.alert.for-grace-period=0s")
    wait_for("the alert is as old as before", lambda: (since(url) or "")[:19] == begun[:19])


def a_folder_has_one_program(case):
    store = f"--storage.tsdb.path={case.folder}/one"
    _, first = case.evaluator(NOBODY, store)
    config = case.write("other.yml", NOBODY)
    second = case.start("second", BIN / "skep-evaluator", f"--config.file={config}",
                        f"--web.listen-address=127.0.0.1:{free_port()}", store)
    assert second.wait() == 1
    assert "--storage.tsdb.path" in second.text() and str(first.process.pid) in second.text(), second.text()
    end(first, signal.SIGKILL)
    case.evaluator(NOBODY, store)


def damage_and_other_versions_are_told(case):
    store = pathlib.Path(case.folder) / "damaged"
    arguments = ("--web.enable-import", f"--storage.tsdb.path={store}", "--storage.tsdb.wal-sync")
    now = int(time.time() * 1000) - 60_000
    for run in range(3):
        url, program = case.evaluator(NOBODY, *arguments)
        page = f'kept{{run="{run}"}} 1 {now + run}\n'.encode()
        assert get(url + "/api/v1/import/prometheus", data=page)[0] == 204
        assert end(program, signal.SIGTERM) == 0
    segments = sorted((store / "wal").iterdir())
    assert len(segments) == 3, segments
    damaged = bytearray(segments[1].read_bytes())
    damaged[-3] ^= 1
    segments[1].write_bytes(damaged)
    url, program = case.evaluator(NOBODY, *arguments)
    runs = {each["metric"]["run"] for each in get_json(url + "/api/v1/query", query="kept[1h]")["result"]}
    assert runs == {"0", "2"}, runs
    assert segments[1].name in program.text() and "lost" in program.text(), program.text()
    assert "skep_evaluator_wal_replay_problems 1" in get(url + "/metrics")[2]
    assert end(program, signal.SIGTERM) == 0
    other = bytearray(segments[0].read_bytes())
    other[7] += 1
    segments[0].write_bytes(other)
    config = case.write("other.yml", NOBODY)
    refused = case.start("refused", BIN / "skep-evaluator", f"--config.file={config}",
                         f"--web.listen-address=127.0.0.1:{free_port()}", *arguments)
    assert refused.wait() == 1
    assert segments[0].name in refused.text() and "version" in refused.text(), refused.text()


if __name__ == "__main__":
    main(nothing_acknowledged_is_lost_by_kill_9, alerts_go_on_after_a_restart, a_folder_has_one_program,
         damage_and_other_versions_are_told)
