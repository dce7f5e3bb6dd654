"""Who owns a deduplication id, and until when."""

from __future__ import annotations

from tests.bullworks.compat.player import Step

LONG_MS = 10_000_000

SCENARIOS: dict[str, list[Step]] = {
    "an id while its job waits, runs, and after": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["add", "b", {}, {"deduplication": {"id": "d"}}],
        ["deduplicationJobId", "d"],
        ["take"],
        ["add", "c", {}, {"deduplication": {"id": "d"}}],
        ["complete", 1],
        ["add", "e", {}, {"deduplication": {"id": "d"}}],
        ["counts"],
    ],
    "an id after its job failed": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["take"],
        ["fail", "x"],
        ["add", "e", {}, {"deduplication": {"id": "d"}}],
        ["counts"],
    ],
    "an id while its job is tried again": [
        ["add", "a", {}, {"attempts": 2, "deduplication": {"id": "d"}}],
        ["take"],
        ["fail", "x"],
        ["add", "e", {}, {"deduplication": {"id": "d"}}],
        ["counts"],
    ],
    "an id after its job was removed": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["remove", "1"],
        ["deduplicationJobId", "d"],
        ["add", "e", {}, {"deduplication": {"id": "d"}}],
    ],
    "an id after its queue was drained": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["drain"],
        ["deduplicationJobId", "d"],
    ],
    "an id after its job was cleaned": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["clean", 0, 0, "wait"],
        ["deduplicationJobId", "d"],
    ],
    "an id after its queue was obliterated": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["obliterate"],
        ["deduplicationJobId", "d"],
    ],
    "an id that outlives its job": [
        ["add", "a", {}, {"deduplication": {"id": "d", "ttl": 60000}}],
        ["take"],
        ["complete", 1],
        ["add", "b", {}, {"deduplication": {"id": "d", "ttl": 60000}}],
        ["counts"],
    ],
    "replacing a delayed owner, with the time anew": [
        [
            "add",
            "a",
            {"n": 1},
            {"delay": LONG_MS, "deduplication": {"id": "d", "replace": True, "ttl": 60000, "extend": True}},
        ],
        [
            "add",
            "b",
            {"n": 2},
            {"delay": LONG_MS, "deduplication": {"id": "d", "replace": True, "ttl": 60000, "extend": True}},
        ],
        ["counts"],
        ["deduplicationJobId", "d"],
    ],
    "replacing an owner that waits": [
        ["add", "a", {"n": 1}, {"deduplication": {"id": "d", "replace": True}}],
        ["add", "b", {"n": 2}, {"deduplication": {"id": "d", "replace": True}}],
        ["counts"],
    ],
    "the last one is kept while the owner runs": [
        ["add", "a", {}, {"deduplication": {"id": "d", "keepLastIfActive": True}}],
        ["take"],
        ["add", "b", {"n": 1}, {"deduplication": {"id": "d", "keepLastIfActive": True}}],
        ["add", "c", {"n": 2}, {"deduplication": {"id": "d", "keepLastIfActive": True}}],
        ["complete", 1],
        ["counts"],
        ["take"],
        ["complete", 2],
        ["counts"],
    ],
    "the last one is kept while the owner fails": [
        ["add", "a", {}, {"deduplication": {"id": "d", "keepLastIfActive": True}}],
        ["take"],
        ["add", "b", {"n": 1}, {"deduplication": {"id": "d", "keepLastIfActive": True}}],
        ["fail", "x"],
        ["counts"],
    ],
    "an id after its job was promoted": [
        ["add", "a", {}, {"delay": LONG_MS, "deduplication": {"id": "d"}}],
        ["promote", "1"],
        ["add", "b", {}, {"deduplication": {"id": "d"}}],
    ],
    "an id that was freed by hand": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["removeDeduplicationKey", "d"],
        ["add", "b", {}, {"deduplication": {"id": "d"}}],
        ["take"],
        ["complete", 1],
        ["deduplicationJobId", "d"],
    ],
    "an id that its job frees, and another takes": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["removeOwnDeduplicationKey", "1"],
        ["removeOwnDeduplicationKey", "1"],
        ["add", "b", {}, {"deduplication": {"id": "d"}}],
        ["removeOwnDeduplicationKey", "1"],
    ],
    "an id and a job's id": [
        ["add", "a", {}, {"jobId": "x", "deduplication": {"id": "d"}}],
        ["add", "a", {}, {"jobId": "x", "deduplication": {"id": "d"}}],
        ["add", "a", {}, {"jobId": "y", "deduplication": {"id": "d"}}],
    ],
    "retrying a job that lost its id": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["take"],
        ["fail", "x"],
        ["retry", "1"],
        ["deduplicationJobId", "d"],
        ["add", "b", {}, {"deduplication": {"id": "d"}}],
    ],
    "an id after its job stalled": [
        ["add", "a", {}, {"deduplication": {"id": "d"}}],
        ["take"],
        ["stalledCheck"],
        ["redis", "DEL", "bull:q:stalled-check", "bull:q:1:lock"],
        ["stalledCheck"],
        ["deduplicationJobId", "d"],
        ["counts"],
    ],
}
