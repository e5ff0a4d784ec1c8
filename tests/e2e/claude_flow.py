"""The real claude-flow from npm: what it writes, runs and serves is on the page of skep-exporter. Skips, saying so, where npm
cannot install it. SKEP_CLAUDE_FLOW may name a folder whose node_modules has it already."""
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import free_port, get, main, need, wait_for

VERSION = "3.43.0"
INSTALL_SECONDS = 420
CLI_SECONDS = 120


def install():
    """The folder whose node_modules has claude-flow; None where npm cannot get it."""
    if os.environ.get("SKEP_CLAUDE_FLOW"):
        return pathlib.Path(os.environ["SKEP_CLAUDE_FLOW"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skep-claude-flow-"))
    if not shutil.which("npm"):
        print("skip: npm is not installed")
        return None
    try:
        done = subprocess.run(["npm", "install", f"claude-flow@{VERSION}", "--ignore-scripts", "--no-audit", "--no-fund"],
                              cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode != 0:
        why = "too slow" if done is None else (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"skip: npm cannot install claude-flow@{VERSION}: {why}")
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return folder


class Flow:
    """One workspace, its HOME, and the exporter that watches both."""

    installed = None  # the folder with node_modules

    def __init__(self, case):
        self.case = case
        self.workspace = pathlib.Path(case.folder) / "shop"
        self.home = pathlib.Path(case.folder) / "home"
        self.workspace.mkdir()
        self.home.mkdir()
        self.cli = Flow.installed / "node_modules/claude-flow/bin/cli.js"
        self.environment = {"HOME": str(self.home), "RUFLO_DAEMON_AUTOSTART": "0", "NO_COLOR": "1"}
        self.mcp_port = free_port()
        config = case.write("skep.yml", f"""
state: {{path: {case.folder}/state}}
swarm:
  interval: 1s
  max_age: 10s
  workspaces: [{{name: shop, path: {self.workspace}}}]
  ai_budget: {{folder: {self.home}/.claude-flow}}
  mcp: [{{name: shop, url: "http://127.0.0.1:{self.mcp_port}", interval: 1s}}]
""")
        self.url, _ = case.exporter(f"--config.file={config}", "--collector.disable-defaults")

    def run(self, *arguments):
        done = subprocess.run(["node", self.cli, *arguments], cwd=self.workspace, capture_output=True, text=True,
                              env={**os.environ, **self.environment}, timeout=CLI_SECONDS, check=False)
        assert done.returncode == 0, f"claude-flow {arguments}: {done.stdout[-800:]}{done.stderr[-800:]}"
        return done.stdout

    def start(self, name, *arguments, ready=None):
        command = f'cd "{self.workspace}" && exec node "{self.cli}" ' + " ".join(arguments)
        return self.case.start(name, "sh", "-c", command, ready=ready, environment=self.environment)

    def page(self):
        return get(self.url + "/metrics")[2]

    def value(self, series):
        """Of the one series with this name and at least these labels; None where it is not there."""
        name, _, wanted = series.partition("{")
        labels = re.findall(r'\w+="[^"]*"', wanted)
        for line in self.page().splitlines():
            if (line.startswith(name + "{") or line.startswith(name + " ")) and all(label in line for label in labels):
                return float(line.rsplit(" ", 1)[1])
        return None

    def wait(self, series, value):
        wait_for(f"{series} is {value}", lambda: self.value(series) == value)

    def store(self, path):
        return json.loads((self.workspace / ".claude-flow" / path).read_text())


def end_left_overs(folder):
    """Whatever of ours still runs below the folder (each test had its own)."""
    for proc in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            at = os.readlink(proc / "cwd")
        except OSError:
            continue
        if at.startswith(folder + "/") and int(proc.name) != os.getpid():
            os.kill(int(proc.name), signal.SIGKILL)


def swept(test):
    """A test after which nothing that it started runs on."""
    @functools.wraps(test)
    def run(case):
        try:
            test(case)
        finally:
            for program in reversed(case.programs):
                program.stop()
            end_left_overs(case.folder)
    return run


@swept
def agents_and_tasks_reach_their_series(case):
    flow = Flow(case)
    flow.wait('swarm_source_up{workspace="shop",source="claude_flow_v3"}', 0)
    flow.run("init", "--skip-claude")
    flow.run("swarm", "init", "--topology", "mesh", "--max-agents", "4")
    flow.run("agent", "spawn", "-t", "coder")
    flow.run("task", "create", "-t", "testing", "-d", "private-words", "--priority", "high")
    flow.wait('swarm_agents{workspace="shop",source="claude_flow_v3",agent_type="coder"}', 1)
    flow.wait('swarm_agents_max{workspace="shop"}', 4)
    flow.wait('swarm_swarms{topology="mesh",status="running"}', 1)
    flow.wait('swarm_tasks{workspace="shop",status="pending",priority="high"}', 1)
    flow.wait('swarm_source_up{workspace="shop",source="claude_flow_v3"}', 1)
    for component in ("agentManager", "taskEngine", "swarmCoordinator", "configManager", "monitor"):
        flow.wait(f'component_up{{component="{component}",workspace="shop"}}', 1)
    [task] = flow.store("tasks/store.json")["tasks"]
    [agent] = flow.store("agents/store.json")["agents"]
    flow.run("task", "assign", task, "--agent", agent)
    flow.run("mcp", "exec", "-t", "task_complete", "-p", json.dumps({"taskId": task}))
    flow.wait('swarm_tasks_finished_total{workspace="shop",task_type="testing",outcome="completed"}', 1)
    flow.wait('swarm_task_duration_seconds_count{task_type="testing",outcome="completed"}', 1)
    page = flow.page()
    for private in ("private-words", task, agent, str(flow.workspace)):
        assert private not in page, private
    done = subprocess.run([need("promtool"), "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr


@swept
def a_daemon_that_dies_is_seen(case):
    flow = Flow(case)
    flow.run("init", "--skip-claude")
    daemon = flow.start("daemon", "daemon", "start", "--foreground", "--ttl", "300")
    flow.wait('swarm_daemon_up{workspace="shop"}', 1)
    flow.wait('swarm_daemons{workspace="shop"}', 1)
    flow.wait('swarm_daemon_stale_state{workspace="shop"}', 0)
    flow.wait('component_up{component="orchestrator",workspace="shop"}', 1)
    wait_for("processes of the swarm", lambda: flow.value('swarm_process_resident_memory_bytes{workspace="shop",kind="daemon"}') > 1e6)
    assert flow.value('swarm_worker_interval_seconds{workspace="shop",worker="map"}') == 900
    daemon.signal(signal.SIGKILL)
    flow.wait('swarm_daemon_up{workspace="shop"}', 0)  # a zombie until the next line
    daemon.wait()
    flow.wait('swarm_daemon_stale_state{workspace="shop"}', 1)
    flow.wait('swarm_daemons{workspace="shop"}', 0)


@swept
def an_mcp_server_is_asked(case):
    flow = Flow(case)
    flow.wait('swarm_mcp_up{workspace="shop"}', 0)
    assert flow.value('swarm_mcp_requests_total{workspace="shop"}') is None
    server = flow.start("mcp", "mcp", "start", "-t", "http", "-p", str(flow.mcp_port),
                        ready=f"http://127.0.0.1:{flow.mcp_port}/health")
    flow.wait('swarm_mcp_up{workspace="shop"}', 1)
    flow.wait('component_up{component="mcpServer",workspace="shop"}', 1)
    wait_for("requests are counted", lambda: flow.value('swarm_mcp_requests_total{outcome="ok"}') > 0)
    wait_for("their time too", lambda: flow.value("swarm_mcp_request_duration_seconds_sum") > 0)
    flow.wait('swarm_processes{workspace="shop",kind="mcp"}', 1)
    server.stop()
    flow.wait('swarm_mcp_up{workspace="shop"}', 0)
    assert flow.value('swarm_mcp_requests_total{workspace="shop"}') is None
    assert flow.value('swarm_mcp_check_failures_total{reason="connect",workspace="shop"}') > 0


if __name__ == "__main__":
    Flow.installed = install()
    if Flow.installed is None:
        sys.exit(0)
    try:
        main(agents_and_tasks_reach_their_series, a_daemon_that_dies_is_seen, an_mcp_server_is_asked)
    finally:
        if not os.environ.get("SKEP_CLAUDE_FLOW"):
            shutil.rmtree(Flow.installed, ignore_errors=True)
