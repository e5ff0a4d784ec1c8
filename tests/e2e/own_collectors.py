#!/usr/bin/env python3
"""The collectors that node_exporter lacks, in the whole program: process groups from the configuration file, control groups,
and text files that come and go."""
import os
import re
import shutil

from harness import BIN, get, main, wait_for


def sample(url, series):
    """The value of the series whose name and labels stand so on the page, or None."""
    match = re.search(r"^" + re.escape(series) + r" (\S+)$", get(url + "/metrics")[2], re.MULTILINE)
    return float(match.group(1)) if match else None


def process_groups_follow_their_processes(case):
    worker = os.path.join(case.folder, "skepworker")
    shutil.copy("/bin/sh", worker)
    config = case.write("exporter.yml", """collectors:
  process_group:
    groups:
      - {name: workers, comm: skepworker}
      - {name: nobody, comm: no-such-name}
""")
    busy = "i=0; while :; do i=$((i+1)); done"
    first = case.start("first", worker, "-c", busy)
    url, _ = case.exporter(f"--config.file={config}")
    wait_for("the first is seen", lambda: sample(url, 'process_group_processes{group="workers"}') == 1)
    assert sample(url, 'process_group_starts_total{group="workers"}') == 0
    assert sample(url, 'process_group_processes{group="nobody"}') == 0
    assert sample(url, 'process_group_open_fds{group="workers"}') >= 3
    assert 0 < sample(url, 'process_group_open_fds_ratio_max{group="workers"}') < 1
    assert sample(url, 'process_group_resident_memory_bytes{group="workers"}') > 100_000
    cpu = 'process_group_cpu_seconds_total{group="workers",mode="user"}'
    before = sample(url, cpu)
    wait_for("its processor time grows", lambda: sample(url, cpu) > before + 0.1)
    first.stop()
    wait_for("it is gone", lambda: sample(url, 'process_group_processes{group="workers"}') == 0)
    assert sample(url, cpu) > before
    case.start("second", worker, "-c", busy)
    wait_for("the start is counted", lambda: sample(url, 'process_group_starts_total{group="workers"}') == 1)
    assert sample(url, 'node_scrape_collector_success{collector="process_group"}') == 1


def a_bad_group_is_refused_with_its_line(case):
    config = case.write("exporter.yml", """collectors:
  process_group:
    groups:
      - name: workers
        comm: "("
""")
    program = case.start("refused", BIN / "skep-exporter", f"--config.file={config}", "--config.check")
    assert program.wait() == 1
    assert "exporter.yml:5:" in program.text(), program.text()


def control_groups_stand_by_their_path(case):
    root = os.path.join(case.folder, "cgroup")
    for name, text in {"cgroup.controllers": "memory\n", "a.slice/memory.current": "50\n", "a.slice/memory.max": "200\n",
                       "a.slice/b.service/memory.current": "7\n", "a.slice/b.service/memory.max": "max\n"}.items():
        case.write("cgroup/" + name, text)
    url, _ = case.exporter(f"--collector.cgroup.root={root}", "--collector.cgroup.max-depth=1")
    assert sample(url, 'cgroup_memory_used_ratio{cgroup="/a.slice"}') == 0.25
    assert sample(url, 'cgroup_memory_usage_bytes{cgroup="/a.slice/b.service"}') is None
    assert sample(url, 'cgroup_groups_skipped{reason="depth"}') == 1
    deeper, _ = case.exporter(f"--collector.cgroup.root={root}")
    assert sample(deeper, 'cgroup_memory_usage_bytes{cgroup="/a.slice/b.service"}') == 7
    assert sample(deeper, 'cgroup_memory_used_ratio{cgroup="/a.slice/b.service"}') is None


def text_files_come_and_go(case):
    os.mkdir(os.path.join(case.folder, "text"))
    url, _ = case.exporter(f"--collector.textfile.directory={case.folder}/text")
    assert sample(url, "node_textfile_scrape_error") == 0
    case.write("text/backup.prom", "backup_last_success_timestamp_seconds 1.5e9\n")
    case.write("text/bad.prom", "nonsense\n")
    assert sample(url, "backup_last_success_timestamp_seconds") == 1.5e9
    assert sample(url, "node_textfile_scrape_error") == 1
    os.remove(os.path.join(case.folder, "text/bad.prom"))
    case.write("text/backup.prom", "backup_last_success_timestamp_seconds 1.6e9\n")
    assert sample(url, "backup_last_success_timestamp_seconds") == 1.6e9
    assert sample(url, "node_textfile_scrape_error") == 0


def an_exporter_that_asks_nobody_has_no_http_client_in_memory(case):
    def maps(program):
        with open(f"/proc/{program.process.pid}/maps", encoding="utf-8") as file:
            return file.read()

    url, program = case.exporter()
    get(url + "/metrics")
    assert "libcivetweb" in maps(program)
    assert "libcurl" not in maps(program)
    config = case.write("exporter.yml", f'swarm:\n  mcp: [{{name: self, url: "{url}"}}]\n')
    _, asking = case.exporter(f"--config.file={config}")
    wait_for("who asks has it", lambda: "libcurl" in maps(asking))


if __name__ == "__main__":
    main(process_groups_follow_their_processes, a_bad_group_is_refused_with_its_line, control_groups_stand_by_their_path,
         text_files_come_and_go, an_exporter_that_asks_nobody_has_no_http_client_in_memory)
