#!/usr/bin/env python3
"""/v1/events, /v1/beacons and skep deploy mark on a running exporter: every kind reaches its series, the published schema and
the server agree, the examples run, and what was accepted is there after kill -9."""
import copy
import gzip
import http.client
import json
import os
import random
import signal
import subprocess

import jsonschema
from harness import BIN, ROOT, get, host, main, need, wait_for
from series import check_rows, find, read_page

EXAMPLES = ROOT / "deploy/examples/events"
ALL = [json.loads(line) for line in (EXAMPLES / "all.ndjson").read_text().splitlines()]
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "deploy/schemas/events.schema.json").read_text()))


def start(case, config="", *arguments):
    path = case.write("exporter.yml", config)
    return case.exporter(f"--config.file={path}", f"--state.path={case.folder}/state", "--collector.disable-defaults", *arguments)


def post(url, *events, **headers):
    """(status, answer) of one request; an event may be an object or a line."""
    lines = [e if isinstance(e, str) else json.dumps(e) for e in events]
    status, _, text = get(url + "/v1/events", headers={"Content-Type": "application/x-ndjson", **headers},
                          data="\n".join(lines).encode(), method="POST")
    return status, json.loads(text)


def value(url, series):
    [only] = find(read_page(url), series)
    return only


def every_example_reaches_its_series(case):
    url, _ = start(case)
    status, answer = post(url, *ALL)
    assert (status, answer) == (200, {"accepted": len(ALL), "duplicates": 0, "refused": 0}), answer
    page = read_page(url)
    assert check_rows(page, "events.py:every_example_reaches_its_series") > 25
    for kind in {e["kind"] for e in ALL}:
        assert find(page, f'events_total{{kind="{kind}"}}') == [sum(e["kind"] == kind for e in ALL)], kind
    # Each object by itself is the same.
    for event in ALL:
        assert post(url, event)[0] == 200, event
    text = get(url + "/metrics")[2]
    checked = subprocess.run([need("promtool"), "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stdout + checked.stderr, checked.stdout + checked.stderr
    for private in ("a-17", "t-4", "order-batch", "ci.example"):
        assert private not in text, private


def deployments_reach_their_series(case):
    url, _ = start(case)
    assert post(url, *ALL)[0] == 200
    assert check_rows(read_page(url), "events.py:deployments_reach_their_series") > 15


def mark(*arguments):
    done = subprocess.run([BIN / "skep", "deploy", "mark", *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def a_new_version_takes_the_place_of_the_old(case):
    config = "ingest: {events: {deployment_windows: [{days: [sun, mon, tue, wed, thu, fri, sat], to: \"00:01\"}]}}\n"
    url, _ = start(case, config)
    flags = ["--exporter", url, "--service", "shop"]
    assert mark(*flags, "--version", "1.9.0", "--time", "1700000000") == (0, "marked shop 1.9.0\n", "")
    assert value(url, 'deployment_info{service="shop",version="1.9.0",strategy="unknown"}') == 1
    assert value(url, 'deployment_timestamp_seconds{service="shop"}') == 1700000000
    assert mark(*flags, "--version", "2.0.0", "--strategy", "canary", "--commit", "4f2a9c1", "--url", "https://ci.example/7",
                "--duration", "90s", "--id", "job-7")[0] == 0
    page = read_page(url)
    assert find(page, 'deployment_info{version="1.9.0"}') == []
    assert find(page, 'deployment_info{commit="4f2a9c1"}') == [1]
    assert check_rows(page, "events.py:a_new_version_takes_the_place_of_the_old") == 1
    assert find(page, 'deployment_outside_window_total{service="shop"}')
    # The same job again counts once; what is wrong is said with its field and ends with 1.
    status, _, err = mark(*flags, "--version", "2.0.0", "--id", "job-7")
    assert (status, err) == (0, "skep: counted before, not again\n")
    assert value(url, 'deployments_total{service="shop",outcome="success"}') == 2
    status, _, err = mark(*flags, "--version", "a\nb")
    assert status == 1 and "refused: version: expected a text" in err, err
    status, _, err = mark(*flags, "--version", "1", "--outcome", "fine")
    assert status == 1 and "--outcome" in err, err
    status, _, err = mark("--exporter", "http://127.0.0.1:1", "--service", "shop", "--version", "1")
    assert status == 1 and "http://127.0.0.1:1" in err, err
    history = json.loads(get(url + "/v1/deployments")[2])["deployments"]
    assert [d["version"] for d in history] == ["2.0.0", "1.9.0"]
    assert history[0]["url"] == "https://ci.example/7" and history[0]["rollback_version"] == "1.9.0"


def browsers_send_beacons(case):
    body = json.dumps([e for e in ALL if e["kind"] == "page"][0]).encode()
    url, program = start(case)
    assert get(url + "/v1/beacons", headers={"Origin": "https://app.example"}, data=body, method="POST")[0] == 404
    program.stop()
    url, _ = start(case, "ingest: {beacons: {origins: [\"https://app.example\"]}}\n")
    beacon = {"Origin": "https://app.example", "Content-Type": "text/plain;charset=UTF-8"}
    status, headers, text = get(url + "/v1/beacons", headers=beacon, data=body, method="POST")
    assert (status, text) == (204, "") and headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert get(url + "/v1/beacons", headers={**beacon, "Origin": "https://evil.example"}, data=body, method="POST")[0] == 403
    assert get(url + "/v1/beacons", headers=beacon, data=b'{"kind":"signup"}', method="POST")[0] == 400
    assert get(url + "/v1/beacons", headers={**beacon, "Access-Control-Request-Method": "POST"}, method="OPTIONS")[0] == 204
    page = read_page(url)
    assert check_rows(page, "events.py:browsers_send_beacons") == 1
    assert find(page, 'rum_largest_contentful_paint_seconds_bucket{page_group="checkout",le="2.5"}') == [1]


def the_example_page_sends_what_is_taken(case):
    """The script of rum.html, run by Node with a browser's interfaces faked, sends one beacon that the exporter takes."""
    script = (EXAMPLES / "rum.html").read_text().split("<script>")[1].split("</script>")[0]
    fake = """
      const entries = {
        "largest-contentful-paint": [{ startTime: 1500 }, { startTime: 2200 }],
        "paint": [{ name: "first-paint", startTime: 900 }, { name: "first-contentful-paint", startTime: 1100 }],
        "first-input": [{ startTime: 3000, processingStart: 3030 }],
        "event": [{ duration: 160 }, { duration: 48 }],
        "layout-shift": [{ value: 0.03 }, { value: 0.5, hadRecentInput: true }, { value: 0.01 }],
        "navigation": [{ responseStart: 300, loadEventEnd: 1900 }],
      };
      globalThis.PerformanceObserver = class {
        static supportedEntryTypes = Object.keys(entries);
        constructor(take) { this.take = take; }
        observe({ type }) { this.take({ getEntries: () => entries[type] }); }
      };
      const listeners = {};
      globalThis.addEventListener = (type, take) => { listeners[type] = take; };
      globalThis.document = { visibilityState: "hidden" };
      Object.defineProperty(globalThis, "navigator", { value: { sendBeacon: (url, body) => { console.log(body); return true; } } });
    """
    done = subprocess.run([need("node"), "-e", fake + script + "listeners.error(); listeners.visibilitychange(); "
                           "listeners.visibilitychange();"], capture_output=True, text=True, timeout=60)
    assert len(done.stdout.splitlines()) == 1, (done.stdout, done.stderr)
    beacon = json.loads(done.stdout)
    SCHEMA.validate(beacon)
    assert beacon["largest_contentful_paint_seconds"] == 2.2 and beacon["js_errors"] == 1
    assert abs(beacon["cumulative_layout_shift"] - 0.04) < 1e-9 and beacon["interaction_to_next_paint_seconds"] == 0.16
    url, _ = start(case, "ingest: {beacons: {origins: [\"https://app.example\"]}}\n")
    headers = {"Origin": "https://app.example", "Content-Type": "text/plain"}
    assert get(url + "/v1/beacons", headers=headers, data=json.dumps(beacon).encode(), method="POST")[0] == 204


# Values of every type, some of them right somewhere.
VALUES = [None, True, False, 0, 1, -1, 0.5, 1.5, 100, 404, 599, 601, 1e9, 1e10, 1e300, 1e301, 4e9, 4e9 + 1, "", "a", "a b", "x" * 128,
          "x" * 129, "ä" * 128, "x" * 257, "x" * 2049, "tab\there", "\x7f", "2025-11-20T09:00:00Z", "2025-11-20T09:00:00.5+01:00",
          "2025-13-20T09:00:00Z", "2025-11-20", "2025-11-20T09:00:00", "2025-11-20t09:00:00z", "success", "open", "counter", "gauge",
          "a_total", "a_ms", "a_count", "a:b", "1a", [], ["a"], ["a", "b"], [1], [1, 2], [""], ["a"] * 17, {}, {"a": "b"}, {"a": 1},
          {"le": "1"}, {"user_id": "1"}, {"a-b": "1"}, {c: "1" for c in "abcdefghi"}, {"": "x"}, {"a": ""}]


def mutations(event):
    """The event with one field gone, wrong, or more."""
    kind = next(k for k in SCHEMA.schema["oneOf"] if k["title"] == event["kind"])
    for field in list(event):
        yield {k: v for k, v in event.items() if k != field}
    for field in list(kind["properties"]) + ["nonsense"]:
        for new in VALUES:
            if field == "time" and new == 4e9:
                continue  # right by the schema, and too far ahead for the server
            changed = copy.deepcopy(event)
            changed[field] = new
            yield changed


def the_schema_and_the_server_agree(case):
    """What the published schema takes the server takes, and what it refuses the server refuses."""
    url, _ = start(case, "ingest: {max_body: 64MiB}\n")
    assert get(url + "/v1/events/schema.json")[2] == (ROOT / "deploy/schemas/events.schema.json").read_text()
    for event in ALL:
        SCHEMA.validate(event)
    by_kind = {e["kind"]: e for e in ALL}
    by_kind["measure"] = next(e for e in ALL if e["kind"] == "measure" and e["type"] == "histogram")
    subschemas = {k["title"]: jsonschema.Draft202012Validator(k) for k in SCHEMA.schema["oneOf"]}
    compared = {True: 0, False: 0}
    for kind, event in by_kind.items():
        tried = list(mutations(event))
        random.Random(kind).shuffle(tried)
        tried = tried[:400]
        right = [m.get("kind") == kind and subschemas[kind].is_valid(m) for m in tried]
        if kind == "measure":
            # One name has one type: each event gets a name of its own where its name is not what was changed.
            for i, m in enumerate(tried):
                if m.get("name") == event["name"]:
                    m["name"] = f"m{i}_seconds_total" if m.get("type") == "counter" else f"m{i}_seconds"
            right = [subschemas[kind].is_valid(m) for m in tried]
        for m, is_right in zip(tried, right):
            status, answer = post(url, m)
            if answer.get("errors", [{}])[0].get("message", "").startswith("there are 200 measures"):
                continue
            assert (status == 200) == is_right, (is_right, m, answer)
            compared[is_right] += 1
    assert compared[True] > 1000 and compared[False] > 5000, compared


def the_examples_run(case):
    url, _ = start(case)
    environment = {**os.environ, "SKEP_EVENTS": url + "/v1/events"}

    def run(*argv, status=0):
        done = subprocess.run([str(a) for a in argv], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, (argv, done.stdout, done.stderr)
        return done.stdout + done.stderr

    run("sh", EXAMPLES / "curl.sh")
    assert value(url, 'business_funnel_step_total{funnel="signup",step="2"}') == 44
    run("sh", EXAMPLES / "backup.sh", "db", "true")
    assert value(url, 'backups_total{backup="db",outcome="success"}') == 1
    run("sh", EXAMPLES / "backup.sh", "files", "sh", "-c", "exit 7", status=7)
    assert value(url, 'backups_total{backup="files",outcome="failure"}') == 1
    run(need("node"), EXAMPLES / "events.mjs")
    assert value(url, 'basket_items_total{shop="eu"}') == 3
    run("python3", EXAMPLES / "events.py")
    assert value(url, "customer_satisfaction_score") == 4.3
    assert value(url, 'swarm_tasks_finished_total{task_type="review",outcome="completed"}') == 1
    refused = run("python3", "-c", f"import sys; sys.path.insert(0, {str(EXAMPLES)!r})\nimport events\n"
                  "try: events.send(events.event('signup'), events.event('nope'))\nexcept ValueError as e: print(e)")
    assert "unknown kind" in refused, refused


def what_was_accepted_survives_kill_9(case):
    url, program = start(case)
    counted = 0
    for round_number in range(8):
        batch = [{"kind": "signup", "id": f"{round_number}-{i}"} for i in range(50)]
        status, answer = post(url, *batch)
        assert (status, answer["accepted"]) == (200, 50)
        counted += 50
        program.signal(signal.SIGKILL)
        program.wait()
        url, program = start(case)
        assert value(url, "user_signups_total") == counted
        assert post(url, *batch)[1] == {"accepted": 0, "duplicates": 50, "refused": 0}
    assert value(url, "user_signups_total") == counted
    assert value(url, "skep_exporter_event_ids") == counted


def bodies_come_in_chunks_and_pressed(case):
    url, _ = start(case)
    lines = b"".join(b'{"kind":"signup","count":2}\n' for _ in range(1000))
    connection = http.client.HTTPConnection(host(url))
    connection.request("POST", "/v1/events", body=(lines[i:i + 700] for i in range(0, len(lines), 700)), encode_chunked=True,
                       headers={"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"})
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["accepted"]) == (200, 1000)
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    status, _, text = get(url + "/v1/events", headers=headers, data=gzip.compress(lines), method="POST")
    assert (status, json.loads(text)["accepted"]) == (200, 1000)
    assert value(url, "user_signups_total") == 4000
    # What swells beyond the bound is refused, and the exporter goes on.
    status, _, _ = get(url + "/v1/events", headers=headers, data=gzip.compress(b" " * (64 << 20)), method="POST")
    assert status == 413, status
    assert get(url + "/v1/events", headers=headers, data=b"no gzip", method="POST")[0] == 400
    assert value(url, "user_signups_total") == 4000


def good_lines_beside_bad_ones(case):
    url, _ = start(case)
    status, answer = post(url, {"kind": "signup"}, "nonsense", {"kind": "signup", "count": 0}, {"kind": "signup"})
    assert status == 207 and answer["accepted"] == 2 and answer["refused"] == 2
    assert [(e["line"], e["field"]) for e in answer["errors"]] == [(2, ""), (3, "count")]
    assert value(url, "user_signups_total") == 2
    assert value(url, 'skep_exporter_events_refused_total{reason="json"}') == 1
    assert post(url, "nonsense")[0] == 400
    assert post(url, {"kind": "signup"}, **{"Content-Type": "application/x-www-form-urlencoded"})[0] == 415
    assert post(url, {"kind": "signup"}, Origin="https://evil.example")[0] == 403
    wait_for("the bad ones are logged without what they said", lambda: "events were refused" in case.programs[-1].text())
    assert "nonsense" not in case.programs[-1].text()


if __name__ == "__main__":
    main(every_example_reaches_its_series, deployments_reach_their_series, a_new_version_takes_the_place_of_the_old,
         browsers_send_beacons, the_example_page_sends_what_is_taken, the_schema_and_the_server_agree, the_examples_run,
         what_was_accepted_survives_kill_9, bodies_come_in_chunks_and_pressed, good_lines_beside_bad_ones)
