#!/usr/bin/env python3
"""From a real CPU hog to a webhook and an Alertmanager, and back to calm."""
import os
import subprocess
import sys

from harness import Webhook, get_json, host, main, wait_for

HOG = "while True: pass"

RULES = """
groups:
  - name: hog
    interval: 1s
    rules:
      - record: cpu_used_ratio
        expr: 1 - avg without (cpu, mode) (rate(node_cpu_seconds_total{mode="idle"}[4s]))
      - alert: CpuHog
        expr: cpu_used_ratio > 0.30
        for: 2s
        labels: {severity: warning}
        annotations:
          summary: "CPU of {{ $labels.job }} at {{ $value | humanizePercentage }}"
      - record: cpu_idle_cores
        expr: sum without (cpu) (rate(node_cpu_seconds_total{mode="idle"}[4s]))
"""


def hog_is_told_and_resolved(case):
    webhook = Webhook(case)
    am_hook = Webhook(case)
    am_url, _ = case.alertmanager(f"""
route: {{receiver: hook, group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: '{am_hook.url}/from-alertmanager'}}]
""")
    exporter, _ = case.exporter()
    case.write("rules/hog.yml", RULES)
    case.write("notify.yml", f"""
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs: [{{url: '{webhook.url}/hook', send_resolved: true}}]
""")
    url, _ = case.evaluator(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{site: test}}}}
scrape_configs:
  - job_name: host
    static_configs: [{{targets: ['{host(exporter)}']}}]
rule_files: [rules/*.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ['{host(am_url)}']}}]}}]
notifications: notify.yml
""")
    # The hog wants as much of the machine as crosses the threshold of 30 %, whatever else runs on it.
    hogs = [subprocess.Popen([sys.executable, "-c", HOG]) for _ in range(os.cpu_count())]
    try:
        wait_for("the alert fires", lambda: [a for a in get_json(url + "/api/v1/alerts")["alerts"] if a["state"] == "firing"])
        wait_for("the webhook is told", lambda: webhook.payloads("firing"))
        wait_for("Alertmanager is told, and tells", lambda: am_hook.payloads("firing"))
    finally:
        for h in hogs:
            h.kill()
            h.wait()

    first = webhook.payloads("firing")[0]
    assert first["version"] == "4" and first["receiver"] == "hook", first
    assert first["groupLabels"] == {"alertname": "CpuHog"}, first
    assert first["groupKey"] == '{}:{alertname="CpuHog"}', first
    [alert] = first["alerts"]
    assert alert["labels"] == {"alertname": "CpuHog", "instance": host(exporter), "job": "host", "severity": "warning",
                               "site": "test"}, alert
    assert alert["annotations"]["summary"].startswith("CPU of host at "), alert
    assert alert["endsAt"] == "0001-01-01T00:00:00Z", alert
    assert alert["generatorURL"].startswith("http"), alert
    [am_alert] = am_hook.payloads("firing")[0]["alerts"]
    assert am_alert["labels"] == alert["labels"], (am_alert, alert)
    assert am_alert["fingerprint"] == alert["fingerprint"], (am_alert, alert)

    if busy_machine(url):
        print("     something else keeps this machine busy: the end of the alert is not waited for")
        return
    wait_for("the webhook hears that it is over", lambda: webhook.payloads("resolved"))
    wait_for("so does Alertmanager's", lambda: am_hook.payloads("resolved"))
    over = webhook.payloads("resolved")[0]["alerts"][0]
    assert over["endsAt"] > over["startsAt"], over
    keys = [h.get("Idempotency-Key") for _, h, _, _ in webhook.received]
    assert all(keys) and len(set(keys)) == len(keys), keys


def busy_machine(url):
    """Whether the CPU stays over the threshold without our hogs: 10 s of the recorded ratio."""
    def settled():
        result = get_json(url + "/api/v1/query", query="max_over_time(cpu_used_ratio[4s]) < 0.30")["result"]
        return bool(result)
    try:
        wait_for("calm", settled, deadline=30)
        return False
    except AssertionError:
        return True


def a_failing_webhook_is_tried_again_with_the_same_key(case):
    webhook = Webhook(case)
    webhook.answers = [500, 503]
    case.write("always.yml", """
groups:
  - name: always
    interval: 1s
    rules: [{alert: Always, expr: 'vector(1)'}]
""")
    case.write("notify.yml", f"""
route: {{receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: '{webhook.url}/x'}}]}}]
""")
    case.evaluator("rule_files: [always.yml]\nnotifications: notify.yml\n")
    wait_for("three tries", lambda: len(webhook.received) >= 3)
    tries = webhook.received[:3]
    assert [s for _, _, _, s in tries] == [500, 503, 200], tries
    assert len({h["Idempotency-Key"] for _, h, _, _ in tries}) == 1, tries


if __name__ == "__main__":
    main(hog_is_told_and_resolved, a_failing_webhook_is_tried_again_with_the_same_key)
