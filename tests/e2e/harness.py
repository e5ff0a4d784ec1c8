"""What the end-to-end tests share: starting programs on free loopback ports, waiting by polling with a deadline, a webhook
receiver, and targets that behave badly. Python's standard library only."""
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("SKEP_BIN", ROOT / "build/bin"))
DEADLINE = 60.0  # for one wait; generous, since a passing test never waits that long


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def need(program):
    """The path of a program of Debian; its absence is a failure, not a skip: tests/run.sh installs it."""
    path = shutil.which(program)
    if not path:
        sys.exit(f"{program} is not installed: run tests/run.sh")
    return path


def wait_for(what, condition, deadline=DEADLINE):
    """Polls until condition() is true and returns its value; an exception counts as not yet."""
    end = time.monotonic() + deadline
    problem = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
            problem = f"last value {value!r}"
        except Exception as e:  # not there yet
            problem = repr(e)
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what} ({problem})")


def get(url, headers=None, data=None, method=None, timeout=30):
    """(status, headers, body as text) of any answer."""
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode()


def get_json(url, **parameters):
    query = urllib.parse.urlencode([(k.replace("match", "match[]"), v) for k, v in parameters.items()])
    status, _, body = get(url + ("?" + query if query else ""))
    answer = json.loads(body)
    assert status == 200 and answer["status"] == "success", f"{url}: {status} {body[:500]}"
    return answer["data"]


class Program:
    """A program under test; its log is kept and shown when the test fails."""

    def __init__(self, name, argv, folder, environment=None):
        self.name = name
        self.log_path = pathlib.Path(folder) / f"{name}.log"
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen([str(a) for a in argv], stdout=self.log, stderr=subprocess.STDOUT, cwd=folder,
                                        env={**os.environ, **(environment or {})})

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(timeout=DEADLINE)

    def stop(self):
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def text(self):
        return self.log_path.read_text(errors="replace")


class Case:
    """One test: a folder of its own, and all that it started ended at its end. Use as a context manager."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="skep-e2e-")
        self.programs = []
        self.servers = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for program in reversed(self.programs):
            program.stop()
        for server in self.servers:
            server.shutdown()
            server.server_close()
        if kind is not None:
            for program in self.programs:
                print(f"---- log of {program.name}\n{program.text()[-6000:]}", file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)
        return False

    def write(self, name, text):
        path = pathlib.Path(self.folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(path.suffix + ".new")
        temporary.write_text(text)
        temporary.rename(path)
        return path

    def start(self, name, *argv, ready=None, environment=None):
        program = Program(name, argv, self.folder, environment)
        self.programs.append(program)
        if ready:
            def answers():
                if not program.running():
                    raise SystemExit(f"{name} ended:\n{program.text()[-3000:]}")
                return get(ready, timeout=5)[0] == 200
            wait_for(f"{name} answers {ready}", answers)
        return program

    def exporter(self, *arguments):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        program = self.start(f"skep-exporter-{port}", BIN / "skep-exporter", f"--web.listen-address=127.0.0.1:{port}",
                             *arguments, ready=url + "/-/ready")
        return url, program

    def evaluator(self, config, *arguments):
        """config: text of the configuration file."""
        path = self.write("skep.yml", config)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        program = self.start(f"skep-evaluator-{port}", BIN / "skep-evaluator", f"--config.file={path}",
                             f"--web.listen-address=127.0.0.1:{port}", "--web.enable-lifecycle",
                             *self.own_store(port, arguments), *arguments, ready=url + "/-/ready")
        return url, program

    def own_store(self, port, arguments=()):
        """Where an evaluator on this port keeps its samples, unless its arguments say."""
        given = any(str(argument).startswith("--storage.tsdb.path") for argument in arguments)
        return [] if given else [f"--storage.tsdb.path={self.folder}/store-{port}"]

    def prometheus(self, config, *arguments):
        path = self.write("prometheus.yml", config)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        program = self.start(f"prometheus-{port}", need("prometheus"), f"--config.file={path}",
                             f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={self.folder}/prometheus",
                             *arguments, ready=url + "/-/ready")
        return url, program

    def alertmanager(self, config):
        path = self.write("am.yml", config)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        program = self.start(f"alertmanager-{port}", need("prometheus-alertmanager"), f"--config.file={path}",
                             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
                             f"--storage.path={self.folder}/alertmanager", ready=url + "/-/ready")
        return url, program

    def serve(self, handler):
        """An HTTP server on a free port; handler(request) writes the answer. Returns its URL."""

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                handler(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"


class Webhook:
    """Takes notifications and keeps them: list of (path, headers, payload)."""

    def __init__(self, case):
        self.received = []
        self.answers = []  # statuses to give first; then 200
        self.lock = threading.Lock()
        self.url = case.serve(self._handle)

    def _handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        with self.lock:
            status = self.answers.pop(0) if self.answers else 200
            self.received.append((request.path, dict(request.headers), json.loads(body), status))
        answer(request, status, "ok\n")

    def payloads(self, status=None):
        with self.lock:
            return [p for _, _, p, s in self.received if status is None or p["status"] == status]


def answer(request, status, body, content_type="text/plain; version=0.0.4"):
    data = body.encode() if isinstance(body, str) else body
    request.send_response(status)
    request.send_header("Content-Type", content_type)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(data)


def host(url):
    return url.removeprefix("http://")


def main(*tests):
    """Runs the test functions; a name on the command line picks one."""
    chosen = [t for t in tests if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    failed = 0
    for test in chosen:
        began = time.monotonic()
        try:
            with Case() as case:
                test(case)
            print(f"ok   {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception as e:
            failed += 1
            import traceback
            traceback.print_exc()
            print(f"FAIL {test.__name__}: {e}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not chosen else 0)
