"""Values at their edges that both sides take: of options, ids and data."""

from __future__ import annotations

from typing import Any

from tests.bullworks.compat.player import Step

OPTIONS: dict[str, dict[str, Any]] = {
    "no attempts": {"attempts": 0},
    "a backoff of some ms": {"attempts": 2, "backoff": 10},
    "no backoff": {"attempts": 2, "backoff": 0},
    "a backoff of one's own": {"attempts": 2, "backoff": {"type": "mine", "delay": 5}},
    "some jitter": {"attempts": 2, "backoff": {"type": "fixed", "delay": 10, "jitter": 0.3}},
    "the lowest priority": {"priority": 2**21 - 1},
    "lifo with a priority": {"lifo": True, "priority": 2},
    "kept for no time": {"removeOnComplete": {"age": 0}},
    "kept for so long, so many at once": {"removeOnComplete": {"age": 60, "limit": 5}},
    "no lines of log": {"keepLogs": 0},
    "no traces": {"stackTraceLimit": 0},
    **{
        f"{policy} without a parent": {policy: True}
        for policy in (
            "failParentOnFailure",
            "continueParentOnFailure",
            "ignoreDependencyOnFailure",
            "removeDependencyOnFailure",
        )
    },
    **{
        f"the id {job_id!r}": {"jobId": job_id}
        for job_id in (
            "00",
            "007",
            "1.5",
            "1e3",
            "+1",
            " 5",
            "--5",
            "ż ó",
            "1234567890123456789",
            "\u0663",
        )
    },
}
DATA: dict[str, Any] = {
    "a text": "x",
    "an empty text": "",
    "a number": 5,
    "0": 0,
    "false": False,
    "a list": [1, [2]],
    "nulls": {"a": None, "b": [None]},
    "a fraction": 1.5,
    "a whole number with a point": 2.0,
    "a large number": 2**53,
    "other alphabets": {"ключ": "😀"},
    "a deep one": {"a": {"b": {"c": []}}},
}

SCENARIOS: dict[str, list[Step]] = {
    **{name: [["add", "a", {}, opts], ["counts"], ["take"], ["complete", 1]] for name, opts in OPTIONS.items()},
    **{
        f"data and a result: {name}": [["add", "a", data], ["take"], ["read", "1"], ["complete", data], ["read", "1"]]
        for name, data in DATA.items()
    },
}
