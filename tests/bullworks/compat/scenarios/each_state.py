"""What each action does to a job in each state."""

from __future__ import annotations

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000

# The job is called m.
STATES: dict[str, list[Step]] = {
    "waits": [["add", "a", {}, {"jobId": "m"}]],
    "waits with a priority": [["add", "a", {}, {"jobId": "m", "priority": 5}]],
    "is delayed": [["add", "a", {}, {"jobId": "m", "delay": LONG_MS}]],
    "is active": [["add", "a", {}, {"jobId": "m"}], ["take"]],
    "is completed": [["add", "a", {}, {"jobId": "m"}], ["take"], ["complete", 1]],
    "has failed": [["add", "a", {}, {"jobId": "m"}], ["take"], ["fail", "no"]],
    "is gone": [["add", "a", {}, {"jobId": "m"}], ["remove", "m"]],
}
ACTIONS: dict[str, list[Step]] = {
    "another delay": [["changeDelay", "m", 20_000_000]],
    "a delay of 0": [["changeDelay", "m", 0]],
    "another priority": [["changePriority", "m", {"priority": 2}]],
    "a priority of 0": [["add", "b", {}], ["changePriority", "m", {"priority": 0}], ["jobs", ["wait"]]],
    "a priority, lifo": [["add", "b", {}], ["changePriority", "m", {"priority": 0, "lifo": True}], ["jobs", ["wait"]]],
    "a retry as a failed one": [["retry", "m", "failed"]],
    "a retry as a completed one": [["retry", "m", "completed"]],
    "a retry with attempts anew": [
        ["retry", "m", "failed", {"resetAttemptsMade": True, "resetAttemptsStarted": True}],
    ],
    "promotion": [["promote", "m"]],
    "removal": [["remove", "m"], ["remove", "m"]],
    "other data": [["updateData", "m", {"z": [1]}]],
    "progress": [["progress", "m", {"z": 1}], ["progress", "m", 0]],
    "a line of log": [["log", "m", "x"], ["log", "m", ""], ["logs", "m"], ["clearLogs", "m"], ["logs", "m"]],
    "cleaning": [
        ["clean", 0, 0, state]
        for state in ("wait", "active", "delayed", "prioritized", "completed", "failed", "paused")
    ],
    "draining": [["drain"]],
    "draining with the delayed": [["drain", True]],
    "obliterating": [["obliterate"]],
    "obliterating by force": [["obliterate", {"force": True}]],
    "a retry of all": [["retryJobs", "failed"], ["retryJobs", "completed"]],
    "pausing and resuming": [["pause"], ["counts"], ["resume"]],
    "its id again": [["add", "b", {"n": 1}, {"jobId": "m", "priority": 3}]],
}

SCENARIOS: dict[str, list[Step]] = {
    f"{action}, where a job {state}": [*before, *steps, ["read", "m"], ["state", "m"], ["counts"]]
    for action, steps in ACTIONS.items()
    for state, before in STATES.items()
}
