"""A small world for skep-exporter to watch: a workspace of claude-flow, sessions of Claude Code, services with logs, events.
Each round() changes all of it once more, so that counters grow between two scrapes."""
import json
import os
import pathlib
import time

from harness import get


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


def replace(path, value):
    """As claude-flow's careful writers do it: beside the file, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(value if isinstance(value, str) else json.dumps(value))
    temporary.rename(path)


# Unlike each other in every word, so that each is a kind of its own.
NEW_FAILURES = ("lease of shard lost", "cannot parse invoice header", "index rebuild stopped halfway", "payment gateway said no thanks",
                "thumbnailer ran out of colours", "mailbox quota reached")


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.workspace = self.folder / "shop"
        self.home = self.folder / "home" / ".claude-flow"
        self.logs = self.folder / "logs"
        self.began = time.time()
        self.rounds = 0
        self.tasks = {}
        self.logs.mkdir()
        for name in ("access.log", "app.log", "auth.log"):
            (self.logs / name).touch()
        self.write_stores()

    def configuration(self):
        return f"""
state: {{path: {self.folder}/state}}
swarm:
  interval: 200ms
  workspaces: [{{name: shop, path: {self.workspace}}}]
  ai_budget: {{folder: {self.home}}}
logs:
  sources:
    - name: web
      service: shop
      paths: [{self.logs}/access.log]
      format: nginx
      log_format: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time'
    - name: app
      service: shop
      db: orders
      paths: [{self.logs}/app.log]
      format: plain
    - name: auth
      paths: [{self.logs}/auth.log]
      format: plain
"""

    # -- claude-flow

    def write_stores(self):
        now = time.time()
        flow = self.workspace / ".claude-flow"
        n = self.rounds
        for i in range(2):
            self.tasks[f"task-{n}-{i}"] = {
                "taskId": f"task-{n}-{i}", "type": "review", "description": "private", "priority": "high", "status": "pending",
                "progress": 0, "assignedTo": [], "tags": [], "createdAt": iso(now - 60), "startedAt": None, "completedAt": None}
        for i, outcome in enumerate(("completed", "failed")):
            for step, age in (("in_progress", 1), (outcome, 2)):
                task = self.tasks.get(f"task-{n - age}-{i}")
                if task:
                    task["status"] = step
                    task["startedAt"] = iso(now - 30)
                    task["completedAt"] = iso(now - 5) if step == "completed" else None
        replace(flow / "tasks/store.json", {"tasks": self.tasks, "version": "3.0.0"})
        agents = {f"agent-{i}": {
            "agentId": f"agent-{i}", "agentType": kind, "status": status, "health": 0.9, "taskCount": 1, "config": {},
            "createdAt": iso(self.began), "model": "sonnet", "currentTask": None}
            for i, (kind, status) in enumerate((("coder", "busy"), ("tester", "idle"), ("researcher", "terminated")))}
        replace(flow / "agents/store.json", {"agents": agents, "version": "3.0.0"})
        replace(flow / "swarm/swarm-state.json", {"swarms": {"swarm-1": {
            "swarmId": "swarm-1", "topology": "hierarchical", "maxAgents": 6, "status": "running", "agents": list(agents),
            "tasks": [], "config": {}, "createdAt": iso(self.began), "updatedAt": iso(now)}}, "version": "3.0.0"})
        replace(flow / "daemon-state.json", {
            "running": False, "startedAt": iso(self.began), "savedAt": iso(now),
            "workers": {"audit": {"runCount": 5 + n, "successCount": 4 + n, "failureCount": 1, "averageDurationMs": 45.2,
                                  "lastRun": iso(now), "lastStartedAt": iso(now - 1), "isRunning": False}},
            "config": {"workers": [{"type": "audit", "intervalMs": 600000, "enabled": True, "priority": "high"}],
                       "maxConcurrent": 2, "workerTimeoutMs": 300000}})
        milliseconds = int(now * 1000)
        replace(self.home / "ai-budget.json", {"version": 1, "active": [], "launches": [
            {"at": milliseconds, "pid": os.getpid(), "workerType": "audit", "model": "haiku", "workspace": str(self.workspace)}]})
        with open(self.home / "ai-budget-receipts.jsonl", "a") as receipts:
            for receipt in ({"event": "launch", "permitId": f"p{n}", "workerType": "audit", "model": "haiku"},
                            {"event": "usage", "permitId": f"p{n}", "workerType": "audit", "model": "haiku", "durationMs": 70},
                            {"event": "deny", "workerType": "audit", "reason": "hourly-budget: 2 of 2"}):
                receipts.write(json.dumps({"at": milliseconds, **receipt}) + "\n")

    # -- services

    def write_logs(self):
        local = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        with open(self.logs / "access.log", "a") as log:
            for i in range(20):
                status = 500 if i == 0 else 200
                log.write(f'203.0.113.{i} - - [{local}] "GET /orders/{1000 + i}?key=secret HTTP/1.1" {status} 512 "-" "curl" 0.{i:03d}\n')
        with open(self.logs / "app.log", "a") as log:
            log.write(f"{iso(time.time())} INFO started worker {self.rounds}\n"
                      f"{iso(time.time())} WARN queue is long\n"
                      f"{iso(time.time())} ERROR connect ECONNREFUSED 10.0.0.{self.rounds}:5432\n"
                      f"{iso(time.time())} INFO query took 1523ms\n"
                      f"{iso(time.time())} ERROR {NEW_FAILURES[self.rounds % len(NEW_FAILURES)]}\n")
        with open(self.logs / "auth.log", "a") as log:
            log.write("Nov 22 03:00:00 host sshd[123]: Failed password for root from 203.0.113.7 port 5555 ssh2\n")

    # -- what is pushed

    def post(self, exporter, path, value, content_type="application/json"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        status, _, answer = get(exporter + path, headers={"Content-Type": content_type}, data=body, method="POST")
        assert status == 200, f"{path}: {status} {answer}"
        return answer

    def push_sessions(self, exporter):
        """What Claude Code sends at the end of a session, with the shapes of the recorded requests."""
        now = time.time_ns()

        def attributes(**values):
            return [{"key": k.replace("__", "."), "value": {"stringValue": v} if isinstance(v, str) else
                     {"doubleValue": v} if isinstance(v, float) else {"intValue": v}} for k, v in values.items()]

        def event(name, offset, **values):
            return {"timeUnixNano": str(now + offset), "observedTimeUnixNano": str(now + offset),
                    "body": {"stringValue": "claude_code." + name},
                    "attributes": attributes(session__id=f"session-{self.rounds}", event__name=name, event__sequence=offset, **values)}

        resource = {"attributes": attributes(service__name="claude-code", service__version="2.1.330")}
        request = dict(model="claude-opus-5-5", input_tokens=1200, output_tokens=42, cache_read_tokens=5000,
                       cache_creation_tokens=300, cost_usd=0.00814, duration_ms=570, ttft_ms=35, query_source="sdk")
        records = [event("api_request", 1, request_id=f"r1-{self.rounds}", **request),
                   event("api_request", 2, request_id=f"r2-{self.rounds}",
                         **{**request, "query_source": "agent:builtin:general-purpose"}),
                   event("api_error", 3, model="claude-opus-5-5", status_code=529, error="overloaded", attempt=3, duration_ms=900,
                         query_source="sdk"),
                   event("tool_result", 4, tool_name="Bash", success="true", duration_ms="34"),
                   event("tool_result", 5, tool_name="Bash", success="false", duration_ms="12", error_type="ShellError"),
                   event("subagent_completed", 6, agent_type="general-purpose", total_tokens=900, total_tool_uses=2,
                         duration_ms=1500, model="claude-opus-5-5")]
        self.post(exporter, "/v1/logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [
            {"scope": {"name": "com.anthropic.claude_code.events", "version": "2.1.330"}, "logRecords": records}]}]})

        def points(name, unit, *values):
            return {"name": name, "unit": unit, "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [
                {"attributes": attributes(session__id=f"session-{self.rounds}", model="claude-opus-5-5", **a),
                 "startTimeUnixNano": str(now - 10**9), "timeUnixNano": str(now), "asDouble": v} for v, a in values]}}

        self.post(exporter, "/v1/metrics", {"resourceMetrics": [{"resource": resource, "scopeMetrics": [
            {"scope": {"name": "com.anthropic.claude_code", "version": "2.1.330"}, "metrics": [
                points("claude_code.token.usage", "tokens", (2400.0, {"type": "input"}), (84.0, {"type": "output"}),
                       (10000.0, {"type": "cacheRead"}), (600.0, {"type": "cacheCreation"})),
                points("claude_code.cost.usage", "USD", (0.01628, {}))]}]}]})
        hook = {"session_id": f"hooks-{self.rounds}", "cwd": str(self.workspace), "transcript_path": "/none"}
        self.post(exporter, "/v1/hooks/claude-code",
                  {**hook, "hook_event_name": "SubagentStart", "agent_id": f"a{self.rounds}", "agent_type": "general-purpose"})

    def push_events(self, exporter):
        events = [{"kind": "deployment", "service": "shop", "version": f"1.{self.rounds}.0", "strategy": "rolling",
                   "outcome": "success", "duration_seconds": 95.5}]
        body = "\n".join(json.dumps(e) for e in events).encode()
        self.post(exporter, "/v1/events", body, "application/x-ndjson")

    def round(self, exporter):
        self.rounds += 1
        self.write_stores()
        self.write_logs()
        self.push_sessions(exporter)
        self.push_events(exporter)
