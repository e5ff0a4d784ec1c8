#!/usr/bin/env python3
"""Every query of the shipped dashboards returns data, asked as Grafana asks: of an evaluator that has scraped real programs."""
import json
import re
import subprocess

from feed import World
from harness import BIN, ROOT, free_port, get, get_json, host, main, need, wait_for

# What a machine may lack: then node_exporter has none of it either, and a panel may be empty.
MAY_BE_ABSENT = ("node_pressure_", "node_disk_", "node_vmstat_", "node_filefd_", "node_netstat_", "node_sockstat_",
                 "node_filesystem_", "node_network_")


def targets(panels):
    for panel in panels:
        yield from targets(panel.get("panels", []))
        for target in panel.get("targets", []):
            yield panel["title"], target


def filled_in(text, values):
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value).replace(f"${name}", value)
    return text


def metric_names(expression):
    without_strings = re.sub(r'"[^"]*"', '""', expression)
    return re.findall(r"\b(?:node|skep|process|scrape)_\w+|\bup\b", without_strings)


def targets_of(board):
    return [(title, target) for title, target in targets(board["panels"])]


def check_board(path, ask, may_be_empty):
    """Asks every variable and query of one dashboard; returns how many were asked and how many a machine has no source for."""
    board = json.loads(path.read_text())
    assert board["id"] is None and board["schemaVersion"] and board["tags"], path
    assert board["templating"]["list"][0]["type"] == "datasource", path
    values = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h", "datasource": "x"}
    problems, empty = [], 0
    for variable in board["templating"]["list"][1:]:
        definition = filled_in(variable["query"]["query"], values)
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", definition)
        series = ask("/api/v1/series", match=found[1])
        if not series:
            problems.append(f"{path.name}: variable {variable['name']}: {definition} has no values")
        values[variable["name"]] = "|".join(sorted({s[found[2]] for s in series if found[2] in s}))
    asked = targets_of(board)
    for title, target in asked:
        assert target["datasource"]["uid"] == "$datasource", (path.name, title)
        query = filled_in(target["expr"], values)
        if ask("/api/v1/query", query=query)["result"]:
            continue
        reason = may_be_empty(query)
        if reason:
            empty += 1
            print(f"     {path.name}: {title}: {reason}")
        else:
            problems.append(f"{path.name}: {title}: no data: {query}")
    return len(asked), empty, problems


def check_boards(boards, ask, may_be_empty=lambda query: None):
    asked = empty = 0
    problems = []
    for path in boards:
        one_asked, one_empty, one_problems = check_board(path, ask, may_be_empty)
        asked, empty, problems = asked + one_asked, empty + one_empty, problems + one_problems
    assert not problems, "\n".join(problems)
    assert asked > 10 * len(boards) and empty < asked / 4, (asked, empty)
    print(f"     {asked} queries of {len(boards)} dashboards, {empty} without a source on this machine")


BOARDS = sorted((ROOT / "dashboards").glob("*.json"))
OF_THE_MACHINE = [b for b in BOARDS if b.name in ("host.json", "skep.json")]
OF_SWARMS = [b for b in BOARDS if b not in OF_THE_MACHINE]


def each_dashboard_has_a_uid_of_its_own(case):
    assert len({json.loads(b.read_text())["uid"] for b in BOARDS}) == len(BOARDS)


def host_and_skep_have_data(case):
    exporter, _ = case.exporter()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    config = case.write("skep.yml", f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - {{job_name: node, static_configs: [{{targets: ['{host(exporter)}']}}]}}
  - {{job_name: skep, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}
rule_files: ['{ROOT}/rules/*.yml']
""")
    case.start("evaluator", BIN / "skep-evaluator", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
               *case.own_store(port), ready=url + "/-/ready")
    wait_for("both are up", lambda: len(get_json(url + "/api/v1/query", query="up == 1")["result"]) == 2)
    get_json(url + "/api/v1/query", query="up")  # so that the API has a latency
    wait_for("rates have two samples, a minute's window", lambda: get_json(
        url + "/api/v1/query", query="rate(skep_evaluator_http_requests_total[1m]) > 0 and count_over_time(up[1m]) > 4 or vector(0)")["result"]
        and get_json(url + "/api/v1/query", query="min(count_over_time(up[1m])) > 4")["result"])
    page = get(exporter + "/metrics")[2]

    def machine_lacks(query):
        absent = [n for n in metric_names(query) if n.startswith(MAY_BE_ABSENT) and f"\n{n}" not in page]
        return f"this machine has no {absent[0]}" if absent else None

    check_boards(OF_THE_MACHINE, lambda path, **parameters: get_json(url + path, **parameters), machine_lacks)


def swarms_services_costs_and_deployments_have_data(case):
    """The same answers from skep-evaluator and from a Prometheus that scrapes the same exporter."""
    world = World(case.folder)
    exporter, _ = case.exporter(f"--config.file={case.write('exporter.yml', world.configuration())}")
    scrape = f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs: [{{job_name: swarm, static_configs: [{{targets: ['{host(exporter)}']}}]}}]
"""
    asking = [case.evaluator(scrape + f"rule_files: ['{ROOT}/rules/*.yml']\n")[0], case.prometheus(scrape)[0]]

    def value(url, query):
        found = get_json(url + "/api/v1/query", query=query)["result"]
        return float(found[0]["value"][1]) if found else 0.0

    world.round(exporter)
    wait_for("the first round is scraped", lambda: all(value(u, "sum(deployments_total)") == 1 and
             value(u, "sum(http_requests_total)") == 20 for u in asking))
    for n in range(2, 6):
        world.round(exporter)
        wait_for(f"round {n} is scraped", lambda: all(
            value(u, "sum(deployments_total)") == n and value(u, "sum(http_requests_total)") == 20 * n and
            value(u, 'sum(swarm_tasks_finished_total{outcome="failed"})') >= n - 2 for u in asking))
    for url in asking:
        check_boards(OF_SWARMS, lambda path, **parameters: get_json(url + path, **parameters))
    page = get(exporter + "/metrics")[2]
    assert "\nswarm_llm_requests_total{" in page and "\nswarm_agents{" in page and "\nhttp_requests_total{" in page
    done = subprocess.run([need("promtool"), "check", "metrics"], input=page, capture_output=True, text=True)
    # What node_exporter's names are found to be is not ours to change.
    findings = [l for l in (done.stdout + done.stderr).splitlines() if l and not l.startswith("node_")]
    assert not findings, "\n".join(findings)


if __name__ == "__main__":
    main(each_dashboard_has_a_uid_of_its_own, host_and_skep_have_data, swarms_services_costs_and_deployments_have_data)
