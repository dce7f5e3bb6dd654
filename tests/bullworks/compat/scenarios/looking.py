"""What one can see of a queue and of a job."""

from __future__ import annotations

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000
OLD = 1_600_000_000_000
STATES = ("Completed", "Failed", "Delayed", "Active", "Waiting", "WaitingChildren")


def _aged(minutes: int) -> Step:
    """As if the last minute that was counted had begun so long before."""
    return ["redis", "HINCRBY", "bull:q:metrics:completed", "prevTS", -60_000 * minutes]


SCENARIOS: dict[str, list[Step]] = {
    "progress, data and logs": [
        ["add", "a", {}, {"keepLogs": 2}],
        *[["progress", "1", progress] for progress in (30, 33.3, "half", True, {"a": 1}, [1])],
        ["updateData", "1", {"changed": ["ż", None]}],
        *[["log", "1", f"row {i}"] for i in range(4)],
        ["logs", "1"],
        ["logs", "1", 0, 0, True],
        ["logs", "1", 0, 0, False],
        ["logs", "never"],
        ["read", "1"],
    ],
    "states, counts and pages": [
        *[["add", "a", {}] for _ in range(8)],
        *[step for _ in range(3) for step in (["take"], ["fail", "boom"])],
        *[step for _ in range(2) for step in (["take"], ["complete", 1])],
        *[["add", "p", {}, {"priority": 4 - i}] for i in range(3)],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        *[["state", str(i)] for i in range(1, 14)],
        ["counts"],
        ["counts", "wait", "paused", "completed"],
        ["count"],
        *[
            ["jobs", [state], start, end, asc]
            for state in ("waiting", "wait", "active", "delayed", "prioritized", "completed", "failed", "paused")
            for start, end in ((0, -1), (0, 1), (1, 1), (1, 20), (-2, -1), (5, 9))
            for asc in (False, True)
        ],
        ["jobs", ["failed", "completed", "wait", "waiting"], 0, 1, True],
        *[["listing", state] for state in ("Waiting", "Active", "Delayed", "Prioritized", "Completed", "Failed")],
        ["redis", "DEL", "bull:q:7"],
        ["jobs", ["wait"], 0, -1, False],
    ],
    "counting": [
        *[["add", "a", {}] for _ in range(3)],
        *[["add", "p", {}, {"priority": 1 + i % 2}] for i in range(4)],
        ["add", "old", {}, {"delay": 100_000, "timestamp": 5_000, "jobId": "old"}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["take"],
        ["complete", 1],
        ["take"],
        ["fail", "x"],
        ["countOf"],
        ["countOf", "wait", "prioritized"],
        ["stateCounts"],
        ["countsPerPriority", [0, 1, 2, 3, 1]],
        ["countsPerPriority", []],
        ["delayedCount"],
        ["delayedCount", OLD],
        ["delayedCount", 105_000],
        ["delayedCount", 105_001],
        ["ranges", ["wait", "prioritized"], 0, -1, True],
        ["ranges", ["wait", "prioritized"], 0, 1, False],
        ["prometheus"],
        ["prometheus", {"env": "test", "zone": 1}],
        *[["is", job_id, state] for job_id in ("1", "2", "3", "4", "old") for state in STATES],
        ["workersCount"],
    ],
    "what an operator does by id": [
        ["add", "a", {}],
        ["updateJobProgress", "1", 50],
        ["updateJobProgress", "gone", 50],
        *[["addJobLog", "1", f"row {i}"] for i in range(4)],
        ["addJobLog", "1", "last", 2],
        ["addJobLog", "gone", "row"],
        ["clearLogs", "1", 1],
        ["clearLogs", "1"],
    ],
    "metrics": [
        ["worker", {"metrics": {"maxDataPoints": 4}}],
        ["metrics", "completed"],
        *[
            step
            for minutes in (0, 0, 1, 0, 1, 3, 20)
            for step in (
                *([_aged(minutes)] if minutes else []),
                ["add", "a", {}],
                ["take"],
                ["complete", 1],
                ["metrics", "completed"],
            )
        ],
        ["metrics", "completed", 0, 1],
        ["metrics", "completed", 1, 2],
        ["add", "f", {}, {"attempts": 2, "removeOnFail": True}],
        ["take"],
        ["fail", "x"],
        ["metrics", "failed"],
        ["take"],
        ["fail", "x"],
        ["metrics", "failed"],
        ["prometheus"],
    ],
    "a job at each step of its life": [
        ["add", "a", {"n": 1}, {"attempts": 2, "backoff": LONG_MS, "priority": 3}],
        ["read", "1"],
        ["take"],
        ["read", "1"],
        ["progress", "1", {"half": True}],
        ["fail", "boom"],
        ["read", "1"],
        ["promote", "1"],
        ["read", "1"],
        ["take"],
        ["complete", {"value": [1]}],
        ["read", "1"],
    ],
    "what is not there": [
        *[[step, "gone"] for step in ("state", "read", "logs", "promote", "removeJob", "remove", "clearLogs")],
        ["progress", "gone", 1],
        ["updateData", "gone", {}],
        ["log", "gone", "row"],
        ["deduplicationJobId", "gone"],
        ["removeDeduplicationKey", "gone"],
        ["counts"],
        ["count"],
        ["jobs", ["wait", "failed"]],
    ],
    "changing what is gone meanwhile": [["add", "a", {}], ["take"], ["redis", "DEL", "bull:q:1"], ["progress", "1", 1]],
}
