"""Adding jobs."""

from __future__ import annotations

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000
OLD = 1_600_000_000_000
FUTURE = 1_924_992_000_000

SCENARIOS: dict[str, list[Step]] = {
    "adding jobs of every kind": [
        ["add", "plain", {"x": 1}],
        ["add", "nothing", None],
        ["add", "unicode", {"text": "żółć 漢字 😀 \u2028", "nested": {"list": [1, 2.5, None, True, "a"]}}],
        ["add", "delayed", {}, {"delay": LONG_MS, "attempts": 3, "backoff": {"type": "exponential", "delay": 1000}}],
        ["add", "jitter", {}, {"attempts": 2, "backoff": {"type": "fixed", "delay": 10, "jitter": 0.5}}],
        ["add", "priority", {}, {"priority": 3, "removeOnComplete": True, "removeOnFail": {"count": 5, "age": 60}}],
        ["add", "kept", {}, {"removeOnComplete": 100, "removeOnFail": False, "keepLogs": 5, "stackTraceLimit": 2}],
        ["add", "lifo", {}, {"lifo": True, "jobId": "custom"}],
        ["add", "again", {}, {"lifo": True, "jobId": "custom"}],
        ["add", "dated", {}, {"timestamp": OLD, "jobId": "dated"}],
        ["add", "sized", {}, {"sizeLimit": 1000}],
        ["addBulk", [{"name": "e", "data": 1}, {"name": "f", "data": None, "opts": {"priority": 2}}]],
        ["read", "1"],
        ["read", "custom"],
        ["read", "gone"],
        ["counts"],
    ],
    "default options of a queue": [
        ["use", "d", {"defaultJobOptions": {"attempts": 4, "backoff": 500, "removeOnComplete": True, "priority": 2}}],
        ["add", "a", {}],
        ["add", "b", {}, {"attempts": 1, "removeOnComplete": {"age": 60}}],
        ["addBulk", [{"name": "c", "data": 1, "opts": {"lifo": True}}]],
        ["read", "1"],
    ],
    "ids that are taken": [
        ["add", "a", {"first": True}, {"jobId": "x"}],
        ["take"],
        ["add", "b", {"second": True}, {"jobId": "x", "delay": LONG_MS}],
        ["complete", 1],
        ["add", "c", {}, {"jobId": "x", "priority": 3}],
        ["addBulk", [{"name": "d", "data": {}, "opts": {"jobId": "x"}}, {"name": "e", "data": {}}]],
        ["read", "x"],
        ["remove", "x"],
        ["add", "f", {}, {"jobId": "x"}],
    ],
    "ids of three parts": [["add", "a", {}, {"jobId": "a:b:c"}], ["read", "a:b:c"], ["take"], ["complete", 1]],
    "priorities among each other": [
        *[["add", "p", {}, {"priority": priority}] for priority in (3, 1, 2**21 - 1, 1, 2)],
        ["add", "lifo", {}, {"priority": 1, "lifo": True}],
        ["add", "plain", {}],
        *[step for _ in range(7) for step in (["take"], ["complete", 1])],
    ],
    "first and last come": [
        *[["add", "a", {}] for _ in range(2)],
        *[["add", "l", {}, {"lifo": True}] for _ in range(2)],
        *[["take"] for _ in range(4)],
    ],
    "delays of the same time": [
        *[["add", "d", {}, {"timestamp": FUTURE, "delay": LONG_MS, "jobId": name}] for name in "abc"],
        ["add", "e", {}, {"timestamp": FUTURE, "delay": LONG_MS + 1}],
        ["add", "f", {}, {"timestamp": FUTURE, "delay": LONG_MS, "jobId": "f"}],
        ["jobs", ["delayed"], 0, -1, True],
        ["remove", "f"],
        ["add", "g", {}, {"timestamp": FUTURE, "delay": LONG_MS, "jobId": "g"}],
    ],
    "delays that are over": [
        ["add", "d", {}, {"timestamp": OLD, "delay": 1_000, "priority": 2}],
        ["add", "e", {}, {"timestamp": OLD, "delay": 500}],
        ["add", "f", {}, {"timestamp": OLD, "delay": 500, "lifo": True}],
        ["take"],
        ["counts"],
        ["read", "2"],
    ],
    "telemetry's options are kept": [["add", "a", {}, {"sizeLimit": 99, "keepLogs": 0, "stackTraceLimit": 0}]],
    "a queue of a short stream": [
        ["use", "short", {"streams": {"events": {"maxLen": 5}}}],
        *[["add", "a", {}] for _ in range(3)],
        ["meta"],
        ["trimEvents", 0],
    ],
}
