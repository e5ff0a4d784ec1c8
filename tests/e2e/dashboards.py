#!/usr/bin/env python3
"""Every query of the shipped dashboards returns data, asked as Grafana asks: of an evaluator that has scraped real programs."""
import json
import re

from harness import ROOT, get, get_json, host, main, wait_for

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


def every_query_returns_data(case):
    exporter, _ = case.exporter()
    from harness import BIN, free_port
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
               ready=url + "/-/ready")
    wait_for("both are up", lambda: len(get_json(url + "/api/v1/query", query="up == 1")["result"]) == 2)
    get_json(url + "/api/v1/query", query="up")  # so that the API has a latency
    wait_for("rates have two samples, a minute's window", lambda: get_json(
        url + "/api/v1/query", query="rate(skep_evaluator_http_requests_total[1m]) > 0 and count_over_time(up[1m]) > 4 or vector(0)")["result"]
        and get_json(url + "/api/v1/query", query="min(count_over_time(up[1m])) > 4")["result"])
    page = get(exporter + "/metrics")[2]

    asked = empty = 0
    problems = []
    boards = sorted((ROOT / "dashboards").glob("*.json"))
    uids = set()
    for path in boards:
        board = json.loads(path.read_text())
        uids.add(board["uid"])
        assert board["id"] is None and board["schemaVersion"] and board["tags"], path
        assert board["templating"]["list"][0]["type"] == "datasource", path
        values = {"__rate_interval": "1m", "__interval": "15s", "__range": "1h", "datasource": "x"}
        for variable in board["templating"]["list"][1:]:
            definition = filled_in(variable["query"]["query"], values)
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", definition)
            series = get_json(url + "/api/v1/series", match=found[1])
            if not series:
                problems.append(f"{path.name}: variable {variable['name']}: {definition} has no values")
            values[variable["name"]] = "|".join(sorted({s[found[2]] for s in series}))
        for title, target in targets(board["panels"]):
            assert target["datasource"]["uid"] == "$datasource", (path.name, title)
            query = filled_in(target["expr"], values)
            asked += 1
            if get_json(url + "/api/v1/query", query=query)["result"]:
                continue
            absent = [n for n in metric_names(query) if n.startswith(MAY_BE_ABSENT) and f"\n{n}" not in page]
            if absent:
                empty += 1
                print(f"     {path.name}: {title}: this machine has no {absent[0]}")
            else:
                problems.append(f"{path.name}: {title}: no data: {query}")
    assert len(uids) == len(boards), "each dashboard has a uid of its own"
    assert not problems, "\n".join(problems)
    assert asked > 40 and empty < asked / 4, (asked, empty)
    print(f"     {asked} queries of {len(boards)} dashboards, {empty} without a source on this machine")


if __name__ == "__main__":
    main(every_query_returns_data)
