#!/usr/bin/env python3
"""Events from Python, with nothing but its library.

    import events
    events.send(events.event("business", event="order", count=3))
    with events.timed_task("t-4", task_type="review"):
        ...
"""
import contextlib
import datetime
import json
import os
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("SKEP_EVENTS", "http://127.0.0.1:7537/v1/events")


def event(kind, **fields):
    """The id makes it safe to send it again."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return {"kind": kind, "id": str(uuid.uuid4()), "time": now, **fields}


def send(*events, tries=3):
    """Sends all of them in one request. ValueError: some are refused, the others have counted. OSError: none has."""
    body = "\n".join(json.dumps(one) for one in events).encode()
    request = urllib.request.Request(URL, body, {"Content-Type": "application/x-ndjson"})
    for left in reversed(range(tries)):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer = json.load(answer)
            break
        except urllib.error.HTTPError as error:
            if error.code < 500:
                answer = json.load(error)
                break
            if left == 0:
                raise
        except OSError:
            if left == 0:
                raise
        time.sleep(1)
    problems = answer.get("errors", []) or ([answer] if "error" in answer else [])
    if problems:
        raise ValueError(problems)


@contextlib.contextmanager
def timed_task(task, **fields):
    """Tells of a task's begin and end."""
    send(event("task", task=task, status="in_progress", **fields))
    try:
        yield
    except BaseException:
        send(event("task", task=task, status="failed", **fields))
        raise
    send(event("task", task=task, status="completed", **fields))


if __name__ == "__main__":
    send(event("signup"), event("session", duration_seconds=754.2), event("satisfaction", score=4.3))
    with timed_task("t-4", task_type="review", workspace="shop"):
        pass
