"""Limits of the whole queue, its metrics, events and logs."""

from __future__ import annotations

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000
OLD = 1_600_000_000_000

SCENARIOS: dict[str, list[Step]] = {
    "metrics of nothing": [["metrics", "completed"], ["metrics", "failed", 0, 5]],
    "a global concurrency with priorities": [
        ["setGlobalConcurrency", 2],
        ["add", "a", {}, {"priority": 1}],
        ["add", "a", {}, {"priority": 1}],
        ["add", "a", {}, {"priority": 1}],
        ["take"],
        ["take"],
        ["take"],
        ["isMaxed"],
        ["removeGlobalConcurrency"],
        ["take"],
        ["isMaxed"],
    ],
    "a global concurrency and a stalled job": [
        ["setGlobalConcurrency", 1],
        ["add", "a", {}],
        ["add", "b", {}],
        ["take"],
        ["stalledCheck"],
        ["redis", "DEL", "bull:q:stalled-check", "bull:q:1:lock"],
        ["stalledCheck"],
        ["isMaxed"],
        ["take"],
    ],
    "a limiter counts a retry": [
        ["worker", {"limiter": {"max": 1, "duration": LONG_MS}}],
        ["add", "a", {}, {"attempts": 2}],
        ["take"],
        ["fail", "x"],
        ["take"],
        ["rateLimitTtl", 1],
        ["counts"],
    ],
    "a limiter and jobs that are due": [
        ["worker", {"limiter": {"max": 1, "duration": LONG_MS}}],
        ["add", "a", {}, {"timestamp": OLD, "delay": 5}],
        ["add", "b", {}, {"timestamp": OLD, "delay": 6}],
        ["take"],
        ["take"],
        ["counts"],
    ],
    "few events are not trimmed": [
        ["add", "a", {}],
        ["add", "a", {}],
        ["add", "a", {}],
        ["add", "a", {}],
        ["add", "a", {}],
        ["trimEvents", 2],
    ],
    "what a paused queue's lists are": [
        ["pause"],
        ["add", "a", {}],
        ["jobs", ["paused"]],
        ["jobs", ["wait"]],
        ["counts", "paused", "wait"],
        ["state", "1"],
    ],
    "pages of a log of two lines": [
        ["add", "a", {}, {"keepLogs": 2}],
        ["log", "1", "r0"],
        ["log", "1", "r1"],
        ["log", "1", "r2"],
        ["log", "1", "r3"],
        ["logs", "1", -2, -1],
        ["logs", "1", 1, 0],
        ["logs", "1", 0, 0, False],
        ["clearLogs", "1", 1],
        ["logs", "1"],
    ],
    "one state by both of its names": [
        ["add", "a", {}],
        ["ranges", ["wait", "waiting"], 0, -1],
        ["jobs", ["wait", "waiting"]],
    ],
}
