#!/usr/bin/env python3
"""Logs of real servers, followed by the real exporter: nginx that rotates under requests while the exporter is killed, and a
large log that is rotated while it is written at full speed. SKEP_TEST_LONG=1 makes it 5 GB (else 200 MB)."""
import concurrent.futures
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

from harness import free_port, get, main, need, wait_for

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
worker_processes 2;
events {{ worker_connections 256; }}
http {{
  log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time';
  access_log {folder}/access.log timed;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "hello"; }}
    location /broken {{ return 503; }}
    location /secret {{ return 401; }}
  }}
}}
"""

CONFIG = """
logs:
  poll_interval: 100ms
  sources:
    - name: nginx
      service: web
      paths: [{folder}/access.log]
      from_beginning: true
      format: nginx
      log_format: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time'
"""


def samples(url, name, **labels):
    """The sum of the samples of one name whose labels hold these."""
    body = get(url + "/metrics")[2]
    total, found = 0.0, False
    for line in body.splitlines():
        if not re.match(re.escape(name) + r"[{ ]", line):
            continue
        if all(f'{key}="{value}"' in line for key, value in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
            found = True
    return total if found else None


def start(case, config):
    return case.exporter(f"--config.file={config}", f"--state.path={case.folder}/state", "--collector.disable-defaults")


def nginx_rotates_under_requests_and_the_exporter_is_killed(case):
    port = free_port()
    conf = case.write("nginx.conf", NGINX.format(folder=case.folder, port=port))
    config = case.write("exporter.yml", CONFIG.format(folder=case.folder))
    base = f"http://127.0.0.1:{port}"
    nginx = case.start("nginx", need("nginx"), "-e", f"{case.folder}/error.log", "-c", conf, "-p", case.folder)
    sent = {200: 0, 503: 0, 401: 0}

    def request(number):
        path, code = [("/users/%d?token=x" % number, 200), ("/broken", 503), ("/secret", 401)][number % 10 // 8 + (number % 10 == 9)]
        return code if get(base + path)[0] == code else 0

    def send(count):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for code in pool.map(request, range(count)):
                assert code, "nginx answered something else"
                sent[code] += 1

    wait_for("nginx answers", lambda: get(base + "/users/1")[0] == 200)
    wait_for("its line", lambda: (pathlib.Path(case.folder) / "access.log").read_text().endswith("\n"))
    sent[200] += len((pathlib.Path(case.folder) / "access.log").read_text().splitlines())
    url, exporter = start(case, config)
    folder = pathlib.Path(case.folder)
    for turn in range(6):
        send(100)
        if turn % 2 == 0:
            exporter.signal(signal.SIGKILL)
            exporter.wait()
            send(50)
        for i in range(turn, 0, -1):
            (folder / f"access.log.{i}").rename(folder / f"access.log.{i + 1}")
        (folder / "access.log").rename(folder / "access.log.1")
        send(20)  # still into the renamed file
        nginx.signal(signal.SIGUSR1)
        wait_for("nginx reopens", lambda: (folder / "access.log").exists())
        send(50)
        if turn % 2 == 0:
            url, exporter = start(case, config)
    def written(code):
        return sum(path.read_text().count(f'" {code} ') for path in folder.glob("access.log*"))

    for code, count in sent.items():
        wait_for(f"nginx has written {count} lines with {code}", lambda: written(code) == count)
        wait_for(f"{count} requests with {code}",
                 lambda: samples(url, "http_requests_total", service="web", code=code) == count)
    assert samples(url, "http_requests_total", code=200, route="/users/{id}") == sent[200]
    assert samples(url, "http_request_duration_seconds_count") == sum(sent.values())
    assert samples(url, "auth_failures_total", kind="http") == sent[401]
    assert samples(url, "log_lines_total", source="nginx") == sum(sent.values())
    assert samples(url, "log_source_up", source="nginx") == 1
    page = get(url + "/metrics")[2]
    assert "token" not in page, "a query string is on the page"
    check = subprocess.run([need("promtool"), "check", "metrics"], input=page, text=True, capture_output=True)
    assert check.returncode == 0, check.stdout + check.stderr


WRITER = r"""
import glob, os, sys, time
path, total, rotate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
written = number = files = in_file = 0
out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
pad = "x" * 180
while written < total:
    block = "".join("INFO line %d %s\n" % (number + i, pad) for i in range(5000)).encode()
    number += 5000
    os.write(out, block)
    written += len(block)
    in_file += len(block)
    if in_file >= rotate:
        os.close(out)
        for i in range(files, 0, -1):
            if os.path.exists(path + ".%d" % i):
                os.rename(path + ".%d" % i, path + ".%d" % (i + 1))
        os.rename(path, path + ".1")
        files += 1
        out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        while len(glob.glob(path + ".*")) > 3:  # nobody reads so fast: the disk is not to be filled
            time.sleep(0.01)
        in_file = 0
print(number)
"""


def delete_old(url, log, rotate):
    """Deletes rotated files that were read, as logrotate does in time: with less unread than one file holds, all but the
    present one and the last."""
    up, files, unread = (samples(url, name, source="app") for name in ("log_source_up", "log_files", "log_unread_bytes"))
    if up == 1 and files == 1 and unread is not None and unread < rotate:
        for old in log.parent.glob("app.log.*"):
            if int(old.suffix[1:]) >= 3:
                old.unlink(missing_ok=True)
    size = 0
    for file in log.parent.iterdir():
        try:
            size += file.stat().st_size
        except FileNotFoundError:  # renamed meanwhile
            pass
    return size


def a_large_log_is_rotated_while_it_is_written_at_full_speed(case):
    total = 5_000_000_000 if os.environ.get("SKEP_TEST_LONG") == "1" else 200_000_000
    log = pathlib.Path(case.folder) / "logs" / "app.log"
    log.parent.mkdir()
    log.touch()
    config = case.write("exporter.yml", f"logs: {{sources: [{{name: app, paths: [{log}], patterns: none}}]}}")
    url, exporter = start(case, config)
    wait_for("the log is followed", lambda: samples(url, "log_source_up", source="app") == 1)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(log), str(total), str(total // 10)],
                              stdout=subprocess.PIPE, text=True)
    rnd = random.Random(1)
    kills, on_disk, begin = 0, 0, time.monotonic()
    while writer.poll() is None:
        time.sleep(rnd.uniform(0.05, 0.5))
        on_disk = max(on_disk, delete_old(url, log, total // 10))
        exporter.signal(signal.SIGKILL)
        exporter.wait()
        url, exporter = start(case, config)
        kills += 1
    lines = int(writer.communicate()[0])
    wait_for(f"{lines} lines after {kills} kills",
             lambda: samples(url, "log_lines_total", source="app", level="info") == lines, deadline=300)
    took = time.monotonic() - begin
    assert samples(url, "log_unread_bytes", source="app") == 0
    memory = samples(url, "process_resident_memory_bytes")
    print(f"  {total / 1e6:.0f} MB, {lines} lines, {kills} kills, {took:.0f} s, at most {on_disk / 1e6:.0f} MB on disk,"
          f" {memory / 1e6:.0f} MB of memory")


if __name__ == "__main__":
    main(nginx_rotates_under_requests_and_the_exporter_is_killed, a_large_log_is_rotated_while_it_is_written_at_full_speed)
