#!/usr/bin/env python3
"""History into a store and out of it (skep tsdb import, export, list, analyze) beside a real Prometheus and promtool, and the
admin endpoints: snapshots, deletions."""
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

from harness import BIN, ROOT, free_port, get, get_json, main, need, wait_for
from remote_write import STALE, histogram, sample, series, write

NOBODY = "scrape_configs: []\n"
ADMIN = "/api/v1/admin/tsdb/"
LONG = "--storage.tsdb.retention.time=10y"
HOUR = 3600
DAY = 24 * HOUR


def skep(*argv, text=None):
    done = subprocess.run([str(BIN / "skep"), "tsdb", *map(str, argv)], input=text, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def imported(store, *inputs):
    pathlib.Path(store).mkdir(exist_ok=True)
    status, out, err = skep("import", "--path", store, *inputs)
    assert status == 0, err
    return out


def all_samples(url, at, span="10d"):
    """All samples of a span, of histograms their times: {labels as text: {"values": …, "histograms": …}}."""
    found = get_json(url + "/api/v1/query", query=f'{{__name__=~".+"}}[{span}]', time=at)["result"]
    return {json.dumps(each["metric"], sort_keys=True): {"values": each.get("values", []),
                                                         "histograms": [t for t, _ in each.get("histograms", [])]} for each in found}


def histograms(url, times):
    """The histograms at these times. In a range Prometheus 2.42 shows the last one at all of them, and bounds have another last
    digit there."""
    def plain(each):
        buckets = each["histogram"][1].pop("buckets", [])
        return json.dumps(each["metric"]), each["histogram"], [[rule, *(f"{float(n):.12g}" for n in rest)] for rule, *rest in buckets]

    found = [get_json(url + "/api/v1/query", query='{__name__=~"whole|fractions"}', time=t)["result"] for t in times]
    return [sorted(map(plain, result), key=lambda each: each[0]) for result in found]


def page_of_days(now, days):
    """OpenMetrics of some series a minute apart, and how many samples it has."""
    lines = []
    for instance in range(3):
        for i in range(days * 24 * 60):
            value = "NaN" if i % 997 == 5 else (i * 37 + instance) % 1009 / 8
            lines.append(f'history_total{{instance="{instance}",job="old"}} {value} {now - days * DAY + 60 * i}.{i % 1000:03d}')
    return "# TYPE history counter\n" + "\n".join(lines) + "\n# EOF\n", len(lines)


def prometheus_with_history(case, now):
    """A Prometheus with days in blocks, and its newest samples, floats and histograms, in memory."""
    page, _ = page_of_days(now - 2 * HOUR, 3)
    data = pathlib.Path(case.folder) / "prometheus"
    subprocess.run([need("promtool"), "tsdb", "create-blocks-from", "openmetrics", case.write("history.om", page), data],
                   check=True, capture_output=True, timeout=120)
    url, program = case.prometheus(NOBODY, "--web.enable-admin-api", "--web.enable-remote-write-receiver",
                                   "--enable-feature=native-histograms", "--storage.tsdb.retention.time=1y")
    base = (now - 600) * 1000
    floats = [sample(base + 15_000 * i, i * i / 7) for i in range(30)] + [sample(base + 450_000, STALE)]
    whole = [histogram(base + 15_000 * i, positive=(((0, 2), (2, 1)), [i, 3, i // 2]), zero=i, total=0.5 * i, schema=2)
             for i in range(30)]
    fractions = [histogram(base + 15_000 * i, positive=(((-1, 2),), [i / 4, 1.5]), negative=(((3, 1),), [0.5]), zero=0.25,
                           total=-1.0 * i, schema=0, is_float=True) for i in range(30)]
    write(url, series({"__name__": "newest", "text": "grüße \"\\\n"}, *floats), series({"__name__": "whole"}, *whole),
          series({"__name__": "fractions"}, *fractions))
    return url, program, data


def the_history_of_a_prometheus_comes_in_whole(case):
    now = int(time.time())
    url, _, data = prometheus_with_history(case, now)
    name = get_json_of(get(url + ADMIN + "snapshot", method="POST"))["name"]
    store = pathlib.Path(case.folder) / "store"
    out = imported(store, data / "snapshots" / name)
    ours, _ = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG)
    theirs = all_samples(url, now)
    assert len(theirs) == 6 and sum(len(each["histograms"]) for each in theirs.values()) == 60
    count = sum(len(each["values"]) + len(each["histograms"]) for each in theirs.values())
    assert re.match(rf"imported {count + 1} samples of 6 series, from ", out), (out, count)  # and the marker of an end
    taken(store)
    becomes_same(ours, now, theirs)
    times = [t for labels, each in theirs.items() if "whole" in labels for t in each["histograms"]]
    assert len(times) == 30
    for got, wanted in zip(histograms(ours, times), histograms(url, times)):
        assert got == wanted, (got, wanted)
    # A deletion in a block counts: its tombstones come along.
    assert get(f"{url}{ADMIN}delete_series?match[]=history_total%7Binstance=%221%22%7D&end={now - 2 * DAY}", method="POST")[0] == 204
    kept = all_samples(url, now)
    assert kept != theirs
    second = pathlib.Path(case.folder) / "second"
    # The data folder itself has no newest samples in blocks, which is said.
    status, _, err = skep("import", "--path", make(second), data)
    assert status == 0 and "snapshot" in err, err
    ours, _ = case.evaluator(NOBODY, f"--storage.tsdb.path={second}", LONG)
    history = {labels: samples for labels, samples in kept.items() if "history_total" in labels}
    taken(second)
    becomes_same(ours, now, history)


def taken(store):
    """Waits until the evaluator has taken all blocks from its inbox."""
    wait_for("the inbox is empty", lambda: not list((store / "inbox").glob("*.block")))


def becomes_same(url, now, wanted):
    """A block is shown soon after it was taken; what differs then is told."""
    def same():
        got = all_samples(url, now)
        assert_same(got, wanted)
        return True

    wait_for("the same samples", same, deadline=20)


def assert_same(got, wanted):
    assert got.keys() == wanted.keys(), got.keys() ^ wanted.keys()
    for labels, samples in wanted.items():
        for kind, rows in samples.items():
            differ = [pair for pair in zip(got[labels][kind], rows) if pair[0] != pair[1]]
            assert got[labels][kind] == rows, (labels, kind, len(got[labels][kind]), len(rows), differ[:2])


def make(folder):
    folder.mkdir()
    return folder


def get_json_of(answer):
    status, _, body = answer
    assert status == 200, (status, body)
    return json.loads(body)["data"]


def an_import_reaches_a_running_evaluator(case):
    now = int(time.time())
    store = pathlib.Path(case.folder) / "store"
    url, program = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG, "--web.enable-import")
    page, count = page_of_days(now - HOUR, 2)
    path = pathlib.Path(case.folder) / "page.om.gz"
    path.write_bytes(gzip.compress(page.encode()))
    out = imported(store, path)
    assert out.startswith(f"imported {count} samples of 3 series, from "), out

    def counted():
        found = get_json(url + "/api/v1/query", query="sum(count_over_time(history_total[5d]))", time=now)["result"]
        return found and int(found[0]["value"][1]) == count

    wait_for("the evaluator has it", counted)
    # The same again changes nothing; a restart neither.
    imported(store, path)
    taken(store)
    wait_for("it is counted once", counted)
    program.signal(signal.SIGTERM)
    assert program.wait() == 0
    url, _ = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG)
    assert counted()


def labels_are_those_of_the_asked_time(case):
    now = int(time.time())
    store = pathlib.Path(case.folder) / "store"
    text = f'early{{only="then"}} 1 {(now - 5 * DAY) * 1000}\nlate{{other="now"}} 1 {(now - 3 * DAY) * 1000}\n'
    imported(make(store), case.write("page.txt", text))
    url, _ = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG)
    wait_for("both are there", lambda: len(get_json(url + "/api/v1/labels")) == 3)
    early = {"start": now - 6 * DAY, "end": now - 4 * DAY}
    assert get_json(url + "/api/v1/labels", **early) == ["__name__", "only"]
    assert get_json(url + "/api/v1/label/__name__/values", **early) == ["early"]
    assert get_json(url + "/api/v1/label/other/values", **early) == []
    assert get_json(url + "/api/v1/series", match='{__name__=~".+"}', **early) == [{"__name__": "early", "only": "then"}]
    assert get_json(url + "/api/v1/series", match='{__name__=~".+"}', start=now - DAY, end=now) == []
    assert get_json(url + "/api/v1/labels", start=now - DAY, end=now) == []


def what_is_exported_promtool_takes(case):
    now = int(time.time())
    page, count = page_of_days(now - HOUR, 1)
    store = pathlib.Path(case.folder) / "store"
    imported(make(store), case.write("page.om", page))
    url, _ = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG, "--web.enable-import")
    wait_for("it is there", lambda: len(all_samples(url, now)) == 3)
    assert get(url + "/api/v1/import/prometheus", data=f"newest 0.25 {now * 1000}\n".encode())[0] == 204
    # Beside the evaluator, which has the newest sample in memory.
    status, out, err = skep("export", "--path", store)
    assert status == 0 and not err, err
    assert len(out.splitlines()) == count + 2 and out.endswith(f"newest 0.25 {now}.000\n# EOF\n"), out[-200:]
    data = pathlib.Path(case.folder) / "prometheus"
    subprocess.run([need("promtool"), "tsdb", "create-blocks-from", "openmetrics", case.write("out.om", out), data],
                   check=True, capture_output=True, timeout=120)
    theirs, _ = case.prometheus(NOBODY, "--storage.tsdb.retention.time=1y")
    assert all_samples(theirs, now) == all_samples(url, now)
    status, out, _ = skep("export", "--path", store, "--match", 'history_total{instance="2"}', "--format", "text",
                          "--min-time", str(now - 3 * HOUR), "--max-time", str(now))
    lines = out.splitlines()
    assert status == 0 and 100 < len(lines) < 130 and all('instance="2"' in line for line in lines), (status, len(lines))


def a_store_is_listed_and_analyzed(case):
    now = int(time.time())
    page, count = page_of_days(now - HOUR, 2)
    store = pathlib.Path(case.folder) / "store"
    imported(make(store), case.write("page.om", page))
    url, program = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG)
    wait_for("it is there", lambda: len(all_samples(url, now)) == 3)
    status, out, err = skep("list", store, "--format", "json")
    blocks = json.loads(out)
    assert status == 0 and sum(block["samples"] for block in blocks) == count, (err, out)
    assert all(block["minTime"] <= block["maxTime"] and block["bytes"] > 0 for block in blocks)
    status, out, _ = skep("list", store)
    assert status == 0 and len(out.splitlines()) == len(blocks) + 1 and "samples" in out, out
    status, out, err = skep("analyze", store, "--format", "json", "--limit", "5")
    analysis = json.loads(out)
    assert status == 0 and analysis["series"] == 3 and analysis["blockSamples"] == count, (err, out)
    assert [metric["name"] for metric in analysis["metrics"]] == ["history_total"]
    parts = analysis["bytesByPart"]
    of_samples = parts["times"] + parts["values"] + parts["starts"] + parts["summaries"]
    assert abs(of_samples - analysis["metrics"][0]["bytes"]) < 100, analysis
    assert {"name": "instance", "count": 3} in analysis["valuesByLabel"]
    status, out, _ = skep("analyze", store)
    assert status == 0 and "history_total" in out and "Label pairs by series" in out, out
    program.stop()
    assert skep("analyze", store, "--format", "json")[1].startswith('{"series":3,')


def bad_input_is_refused_and_told(case):
    store = make(pathlib.Path(case.folder) / "store")
    good = case.write("good.txt", "a 1 1700000000000\n")
    for name, text, what in (("bad.txt", "a 1 1700000000000\nb{ 2 3\n", "line 2: "), ("late.om", "a 1 1700000000000\n# EOF\n", "line 1: "),
                             ("none.txt", "a 1\n", "line 1: a sample without a time stamp")):
        path = case.write(name, text)
        status, out, err = skep("import", "--path", store, good, path)
        assert status == 1 and not out and f"{path}: {what}" in err and "nothing was imported" in err, (name, err)
    assert not list((store / "inbox").glob("*.block"))
    status, out, err = skep("import", "--path", store, "--keep-going", good, case.write("bad.txt", "b 1 1700000000000\n}\n"))
    assert status == 1 and out.startswith("imported 2 samples of 2 series") and "line 2: " in err, (out, err)
    status, _, err = skep("import", "--path", case.folder + "/nowhere", good)
    assert status == 1 and "make it first" in err, err
    status, _, err = skep("import", "--path", store, case.write("seconds.txt", "a 1 1700000000\n"))
    assert status == 0 and "before 1980" in err, err
    assert skep("analyze", case.folder)[0] == 1
    assert skep("export", "--path", store / "nothing")[0] == 1


def exported(store):
    status, out, err = skep("export", "--path", store)
    assert status == 0, err
    return out


def shown(case, store):
    """What an evaluator has taken from the store's inbox, as text."""
    _, program = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG)
    taken(store)
    program.signal(signal.SIGTERM)
    assert program.wait() == 0
    return exported(store)


def a_pipe_comes_in_as_a_file_does(case):
    page, count = page_of_days(int(time.time()) - HOUR, 1)
    folder = pathlib.Path(case.folder)
    from_file = make(folder / "file")
    imported(from_file, case.write("page.om", page))
    wanted = shown(case, from_file)
    assert wanted.count("\n") == count + 1, wanted[:200]
    status, out, err = skep("import", "--path", make(folder / "stdin"), "-", text=page)
    assert status == 0 and out.startswith(f"imported {count} samples of 3 series"), (out, err)
    assert shown(case, folder / "stdin") == wanted
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(gzip.compress(page.encode())))
    writer.start()
    out = imported(folder / "fifo", pipe)
    writer.join()
    assert out.startswith(f"imported {count} samples of 3 series"), out
    assert shown(case, folder / "fifo") == wanted
    assert not (folder / "fifo" / "inbox" / "importing").exists()
    status, out, err = skep("import", "--path", make(folder / "bad"), "-", text="a 1 1700000000000\nb{ 1 1\n")
    assert status == 1 and not out and "-: line 2: " in err and "nothing was imported" in err, (out, err)


def of_damaged_gzip_comes_in_what_stands_before(case):
    page, count = page_of_days(int(time.time()) - HOUR, 4)
    pressed = gzip.compress(page.encode())
    path = pathlib.Path(case.folder) / "page.om.gz"
    path.write_bytes(pressed[:len(pressed) * 6 // 10])
    store = make(pathlib.Path(case.folder) / "store")
    status, out, err = skep("import", "--path", store, path)
    assert status == 1 and not out and f"{path}: gzip: " in err and "--format" in err and "nothing was imported" in err, (out, err)
    status, out, err = skep("import", "--path", store, "--keep-going", path)
    assert status == 1 and out == "imported 0 samples of 0 series\n" and "give --format" in err, (out, err)
    status, out, err = skep("import", "--path", store, "--format", "openmetrics", path)
    assert status == 1 and not out and f"{path}: gzip: " in err and not list((store / "inbox").glob("*.block")), (out, err)
    status, out, err = skep("import", "--path", store, "--keep-going", "--format", "openmetrics", path)
    [samples] = map(int, re.findall(r"^imported (\d+) samples", out))
    assert status == 1 and count // 4 < samples < count and f"{path}: gzip: " in err, (out, err, count)
    page_samples = [line for line in page.splitlines() if not line.startswith("#")][:samples]
    rows = [line for line in shown(case, store).splitlines() if not line.startswith("#")]
    assert len(rows) == samples and [row.split()[0] for row in rows] == [line.split()[0] for line in page_samples]
    assert [float(row.split()[2]) for row in rows] == [float(line.split()[2]) for line in page_samples]


def what_root_imports_belongs_to_the_owner_of_the_store(case):
    if os.geteuid() != 0:
        print("only root can import into the store of another user: not tested")
        return
    nobody = 65534
    os.chmod(case.folder, 0o755)  # the evaluator comes as another user
    store = make(pathlib.Path(case.folder) / "store")
    os.chown(store, nobody, nobody)
    now = int(time.time())
    page, count = page_of_days(now - HOUR, 2)
    imported(store, case.write("page.om", page))
    made = [store / "inbox", *(store / "inbox").iterdir()]
    assert len(list((store / "inbox").glob("*.block"))) >= 2, made
    for path in made:
        assert (path.lstat().st_uid, path.lstat().st_gid) == (nobody, nobody), path
    config = case.write("skep.yml", NOBODY)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    case.start("as-nobody", need("setpriv"), f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups", BIN / "skep-evaluator",
               f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={store}", LONG,
               ready=url + "/-/ready")
    taken(store)
    becomes_same(url, now, all_samples_of(page))
    # An import beside it, too.
    imported(store, case.write("more.txt", f"more 1 {(now - 2 * HOUR) * 1000}\n"))
    taken(store)
    wait_for("it has more", lambda: len(all_samples(url, now)) == 4)
    assert sum(len(each["values"]) for each in all_samples(url, now).values()) == count + 1


def all_samples_of(page):
    """What all_samples gives for such a page."""
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        name, value, at = line.split()
        labels = {"__name__": name[:name.index("{")], **dict(re.findall(r'(\w+)="([^"]*)"', name))}
        number = float(value)
        text = value if number != number else f"{number:g}"
        found.setdefault(json.dumps(labels, sort_keys=True), {"values": [], "histograms": []})["values"].append([float(at), text])
    return found


def samples_of_the_future_come_in_and_are_told(case):
    now = int(time.time())
    store = make(pathlib.Path(case.folder) / "store")
    rows = [(now - HOUR, 1), (now + DAY, 2), (now + 2 * DAY, 3)]
    path = case.write("page.txt", "".join(f"forecast {value} {at * 1000}\n" for at, value in rows))
    status, out, err = skep("import", "--path", store, path)
    assert status == 0 and out.startswith("imported 3 samples of 1 series"), (out, err)
    assert "2 samples have times that are yet to come" in err, err
    url, _ = case.evaluator(NOBODY, f"--storage.tsdb.path={store}", LONG)
    taken(store)
    wait_for("all three", lambda: [each["values"] for each in all_samples(url, now + 3 * DAY).values()] ==
             [[[at, str(value)] for at, value in rows]])
    status, _, err = skep("import", "--path", store, case.write("past.txt", f"past 1 {(now - HOUR) * 1000}\n"))
    assert status == 0 and "yet to come" not in err, err


def series_are_deleted_and_snapshots_taken(case):
    now = int(time.time())
    store = pathlib.Path(case.folder) / "store"
    page, _ = page_of_days(now - HOUR, 1)
    imported(make(store), case.write("page.om", page))
    flags = (f"--storage.tsdb.path={store}", LONG, "--web.enable-import")
    url, program = case.evaluator(NOBODY, *flags)
    for call in ("snapshot", "delete_series?match[]=a", "clean_tombstones"):
        status, _, body = get(url + ADMIN + call, method="POST")
        assert status == 503 and "admin APIs disabled" in body, (status, body)
    program.signal(signal.SIGTERM)
    assert program.wait() == 0
    url, program = case.evaluator(NOBODY, *flags, "--web.enable-admin-api")
    wait_for("history is there", lambda: len(all_samples(url, now)) == 3)
    text = "".join(f'fresh{{i="{i}"}} {t} {(now - 100 + t) * 1000}\n' for i in range(2) for t in range(90))
    assert get(url + "/api/v1/import/prometheus", data=text.encode())[0] == 204
    before = all_samples(url, now)

    def delete(match, **span):
        query = "&".join([f"match[]={match}"] + [f"{k}={v}" for k, v in span.items()]).replace('"', "%22").replace("{", "%7B").replace("}", "%7D")
        status, _, body = get(f"{url}{ADMIN}delete_series?{query}", method="PUT")
        assert (status, body) == (204, ""), (status, body)

    expected = json.loads(json.dumps(before))
    delete('history_total{instance="1"}')
    delete('fresh{i="0"}', start=now - 50, end=now - 41)
    expected = {labels: each for labels, each in expected.items() if '"instance": "1"' not in labels}
    [fresh] = [labels for labels in expected if '"i": "0"' in labels]
    expected[fresh]["values"] = [row for row in expected[fresh]["values"] if not now - 50 <= row[0] <= now - 41]
    assert len(expected[fresh]["values"]) == 80
    assert all_samples(url, now) == expected
    assert get(url + ADMIN + "clean_tombstones", method="POST")[0] == 204
    assert all_samples(url, now) == expected
    name = get_json_of(get(url + ADMIN + "snapshot", method="POST"))["name"]
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{16}", name), name
    program.signal(signal.SIGKILL)
    program.wait()
    url, _ = case.evaluator(NOBODY, *flags)
    assert all_samples(url, now) == expected
    # A copy to start from.
    copy = pathlib.Path(case.folder) / "copy"
    shutil.copytree(store / "snapshots" / name, copy)
    url, _ = case.evaluator(NOBODY, f"--storage.tsdb.path={copy}", LONG)
    assert all_samples(url, now) == expected


def the_readme_moves_a_prometheus(case):
    now = int(time.time())
    url, _, data = prometheus_with_history(case, now)
    readme = (ROOT / "README.md").read_text()
    [block] = [b for b in re.findall(r"(?:^    .*\n)+", readme, re.M) if "skep tsdb import" in b and "admin/tsdb/snapshot" in b]
    lines = [line.split("  #")[0].strip() for line in block.splitlines()]
    snapshot, folder, move, start = lines
    store = make(pathlib.Path(case.folder) / "data")
    done = subprocess.run(["bash", "-c", snapshot.replace("http://127.0.0.1:9090", url)], capture_output=True, text=True, timeout=60, check=True)
    name = json.loads(done.stdout)["data"]["name"]
    assert folder.startswith("mkdir"), folder
    [shown] = re.findall(r"/var/lib/prometheus/\S+", move)
    move = move.replace(shown, str(data / "snapshots" / name)).replace("skep ", f"{BIN}/skep ", 1)
    subprocess.run(["bash", "-c", move], cwd=case.folder, capture_output=True, timeout=60, check=True)
    flags = [word for word in start.split()[1:] if not word.startswith("--config.file")]
    assert f"--storage.tsdb.path=data/" in flags, flags
    ours, _ = case.evaluator(NOBODY, *[flag.replace("=data/", f"={store}") for flag in flags])
    wait_for("all is there", lambda: all_samples(ours, now) == all_samples(url, now))


if __name__ == "__main__":
    main(the_history_of_a_prometheus_comes_in_whole, an_import_reaches_a_running_evaluator, labels_are_those_of_the_asked_time,
         what_is_exported_promtool_takes, a_store_is_listed_and_analyzed, bad_input_is_refused_and_told,
         a_pipe_comes_in_as_a_file_does, of_damaged_gzip_comes_in_what_stands_before, what_root_imports_belongs_to_the_owner_of_the_store,
         samples_of_the_future_come_in_and_are_told, series_are_deleted_and_snapshots_taken, the_readme_moves_a_prometheus)
