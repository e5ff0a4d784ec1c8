#!/usr/bin/env python3
"""Real targets from Debian, and targets that behave badly: hang, send garbage, send 100 MB, vanish."""
import time

from harness import answer, free_port, get_json, host, main, need, wait_for


def health(url):
    return {t["labels"]["job"]: t for t in get_json(url + "/api/v1/targets")["activeTargets"]}


def real_programs_are_scraped(case):
    node = f"127.0.0.1:{free_port()}"
    case.start("node", need("prometheus-node-exporter"), f"--web.listen-address={node}", ready=f"http://{node}/")
    victoria = f"127.0.0.1:{free_port()}"
    case.start("victoria", need("victoria-metrics"), f"-httpListenAddr={victoria}", f"-storageDataPath={case.folder}/vm",
               ready=f"http://{victoria}/health")
    prometheus, _ = case.prometheus("scrape_configs: []\n")
    alertmanager, _ = case.alertmanager("route: {receiver: none}\nreceivers: [{name: none}]\n")
    exporter, _ = case.exporter()
    jobs = {"node": node, "victoria": victoria, "prometheus": host(prometheus), "alertmanager": host(alertmanager),
            "skep": host(exporter)}
    config = "global: {scrape_interval: 1s}\nscrape_configs:\n" + "".join(
        f"  - {{job_name: {j}, static_configs: [{{targets: ['{a}']}}]}}\n" for j, a in jobs.items())
    url, _ = case.evaluator(config)
    wait_for("all are up", lambda: len(get_json(url + "/api/v1/query", query="up == 1")["result"]) == len(jobs))
    for job, names in {"node": ["node_cpu_seconds_total", "go_goroutines"], "victoria": ["vm_rows", "process_start_time_seconds"],
                       "prometheus": ["prometheus_build_info"], "alertmanager": ["alertmanager_build_info"],
                       "skep": ["node_cpu_seconds_total"]}.items():
        for name in names:
            assert get_json(url + "/api/v1/query", query=f'{name}{{job="{job}"}}')["result"], (job, name)
        [scraped] = get_json(url + "/api/v1/query", query=f'scrape_samples_scraped{{job="{job}"}}')["result"]
        assert float(scraped["value"][1]) > 50, scraped
    metadata = get_json(url + "/api/v1/metadata", metric="node_cpu_seconds_total")
    assert metadata["node_cpu_seconds_total"][0]["type"] == "counter", metadata


def prometheus_scrapes_both_of_us(case):
    exporter, _ = case.exporter()
    evaluator, _ = case.evaluator("scrape_configs: []\n")
    url, _ = case.prometheus(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: skep
    static_configs: [{{targets: ['{host(exporter)}', '{host(evaluator)}']}}]
""")
    wait_for("Prometheus sees both up", lambda: len(get_json(url + "/api/v1/query", query="up == 1")["result"]) == 2)
    for name in ("node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "skep_exporter_build_info",
                 "skep_evaluator_build_info", "process_cpu_seconds_total"):
        assert get_json(url + "/api/v1/query", query=name)["result"], name


def bad_targets_hurt_nobody(case):
    good = case.serve(lambda r: answer(r, 200, "good 1\n"))
    garbage = case.serve(lambda r: answer(r, 200, "good 1\nthis is { not a page\n"))
    binary = case.serve(lambda r: answer(r, 200, bytes(range(256)) * 100))
    failing = case.serve(lambda r: answer(r, 500, "no"))

    def hang(request):
        time.sleep(30)

    def huge(request):
        request.send_response(200)
        request.send_header("Content-Type", "text/plain; version=0.0.4")
        request.end_headers()
        line = b"".join(b'huge{n="%d"} 1\n' % i for i in range(10_000))
        try:
            for _ in range(100 * 2**20 // len(line)):
                request.wfile.write(line)
        except OSError:
            pass  # the scraper has had enough
        request.close_connection = True

    state = {"here": True}

    def vanishing(request):
        if state["here"]:
            answer(request, 200, "vanishing 1\nstays 2\n")
        else:
            answer(request, 200, "stays 2\n")

    hanging, big, fickle = case.serve(hang), case.serve(huge), case.serve(vanishing)
    gone = f"127.0.0.1:{free_port()}"
    jobs = {"good": host(good), "garbage": host(garbage), "binary": host(binary), "failing": host(failing),
            "hanging": host(hanging), "big": host(big), "fickle": host(fickle), "gone": gone}
    config = "global: {scrape_interval: 1s, scrape_timeout: 1s, body_size_limit: 5MB}\nscrape_configs:\n" + "".join(
        f"  - {{job_name: {j}, static_configs: [{{targets: ['{a}']}}]}}\n" for j, a in jobs.items())
    url, program = case.evaluator(config)

    wait_for("each has been tried", lambda: all(t["health"] != "unknown" for t in health(url).values()))
    up = {j for j, t in health(url).items() if t["health"] == "up"}
    assert up == {"good", "fickle"}, {j: t["lastError"] for j, t in health(url).items()}
    errors = {j: t["lastError"] for j, t in health(url).items()}
    assert "line 2" in errors["garbage"] or ":2" in errors["garbage"], errors
    assert "500" in errors["failing"], errors
    assert "5" in errors["big"] and "limit" in errors["big"] or "larger" in errors["big"], errors
    assert errors["hanging"] and errors["gone"] and errors["binary"], errors
    # The good line of the bad page must not have been stored.
    assert not get_json(url + "/api/v1/query", query='good{job="garbage"}')["result"]
    down = get_json(url + "/api/v1/query", query="up == 0")["result"]
    assert len(down) == 6, down

    wait_for("both series are there", lambda: len(get_json(url + "/api/v1/query", query='{job="fickle",__name__=~"vanishing|stays"}')["result"]) == 2)
    state["here"] = False
    # Stale at the next scrape, not after the five minutes of lookback.
    wait_for("the series is gone", lambda: not get_json(url + "/api/v1/query", query="vanishing")["result"])
    assert get_json(url + "/api/v1/query", query="stays")["result"]
    kib = int([l for l in open(f"/proc/{program.process.pid}/status") if l.startswith("VmHWM")][0].split()[1])
    assert kib < 200 * 1024, f"peak memory {kib} KiB after a page of 100 MB"


if __name__ == "__main__":
    main(real_programs_are_scraped, prometheus_scrapes_both_of_us, bad_targets_hurt_nobody)
