"""What both sides refuse: the last step of each."""

from __future__ import annotations

from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios.flowing import _node
from tests.bullworks.compat.scenarios.scheduling import YEARLY

PARENT = {"parent": {"id": "p", "queue": "bull:q"}}

SCENARIOS: dict[str, list[Step]] = {
    "removing a job that a worker runs": [["add", "a", {}], ["take"], ["removeJob", "1"]],
    "removing a scheduler's pending iteration": [
        ["redis", "ZADD", "bull:q:repeat", 9_000_000_000_000, "s"],
        ["redis", "HSET", "bull:q:repeat:s:9000000000000", "name", "n", "data", "{}", "opts", "{}", "rjk", "s"],
        ["redis", "LPUSH", "bull:q:wait", "repeat:s:9000000000000"],
        ["remove", "repeat:s:9000000000000"],
    ],
    "retrying a job in another state": [["add", "a", {}], ["take"], ["complete", 1], ["retry", "1", "failed"]],
    "promoting a job that is not delayed": [["add", "a", {}], ["promote", "1"]],
    "an id that is an integer": [["add", "a", {}, {"jobId": "17"}]],
    "a negative id": [["add", "a", {}, {"jobId": "-17"}]],
    "an id that begins with 0:": [["add", "a", {}, {"jobId": "0:a"}]],
    "an id with a colon": [["add", "a", {}, {"jobId": "a:b"}]],
    "a priority out of range": [["add", "a", {}, {"priority": 2**21}]],
    "a fractional priority": [["add", "a", {}, {"priority": 1.5}]],
    "data over the size limit": [["add", "a", {"text": "x" * 100}, {"sizeLimit": 50}]],
    "data over the size limit, in bytes": [["add", "a", "żółć" * 5, {"sizeLimit": 30}]],
    "jitter out of range": [["add", "a", {}, {"backoff": {"type": "fixed", "delay": 1, "jitter": 2}}]],
    "deduplication with no id": [["add", "a", {}, {"deduplication": {"ttl": 5}}]],
    "two policies for a failed child": [
        ["add", "p", {}, {"jobId": "p"}],
        ["add", "c", {}, {**PARENT, "failParentOnFailure": True, "ignoreDependencyOnFailure": True}],
    ],
    "a deduplicated parent of a flow": [["flow", _node("p", _node("a"), deduplication={"id": "d"})]],
    "a child that another parent has": [
        ["add", "p", {}, {"jobId": "p"}],
        ["add", "r", {}, {"jobId": "r"}],
        ["add", "c", {}, {"parent": {"id": "p", "queue": "bull:q"}, "jobId": "c"}],
        ["add", "c", {}, {"parent": {"id": "r", "queue": "bull:q"}, "jobId": "c"}],
    ],
    "one bad job among many": [
        ["addBulk", [{"name": "a", "data": 1}, {"name": "b", "data": 2, "opts": {"priority": -1.5}}]],
    ],
    "a flow with a bad job": [["flow", _node("p", _node("a"), _node("b", priority=1.5))]],
    "both pattern and every": [["upsert", "s", {"every": 5, "pattern": YEARLY}]],
    "neither pattern nor every": [["upsert", "s", {}]],
    "an end date that is past": [["upsert", "s", {"every": 5, "endIn": -1}]],
    "immediately from a date on": [["upsert", "s", {"pattern": YEARLY, "immediately": True, "startIn": 5}]],
    "a pattern that is none": [["upsert", "s", {"pattern": "x y z"}]],
    "a zone that is none": [["upsert", "s", {"pattern": YEARLY, "tz": "Nowhere/None"}]],
    "no run before the end date": [["upsert", "s", {"pattern": YEARLY, "endIn": 5}]],
    "a limit of 0": [["upsert", "s", {"every": 5, "limit": 0}]],
    "a count of delayed jobs before no time": [["delayedCount", 1.5]],
}
