#!/usr/bin/env python3
"""Reload, good and bad, by signal, by request and by itself; and the end by SIGTERM."""
import signal

from harness import answer, get, get_json, host, main, wait_for

GOOD = "groups: [{name: g, interval: 1s, rules: [{record: r, expr: 'vector(%d)'}]}]\n"


def value(url, query):
    result = get_json(url + "/api/v1/query", query=query)["result"]
    return result and float(result[0]["value"][1])


def own_metric(url, name):
    _, _, page = get(url + "/metrics")
    for line in page.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None


SUCCESSFUL = "skep_evaluator_config_last_reload_successful"


def rules_are_reloaded_all_or_nothing(case):
    case.write("rules/a.yml", GOOD % 1)
    url, program = case.evaluator("rule_files: [rules/*.yml]\n", "--config.auto-reload-interval=0s")
    wait_for("the first rules", lambda: value(url, "r") == 1)

    case.write("rules/a.yml", GOOD % 2)
    program.signal(signal.SIGHUP)
    wait_for("SIGHUP", lambda: value(url, "r") == 2)

    case.write("rules/a.yml", GOOD % 3)
    assert get(url + "/-/reload", method="POST")[0] == 200
    wait_for("/-/reload", lambda: value(url, "r") == 3)

    # One good file changes, another is bad: nothing changes.
    case.write("rules/a.yml", GOOD % 4)
    case.write("rules/b.yml", "groups:\n  - name: b\n    rules:\n      - {record: x, expr: 'sum('}\n")
    status, _, body = get(url + "/-/reload", method="POST")
    assert status == 500 and "b.yml:4" in body, (status, body)
    assert own_metric(url, SUCCESSFUL) == 0
    assert value(url, "r") == 3
    assert "b.yml:4" in program.text(), "the log names file and line"
    [group] = get_json(url + "/api/v1/rules")["groups"]
    assert group["rules"][0]["query"] == "vector(3)", group

    case.write("rules/b.yml", "groups: []\n")
    program.signal(signal.SIGHUP)
    wait_for("the mended file", lambda: value(url, "r") == 4)
    assert own_metric(url, SUCCESSFUL) == 1


def files_are_reread_by_themselves(case):
    case.write("rules/a.yml", GOOD % 1)
    url, program = case.evaluator("rule_files: [rules/*.yml]\n", "--config.auto-reload-interval=1s")
    wait_for("the first rules", lambda: value(url, "r") == 1)
    case.write("rules/a.yml", GOOD % 5)
    wait_for("the changed file", lambda: value(url, "r") == 5)
    case.write("rules/new.yml", "groups: [{name: n, interval: 1s, rules: [{record: s, expr: 'vector(6)'}]}]\n")
    wait_for("the new file", lambda: value(url, "s") == 6)
    case.write("rules/new.yml", "groups: [{name: n, rules: [{record: s, exp: '1'}]}]\n")
    wait_for("the bad file is said", lambda: own_metric(url, SUCCESSFUL) == 0)
    assert value(url, "s") == 6

    # A configuration that names a new, bad file: mending that file alone is enough.
    case.write("more/b.yml", "groups: [{name: b, rules: [{record: t, expr: 'sum('}]}]\n")
    case.write("rules/new.yml", "groups: []\n")
    case.write("skep.yml", "rule_files: [rules/*.yml, more/*.yml]\n")
    wait_for("the new bad file is said", lambda: "b.yml:1" in program.text())
    case.write("more/b.yml", "groups: [{name: b, interval: 1s, rules: [{record: t, expr: 'vector(7)'}]}]\n")
    wait_for("the mended new file", lambda: value(url, "t") == 7)


def scrape_configuration_is_reloaded(case):
    target = case.serve(lambda r: answer(r, 200, "x 1\n"))
    config = "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - {{job_name: {job}, static_configs: [{{targets: ['%s']}}]}}\n" % host(target)
    url, program = case.evaluator(config.format(job="one"), "--config.auto-reload-interval=0s")
    wait_for("the first job", lambda: value(url, 'x{job="one"}') == 1)
    case.write("skep.yml", config.format(job="two"))
    program.signal(signal.SIGHUP)
    wait_for("the second job", lambda: value(url, 'x{job="two"}') == 1)
    wait_for("the first has ended", lambda: not get_json(url + "/api/v1/query", query='x{job="one"}')["result"])

    case.write("skep.yml", config.format(job="three") + "    oops: 1\n")
    status, _, body = get(url + "/-/reload", method="POST")
    assert status == 500 and "skep.yml:4" in body, (status, body)
    assert value(url, 'x{job="two"}') == 1


def unsupported_discovery_is_named_or_left_out(case):
    config = """scrape_configs:
  - job_name: cloud
    ec2_sd_configs: [{region: eu-west-1}]
  - job_name: here
    static_configs: [{targets: ['127.0.0.1:1']}]
"""
    path = case.write("bad.yml", config)
    from harness import BIN, free_port
    port = free_port()
    refused = case.start("refused", BIN / "skep-evaluator", f"--config.file={path}", f"--web.listen-address=127.0.0.1:{port}",
                         *case.own_store(port))
    assert refused.wait() != 0
    assert "bad.yml:3" in refused.text() and "ec2_sd_configs" in refused.text(), refused.text()
    url, program = case.evaluator(config, "--config.ignore-unsupported")
    jobs = {t["scrapePool"] for t in get_json(url + "/api/v1/targets")["activeTargets"]}
    assert jobs == {"here"}, jobs
    assert "ec2_sd_configs" in program.text()
    _, _, page = get(url + "/metrics")
    assert any(l.startswith("skep_evaluator_config_ignored") and l.endswith(" 1") for l in page.splitlines()), "shown as a metric"


def sigterm_ends_both_in_order(case):
    _, exporter = case.exporter()
    _, evaluator = case.evaluator("global: {scrape_interval: 1s}\n")
    for program in (exporter, evaluator):
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, (program.name, program.text())


if __name__ == "__main__":
    main(rules_are_reloaded_all_or_nothing, files_are_reread_by_themselves, scrape_configuration_is_reloaded,
         unsupported_discovery_is_named_or_left_out, sigterm_ends_both_in_order)
