"""Deduplication, in every mode."""

from __future__ import annotations

from typing import Any

from tests.compat.player import Step

LONG_MS = 10_000_000
HOUR_MS = 3_600_000


def _once(**more: Any) -> dict[str, Any]:
    return {"deduplication": {"id": "d", **more}}


SCENARIOS: dict[str, list[Step]] = {
    "until its job has ended": [
        ["add", "a", {"n": 1}, _once()],
        ["add", "b", {"n": 2}, _once()],
        ["deduplicationJobId", "d"],
        ["take"],
        ["add", "c", {"n": 3}, _once()],
        ["complete", 1],
        ["deduplicationJobId", "d"],
        ["add", "d", {"n": 4}, _once()],
        ["read", "2"],
    ],
    "until its job has failed for good": [
        ["add", "a", {}, {**_once(), "attempts": 2}],
        ["take"],
        ["fail", "boom"],
        ["add", "b", {}, _once()],
        ["take"],
        ["fail", "boom"],
        ["add", "c", {}, _once()],
    ],
    "for a time": [
        ["add", "a", {}, _once(ttl=HOUR_MS)],
        ["add", "b", {}, _once(ttl=2 * HOUR_MS)],
        ["take"],
        ["complete", 1],
        ["add", "c", {}, _once(ttl=HOUR_MS)],
        ["redis", "DEL", "bull:q:de:d"],
        ["add", "d", {}, _once(ttl=HOUR_MS)],
    ],
    "a time that is extended": [
        ["add", "a", {}, _once(ttl=HOUR_MS, extend=True)],
        ["redis", "PEXPIRE", "bull:q:de:d", 60_000],
        ["add", "b", {}, _once(ttl=HOUR_MS)],
        ["add", "c", {}, _once(ttl=2 * HOUR_MS, extend=True)],
    ],
    "the later takes the place of one that is delayed": [
        ["add", "a", {"n": 1}, {**_once(replace=True), "delay": LONG_MS}],
        ["add", "b", {"n": 2}, {**_once(replace=True), "delay": LONG_MS // 2}],
        ["deduplicationJobId", "d"],
        ["add", "c", {"n": 3}, _once(replace=True)],
        ["add", "e", {"n": 4}, _once(replace=True)],
        ["counts"],
    ],
    "as a debounce": [
        *[
            ["add", "a", {"n": n}, {**_once(ttl=HOUR_MS, extend=True, replace=True), "delay": HOUR_MS}]
            for n in range(3)
        ],
        ["deduplicationJobId", "d"],
        ["counts"],
    ],
    "replacing with a time that is not extended": [
        ["add", "a", {}, {**_once(ttl=HOUR_MS, replace=True), "delay": LONG_MS}],
        ["redis", "PEXPIRE", "bull:q:de:d", 60_000],
        ["add", "b", {}, {**_once(ttl=HOUR_MS, replace=True), "delay": LONG_MS}],
    ],
    "the later moves one that is delayed": [
        ["add", "a", {"n": 1}, {**_once(reschedule=True), "delay": LONG_MS}],
        ["add", "b", {"n": 2}, {**_once(reschedule=True), "delay": 2 * LONG_MS}],
        ["read", "1"],
        ["add", "c", {"n": 3}, {**_once(reschedule=True), "delay": LONG_MS // 2}],
        ["add", "e", {"n": 4}, _once(reschedule=True)],
        ["take"],
        ["add", "f", {"n": 5}, {**_once(reschedule=True), "delay": LONG_MS}],
        ["counts"],
    ],
    "moving extends the time": [
        ["add", "a", {}, {**_once(ttl=HOUR_MS, reschedule=True, extend=True), "delay": LONG_MS}],
        ["redis", "PEXPIRE", "bull:q:de:d", 60_000],
        ["add", "b", {}, {**_once(ttl=HOUR_MS, reschedule=True), "delay": LONG_MS}],
        ["add", "c", {}, {**_once(ttl=HOUR_MS, reschedule=True, extend=True), "delay": LONG_MS}],
    ],
    "the last that comes while it runs": [
        ["add", "a", {"n": 1}, _once(keepLastIfActive=True)],
        ["add", "b", {"n": 2}, _once(keepLastIfActive=True)],
        ["take"],
        ["add", "c", {"n": 3}, {**_once(keepLastIfActive=True), "attempts": 2}],
        ["add", "e", {"n": 4}, {**_once(keepLastIfActive=True), "attempts": 3}],
        ["complete", 1],
        ["counts"],
        ["deduplicationJobId", "d"],
        ["take"],
        ["add", "f", {"n": 5}, _once(keepLastIfActive=True)],
        ["failForGood", "boom"],
        ["take"],
        ["complete", 1, {"fetchNext": True}],
        ["deduplicationJobId", "d"],
    ],
    "the last, with a delay and a priority": [
        ["add", "a", {}, _once(keepLastIfActive=True)],
        ["take"],
        ["add", "b", {}, {**_once(keepLastIfActive=True), "delay": LONG_MS}],
        ["complete", 1],
        ["promote", "2"],
        ["take"],
        ["add", "c", {}, {**_once(keepLastIfActive=True), "priority": 4}],
        ["complete", 1, {"fetchNext": True}],
    ],
    "the last, of a job that is tried again": [
        ["add", "a", {}, {**_once(keepLastIfActive=True), "attempts": 2}],
        ["take"],
        ["add", "b", {}, _once(keepLastIfActive=True)],
        ["fail", "boom"],
        ["take"],
        ["fail", "boom", {"fetchNext": True}],
        ["counts"],
    ],
    "its key is removed": [
        ["add", "a", {}, _once()],
        ["removeDeduplicationKey", "d"],
        ["removeDeduplicationKey", "d"],
        ["add", "b", {}, _once()],
        ["removeOwnDeduplicationKey", "1"],
        ["removeOwnDeduplicationKey", "2"],
        ["add", "c", {}, _once()],
    ],
    "its job is removed": [
        ["add", "a", {}, _once()],
        ["remove", "1"],
        ["add", "b", {}, {**_once(), "delay": LONG_MS}],
        ["drain", True],
        ["add", "c", {}, _once()],
        ["clean", 0, 10, "wait"],
        ["add", "e", {}, _once(ttl=HOUR_MS)],
        ["remove", "4"],
        ["deduplicationJobId", "d"],
    ],
    "an ended job's key is another's": [
        ["add", "a", {}, _once()],
        ["take"],
        ["removeDeduplicationKey", "d"],
        ["add", "b", {}, _once()],
        ["complete", 1],
        ["deduplicationJobId", "d"],
    ],
    "a job that is retried": [
        ["add", "a", {}, _once()],
        ["take"],
        ["fail", "boom"],
        ["retry", "1"],
        ["deduplicationJobId", "d"],
        ["add", "b", {}, _once()],
        ["take"],
        ["complete", 1],
    ],
    "the job it runs for is removed": [
        ["add", "a", {}, _once(keepLastIfActive=True)],
        ["take"],
        ["add", "b", {}, _once(keepLastIfActive=True)],
        ["redis", "DEL", "bull:q:1:lock"],
        ["remove", "1"],
        ["deduplicationJobId", "d"],
    ],
    "the later has no time of its own": [
        ["add", "a", {}, {**_once(ttl=HOUR_MS, replace=True), "delay": LONG_MS}],
        ["add", "b", {}, {**_once(replace=True), "delay": LONG_MS}],
        ["add", "c", {}, {**_once(ttl=HOUR_MS, replace=True, keepLastIfActive=True), "delay": LONG_MS}],
        ["add", "e", {}, {**_once(ttl=HOUR_MS, replace=True, extend=True), "delay": LONG_MS}],
    ],
    "jobs that are not kept": [
        ["add", "a", {}, {**_once(ttl=HOUR_MS), "removeOnComplete": True}],
        ["take"],
        ["complete", 1],
        ["deduplicationJobId", "d"],
        ["add", "b", {}, {"deduplication": {"id": "e", "ttl": HOUR_MS}, "removeOnComplete": 1}],
        ["add", "c", {}, {"removeOnComplete": 1}],
        *[step for _ in range(2) for step in (["take"], ["complete", 1])],
        ["deduplicationJobId", "e"],
    ],
    "its job vanished": [
        ["add", "a", {}, _once()],
        ["redis", "DEL", "bull:q:1", "bull:q:wait"],
        ["add", "b", {}, _once(ttl=HOUR_MS)],
        ["redis", "DEL", "bull:q:2", "bull:q:wait"],
        ["add", "c", {}, _once()],
        ["redis", "DEL", "bull:q:de:d"],
        ["add", "e", {}, _once(keepLastIfActive=True)],
        ["take"],
        ["add", "f", {}, _once(keepLastIfActive=True)],
        ["redis", "DEL", "bull:q:4", "bull:q:active", "bull:q:4:lock"],
        ["add", "g", {}, _once(replace=True)],
        ["deduplicationJobId", "d"],
    ],
    "in bulk, and with an id": [
        ["addBulk", [{"name": "a", "data": n, "opts": _once()} for n in range(3)]],
        ["add", "b", {}, {**_once(), "jobId": "own"}],
        ["add", "c", {}, {"deduplication": {"id": "e"}, "jobId": "own"}],
        ["add", "c", {}, {"deduplication": {"id": "f"}, "jobId": "own"}],
    ],
    "a worker that stalls": [
        ["worker", {"maxStalledCount": 0}],
        ["add", "a", {}, _once(keepLastIfActive=True)],
        ["take"],
        ["add", "b", {}, _once(keepLastIfActive=True)],
        ["stalledCheck"],
        ["redis", "DEL", "bull:q:stalled-check", "bull:q:1:lock"],
        ["stalledCheck"],
        ["counts"],
    ],
}
