#!/usr/bin/env python3
"""Makes the block beside this file with a real Prometheus, when it has to be made anew: python3 make.py. What is in it is said
once more, as formulas, in tests/evaluator/prometheusblock/block_test.cc."""
import json
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "e2e"))
from harness import get, main  # noqa: E402
from remote_write import STALE, histogram, sample, series, write  # noqa: E402

BASE = 1_700_000_000_000
ADMIN = "/api/v1/admin/tsdb/"


def wobble(i):
    """Times that are not regular."""
    return BASE + 15_000 * i + (i * i * 7) % 41 + (3_600_000 if i > 200 else 0)


def written():
    counter = [sample(BASE + 15_000 * i, float(3 * i)) for i in range(300)]
    gauge = [sample(wobble(i), (i * 37 % 101 - 50) / 7.0) for i in range(250)]
    ended = [sample(BASE + 15_000 * i, 0.1 * i) for i in range(20)] + [sample(BASE + 300_000, STALE)]
    odd = [float("inf"), float("-inf"), float("nan"), -0.0, 1e308, 5e-324, 0.0]
    odd = [sample(BASE + 1000 * i, value) for i, value in enumerate(odd)]
    whole = [histogram(BASE + 15_000 * i, positive=(((1, 2), (3, 1)), [i, 2 * i + 1, 5]), negative=(((0, 1),), [i // 3]),
                       zero=7, total=1.5 * i, threshold=2.0 ** -128, schema=3) for i in range(150)]
    whole.append(histogram(BASE + 15_000 * 150, total=STALE))
    floats = [histogram(BASE + 15_000 * i, positive=(((-4, 1), (0, 2)), [0.5 * i, 1.25, i]), zero=0.25, total=-2.0 * i,
                        threshold=0.001, schema=-1, is_float=True) for i in range(50)]
    return [series({"__name__": "counter_total", "job": "a", "instance": "h:1"}, *counter),
            series({"__name__": "deleted", "which": "all"}, *[sample(BASE + 1000 * i, float(i)) for i in range(30)]),
            series({"__name__": "deleted", "which": "middle"}, *[sample(BASE + 1000 * i, float(i)) for i in range(30)]),
            series({"__name__": "ended", "job": "a"}, *ended),
            series({"__name__": "float_histogram"}, *floats),
            series({"__name__": "gauge", "job": "b", "text": "grüße \"x\" \\ \n"}, *gauge),
            series({"__name__": "odd"}, *odd),
            series({"__name__": "whole_histogram", "job": "a"}, *whole)]


def make(case):
    flags = ("--web.enable-admin-api", "--web.enable-remote-write-receiver", "--enable-feature=native-histograms")
    url, prometheus = case.prometheus("scrape_configs: []\n", *flags)
    # A request at a time, as a head takes no sample that is much older than its newest one.
    write(url, *written())
    name = json.loads(get(url + ADMIN + "snapshot", method="POST")[2])["data"]["name"]
    prometheus.stop()
    data = pathlib.Path(case.folder) / "prometheus"
    (data / "snapshots" / name).rename(data.parent / "snapshot")
    shutil.rmtree(data)
    (data.parent / "snapshot").rename(data)
    url, prometheus = case.prometheus("scrape_configs: []\n", "--web.enable-admin-api")
    for match, span in (('deleted{which="all"}', ""), ('deleted{which="middle"}', f"&start={BASE / 1000 + 10}&end={BASE / 1000 + 19}")):
        status, _, body = get(f"{url}{ADMIN}delete_series?match[]={match}{span}".replace('"', "%22"), method="POST")
        assert status == 204, body
    prometheus.stop()
    for block in data.iterdir():
        if (block / "meta.json").is_file():
            target = HERE / "block"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(block, target)
            print(target, sorted((str(p.relative_to(target)), p.stat().st_size) for p in target.rglob("*") if p.is_file()))


if __name__ == "__main__":
    main(make)
