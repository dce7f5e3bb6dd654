"""Schedules of every kind, and what happens to the one pending job of each."""

from __future__ import annotations

from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.scheduling import YEARLY

LONG_MS = 10_000_000
OLD = 1_600_000_000_000
LATER = 1_924_992_000_000

SCENARIOS: dict[str, list[Step]] = {
    "other data": [
        ["upsert", "s", {"every": 60000}, {"data": 1}],
        ["upsert", "s", {"every": 60000}, {"data": 2}],
        ["scheduler", "s"],
        ["take"],
        ["complete", 1],
        ["scheduler", "s"],
    ],
    "other data while its job runs": [
        ["upsert", "s", {"every": 60000}],
        ["take"],
        ["upsert", "s", {"every": 60000}, {"data": 2}],
        ["complete", 1],
        ["counts"],
        ["scheduler", "s"],
    ],
    "one run only": [
        ["upsert", "s", {"every": 60000, "limit": 1}],
        ["take"],
        ["complete", 1],
        ["counts"],
        ["scheduler", "s"],
        ["schedulersCount"],
    ],
    "a pattern with seconds": [["upsert", "s", {"pattern": "0 0 0 1 1 *", "tz": "UTC"}], ["scheduler", "s"]],
    "a pattern in New York": [["upsert", "s", {"pattern": YEARLY, "tz": "America/New_York"}], ["scheduler", "s"]],
    "the last day of a month": [["upsert", "s", {"pattern": "0 0 L 2 *", "tz": "UTC"}], ["scheduler", "s"]],
    "names of months and weekdays": [["upsert", "s", {"pattern": "0 0 * JAN MON", "tz": "UTC"}], ["scheduler", "s"]],
    "a preset": [["upsert", "s", {"pattern": "@yearly", "tz": "UTC"}], ["scheduler", "s"]],
    "a name of its jobs": [["upsert", "s", {"pattern": YEARLY}, {"name": "other"}], ["scheduler", "s"], ["schedulers"]],
    "a pattern until a date": [
        ["upsert", "s", {"pattern": YEARLY, "tz": "UTC", "endDate": 4102444800000}],
        ["scheduler", "s"],
    ],
    "a pattern from a date on": [
        ["upsert", "s", {"pattern": YEARLY, "tz": "UTC", "startDate": 1924992000001}],
        ["scheduler", "s"],
    ],
    "a pattern from a past date on": [
        ["upsert", "s", {"pattern": YEARLY, "tz": "UTC", "startDate": OLD}],
        ["scheduler", "s"],
    ],
    "every, immediately": [["upsert", "s", {"every": 60000, "immediately": True}], ["scheduler", "s"]],
    "an offset of 0": [["upsert", "s", {"every": 60000, "offset": 0}], ["scheduler", "s"]],
    "an offset of more than every": [["upsert", "s", {"every": 864000000, "offset": 900000000}], ["scheduler", "s"]],
    "every ms": [["upsert", "s", {"every": 1, "startDate": LATER}], ["scheduler", "s"]],
    "every while paused": [["pause"], ["upsert", "s", {"every": 60000}], ["counts"], ["resume"], ["take"]],
    "no data": [["upsert", "s", {"pattern": YEARLY}, {"data": None}], ["scheduler", "s"]],
    "its job is tried again": [
        ["upsert", "s", {"every": 60000}, {"opts": {"attempts": 2}}],
        ["take"],
        ["fail", "x"],
        ["counts"],
        ["take"],
        ["complete", 1],
        ["counts"],
    ],
    "its job is promoted": [["upsert", "s", {"pattern": YEARLY}], ["promoteNext"], ["counts"], ["take"], ["counts"]],
    "draining beside a delayed job": [
        ["upsert", "s", {"pattern": YEARLY}],
        ["add", "d", {}, {"delay": LONG_MS}],
        ["drain", True],
        ["counts"],
    ],
    "cleaning": [["upsert", "s", {"pattern": YEARLY}], ["clean", 0, 0, "delayed"], ["counts"]],
    "obliterating": [["upsert", "s", {"pattern": YEARLY}], ["obliterate"], ["schedulersCount"], ["counts"]],
    "pages of schedulers that are due at once": [
        ["upsert", "b", {"every": 1000, "startDate": LATER}],
        ["upsert", "a", {"every": 1000, "startDate": LATER}],
        ["schedulers", 0, -1, True],
        ["schedulers", 0, -1, False],
        ["schedulers", 0, 0],
    ],
    "a queue's default options": [
        ["use", "d", {"defaultJobOptions": {"attempts": 4, "removeOnComplete": True, "priority": 2}}],
        ["upsert", "s", {"pattern": YEARLY}, {"opts": {"attempts": 1}}],
        ["scheduler", "s"],
    ],
}
