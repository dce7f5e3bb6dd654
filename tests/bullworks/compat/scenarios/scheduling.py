"""Job schedulers."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.player import Step

HOUR_MS = 3_600_000
YEARLY = "0 0 1 1 *"
FULL: Any = {"name": "n", "data": {"a": [1, "ż"]}, "opts": {"attempts": 3, "removeOnComplete": 5, "keepLogs": 2}}
BACKOFF: Any = {"data": 5, "opts": {"backoff": {"type": "exponential", "delay": 5}, "removeOnFail": {"age": 60}}}

SCENARIOS: dict[str, list[Step]] = {
    "every": [["upsert", "s", {"every": 60_000, "limit": 7}, FULL], ["scheduler", "s"], ["counts"]],
    "every with no template": [["upsert", "s", {"every": 60_000}], ["scheduler", "s"]],
    "every from a date on": [["upsert", "s", {"every": 60_000, "startIn": HOUR_MS}, BACKOFF], ["scheduler", "s"]],
    "every from a past date on": [["upsert", "s", {"every": 60_000, "startIn": -HOUR_MS}]],
    "every with an offset": [["upsert", "s", {"every": 60_000, "offsetIn": 20_000}], ["scheduler", "s"]],
    "every with an offset that has passed": [["upsert", "s", {"every": 60_000, "offsetIn": 59_000}]],
    "every until a date": [["upsert", "s", {"every": 60_000, "endIn": HOUR_MS}], ["take"], ["complete", 1]],
    "a pattern": [["upsert", "s", {"pattern": YEARLY, "tz": "Europe/Paris", "limit": 3}, FULL], ["scheduler", "s"]],
    "a pattern from a date on, until a date": [
        ["upsert", "s", {"pattern": YEARLY, "startDate": 1_924_992_000_000, "endDate": 2_240_611_200_000}, BACKOFF],
        ["scheduler", "s"],
    ],
    "a pattern, immediately": [
        ["upsert", "s", {"pattern": YEARLY, "immediately": True}, FULL],
        ["take"],
        ["complete", 1],
        ["scheduler", "s"],
    ],
    "templates of every kind": [
        # In the order of their names, in which Redis has those that are due in the same millisecond.
        ["upsert", "lifo", {"every": 60_000}, {"opts": {"lifo": True}}],
        ["upsert", "prio", {"every": 60_000}, {"opts": {"priority": 4}}],
        ["upsert", "zero", {"pattern": YEARLY}, {"data": 0}],
        ["upsert", "null", {"pattern": YEARLY}, {"data": None}],
        ["upsert", "text", {"pattern": YEARLY}, {"data": "abc", "opts": {"sizeLimit": 100, "stackTraceLimit": 1}}],
        ["upsert", "flags", {"pattern": YEARLY}, {"opts": {"removeOnComplete": True, "removeOnFail": False}}],
        ["schedulersCount"],
    ],
    **{
        f"a template with {option}": [
            ["upsert", "s", {"every": 60_000}, {"opts": {option: True, "attempts": 2}}],
            ["take"],
            ["fail", "no"],
            ["scheduler", "s"],
        ]
        for option in (
            "failParentOnFailure",
            "continueParentOnFailure",
            "ignoreDependencyOnFailure",
            "removeDependencyOnFailure",
        )
    },
    "ids of every kind": [["upsert", name, {"pattern": YEARLY}] for name in ("0", "17", "a:b", "a:b:c:d:e:f", "ż ó")],
    "taking job after job": [
        ["upsert", "s", {"every": 60_000}, FULL],
        *[step for _ in range(3) for step in (["take"], ["complete", None], ["promoteNext"])],
        ["scheduler", "s"],
        ["counts"],
    ],
    "a pattern's job after job, by a clock set forward": [
        ["upsert", "s", {"pattern": "30 2 * * *", "tz": "Europe/Paris", "startDate": 1_901_055_600_000}],
        *[step for _ in range(4) for step in (["promoteNext"], ["take"], ["complete", None])],
    ],
    "a limit is reached": [
        ["upsert", "s", {"pattern": YEARLY, "limit": 2}, FULL],
        *[step for _ in range(2) for step in (["promoteNext"], ["take"], ["complete", None])],
        ["scheduler", "s"],
        ["counts"],
        ["removeNext", "Completed"],
    ],
    "after a limit was reached": [
        ["upsert", "s", {"every": 60_000, "limit": 1}],
        ["take"],
        ["upsert", "s", {"every": 60_000, "limit": 1}],
        ["complete", None],
        ["upsert", "s", {"every": 60_000, "limit": 1}],
    ],
    "a job that fails, is retried and completes": [
        ["upsert", "s", {"every": 60_000}],
        ["take"],
        ["fail", "boom"],
        ["retryJobs", "failed"],
        ["take"],
        ["complete", 1],
        ["counts"],
    ],
    "saying the same again": [
        ["upsert", "e", {"every": 60_000}, FULL],
        ["upsert", "e", {"every": 60_000}, BACKOFF],
        ["upsert", "p", {"pattern": YEARLY}, FULL],
        ["upsert", "p", {"pattern": YEARLY}],
        ["schedulers"],
    ],
    "changing a waiting one": [
        ["upsert", "s", {"every": 60_000}, FULL],
        ["upsert", "s", {"every": 60_000}, {"opts": {"priority": 4}}],
        ["upsert", "s", {"every": 60_000}, {"opts": {"priority": 5}}],
        ["upsert", "s", {"pattern": YEARLY, "tz": "Asia/Tokyo"}, FULL],
        ["upsert", "s", {"pattern": "0 0 2 1 *"}],
    ],
    "changing a pattern into every": [
        ["upsert", "s", {"pattern": YEARLY, "limit": 3}, FULL],
        ["upsert", "s", {"every": 60_000, "startIn": HOUR_MS, "offsetIn": 5_000}, BACKOFF],
    ],
    "changing one while its job runs": [
        ["upsert", "s", {"every": 60_000}],
        ["take"],
        ["upsert", "s", {"pattern": YEARLY}, FULL],
        ["complete", None],
        ["scheduler", "s"],
    ],
    "setting one up while paused": [
        ["pause"],
        ["upsert", "s", {"every": 60_000}],
        ["upsert", "p", {"pattern": YEARLY}],
        ["take"],
        ["resume"],
        ["take"],
    ],
    "pausing while its job runs": [["upsert", "s", {"every": 60_000}], ["take"], ["pause"], ["complete", 1]],
    "removing": [
        ["upsert", "s", {"pattern": YEARLY}],
        ["upsert", "t", {"pattern": YEARLY}],
        ["removeScheduler", "s"],
        ["removeScheduler", "s"],
        ["removeScheduler", "never"],
        ["schedulersCount"],
        ["counts"],
    ],
    "removing one while its job runs": [
        ["upsert", "s", {"every": 60_000}],
        ["take"],
        ["removeScheduler", "s"],
        ["complete", 1],
        ["removeNext", "Completed"],
        ["counts"],
    ],
    "its pending job stays": [
        ["upsert", "a", {"every": 60_000}],
        ["upsert", "b", {"every": 60_000}, {"opts": {"priority": 4}}],
        ["upsert", "d", {"pattern": YEARLY}],
        ["drain", True],
        *[["clean", 0, 10, state] for state in ("wait", "delayed", "prioritized")],
        *[["removeNext", state] for state in ("Waiting", "Delayed", "Prioritized")],
        ["counts"],
    ],
    "pages": [
        *[["upsert", f"s{i}", {"every": 1_000, "startDate": 1_924_992_000_000 + i}] for i in (2, 1, 3)],
        ["schedulers"],
        ["schedulers", 0, 1],
        ["schedulers", 1, 1, True],
        ["schedulers", 7, 9],
        ["scheduler", "never"],
        ["schedulersCount"],
    ],
    "what BullMQ 5 left among them": [
        ["redis", "ZADD", "bull:q:repeat", 9_000_000_000_000, "legacy:::5000"],
        ["redis", "HSET", "bull:q:repeat:legacy:::5000", "name", "l", "every", 5_000],
        ["scheduler", "legacy:::5000"],
        ["schedulers"],
        ["removeScheduler", "legacy:::5000"],
    ],
}
