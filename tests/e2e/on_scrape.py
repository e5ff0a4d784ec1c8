#!/usr/bin/env python3
"""Rule groups that go by scrapes: from the page to the webhook without waiting for an interval, by pushed samples, too; what is
wrong in the configuration is told, and a reload changes it."""
import subprocess
import time

from harness import BIN, Webhook, answer, get, get_json, host, main, wait_for

# The interval has no part in it: a tick within a test would be one in a year.
RULES = """
groups:
  - name: fast
    interval: 365d
    rules:
      - {record: t_seen, expr: t_load}
      - {alert: High, expr: 't_load > 5', labels: {severity: page}}
      - {alert: Gone, expr: 'up{job="t"} == 0'}
      - {alert: Held, expr: 't_load > 5', for: 2s}
  - name: slow
    interval: 365d
    rules: [{alert: Never, expr: t_load > 5}]
"""
NOTIFY = """
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 100ms, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: '{url}/hook'}}]}}]
"""


class Target:
    def __init__(self, case):
        self.load, self.up = 1, True
        self.url = case.serve(self._serve)

    def _serve(self, request):
        if self.up:
            answer(request, 200, f"t_load {self.load}\nt_other 1\n")
        else:
            answer(request, 503, "busy\n")


def configuration(target, on_scrape="[{file: rules.yml, group: fast}]"):
    return f"""
global: {{scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 1h}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: t, static_configs: [{{targets: ['{host(target.url)}']}}]}}]
notifications: notify.yml
rules: {{on_scrape: {on_scrape}}}
"""


def told(webhook, name, status):
    return [a for p in webhook.payloads() for a in p["alerts"] if a["labels"]["alertname"] == name and a["status"] == status]


def group(url, name="fast"):
    [found] = [g for g in get_json(url + "/api/v1/rules")["groups"] if g["name"] == name]
    return found


def prepare(case):
    target, webhook = Target(case), Webhook(case)
    case.write("rules.yml", RULES)
    case.write("notify.yml", NOTIFY.format(url=webhook.url))
    return target, webhook


def a_page_is_told_without_an_interval(case):
    target, webhook = prepare(case)
    url, _ = case.evaluator(configuration(target))
    rounds = wait_for("some rounds", lambda: group(url)["onScrape"]["rounds"]["scrape"] >= 3 and group(url)["onScrape"])
    assert rounds["rounds"]["interval"] == 0 and rounds["minSpacing"] == 0.25, rounds
    assert not told(webhook, "High", "firing"), webhook.payloads()
    target.load = 9
    wait_for("High", lambda: told(webhook, "High", "firing"))
    [held] = [a for a in get_json(url + "/api/v1/alerts")["alerts"] if a["labels"]["alertname"] == "Held"] or [None]
    wait_for("Held, after two seconds", lambda: told(webhook, "Held", "firing"))
    [high] = told(webhook, "High", "firing")
    assert told(webhook, "Held", "firing")[0]["startsAt"] > high["startsAt"], webhook.payloads()
    assert held is None or held["activeAt"] == high["startsAt"], (held, high)
    # The time stamps of the rounds are those of scrapes, a spacing apart.
    seen, scraped = (dict(get_json(url + "/api/v1/query", query=name + "[1m]")["result"][0]["values"]) for name in ("t_seen", "t_load"))
    assert seen and all(scraped[t] == value for t, value in seen.items()), (seen, scraped)
    assert len(seen) < len(scraped), (len(seen), len(scraped))
    target.load = 1
    wait_for("High is over", lambda: told(webhook, "High", "resolved"))
    target.up = False
    wait_for("the target is gone", lambda: told(webhook, "Gone", "firing"))
    assert group(url)["onScrape"]["rounds"]["interval"] == 0, group(url)
    other = group(url, "slow")
    assert "onScrape" not in other and other["lastEvaluation"].startswith("0001"), other
    page = get(url + "/metrics")[2]
    lines = [line for line in page.splitlines() if line.startswith("skep_evaluator_rule_group_rounds_total") and "fast" in line]
    counts = {line.split('cause="')[1].split('"')[0]: float(line.split()[-1]) for line in lines}
    assert counts["interval"] == 0 and counts["scrape"] >= 10, lines
    assert "skep_evaluator_rule_on_scrape_delay_seconds_count" in page


def a_pushed_sample_is_told_as_well(case):
    target, webhook = prepare(case)
    target.up = False
    url, _ = case.evaluator(configuration(target), "--web.enable-import")
    old = int(time.time() * 1000) - 3_600_000
    assert get(url + "/api/v1/import/prometheus", data=f"t_load 9 {old}\n".encode())[0] == 204
    assert get(url + "/api/v1/import/prometheus", data=b"t_load 9\n")[0] == 204
    wait_for("High", lambda: told(webhook, "High", "firing"))


def what_is_wrong_is_told_and_a_reload_changes_it(case):
    target, _ = prepare(case)
    for on_scrape, expected in (("[{file: rules.yml, group: quick}]", '/rules.yml" has no group "quick", but "fast", "slow"'),
                                ("[{file: none.yml, group: fast}]", 'no file of rule_files is "'),
                                ("[{file: rules.yml}]", "field group is required")):
        path = case.write("bad.yml", configuration(target, on_scrape))
        for argv in ([BIN / "skep-evaluator", f"--config.file={path}", "--web.listen-address=127.0.0.1:0",
                      f"--storage.tsdb.path={case.folder}/bad"], [BIN / "skep", "check", "config", path]):
            done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=60)
            said = done.stdout + done.stderr
            assert done.returncode == 1 and "bad.yml:6:" in said, (argv, done.returncode, said)
            assert expected in said or expected.replace('"', '\\"') in said, (argv, said)
    path = case.write("good.yml", configuration(target))
    done = subprocess.run([str(BIN / "skep"), "check", "config", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done

    url, _ = case.evaluator(configuration(target))
    wait_for("rounds", lambda: group(url)["onScrape"]["rounds"]["scrape"] >= 2)
    case.write("skep.yml", configuration(target, "[{file: rules.yml, group: nope}]"))
    status, _, body = get(url + "/-/reload", method="POST")
    assert status == 500 and "nope" in body, (status, body)
    assert group(url)["onScrape"], group(url)
    case.write("skep.yml", configuration(target, "[{file: rules.yml, group: slow, min_spacing: 1s}]"))
    assert get(url + "/-/reload", method="POST")[0] == 200
    assert "onScrape" not in group(url)
    wait_for("the other group goes by scrapes now", lambda: group(url, "slow")["onScrape"]["rounds"]["scrape"] >= 2)
    assert group(url, "slow")["onScrape"]["minSpacing"] == 1, group(url, "slow")


if __name__ == "__main__":
    main(a_page_is_told_without_an_interval, a_pushed_sample_is_told_as_well, what_is_wrong_is_told_and_a_reload_changes_it)
